import { jsonPlaceAfter } from './query-json.ts';
import type { PlacedValue, QueryValue } from './query-value.ts';

/**
 * A value in the JSON of `MetricDataQueries`: as the value of a dimension, which is compared whole. An expression is a language of its own, and a
 * value in it could be more than one. A window stands anywhere, as a number of seconds.
 */
export function inCloudwatch({ variable, text }: QueryValue, before: string): PlacedValue {
  if (variable === 'window') return secondsIn(text);
  const place = jsonPlaceAfter(before);
  if (!place) return { why: `{{${variable}}} has to stand in quotes` };
  if (place.isEscaping) return { why: `{{${variable}}} stands behind a backslash` };
  const [list, field] = place.path.slice(-2);
  if (place.isName || list !== 'Dimensions' || field !== 'Value')
    return { why: `{{${variable}}} has to be the Value of one of the Dimensions` };
  return { text: JSON.stringify(text).slice(1, -1) };
}

/** `300` of `300s`. */
export function secondsIn(window: string): PlacedValue {
  const seconds = /^(\d+)s$/.exec(window)?.[1];
  return seconds === undefined ? { why: `{{window}} is ${window}, and no whole seconds` } : { text: seconds };
}
