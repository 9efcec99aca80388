import { secondsIn } from './query-cloudwatch.ts';
import type { PlacedValue, QueryValue } from './query-value.ts';

/**
 * A value in a query of Datadog: behind the colon of a tag, between braces (`avg:errors{host:{{server}}}`), where it ends with the tag. Tags hold
 * letters, digits and `_-:./` only, and Datadog makes others into `_` (docs.datadoghq.com/getting_started/tagging), so there is nothing to
 * escape, and what has such letters is no value there. A window stands anywhere, as a number of seconds.
 */
export function inDatadog({ variable, text }: QueryValue, before: string): PlacedValue {
  if (variable === 'window') return secondsIn(text);
  const scope = /\{([^{}]*)$/.exec(before)?.[1];
  if (scope === undefined || !/[\w.-]:[\w.:/-]*$/.test(scope))
    return { why: `{{${variable}}} has to stand behind the colon of a tag, between braces` };
  if (!/^[\p{L}\p{N}_.:/-]+$/u.test(text))
    return { why: `{{${variable}}} has letters that no tag of Datadog can hold` };
  return { text };
}
