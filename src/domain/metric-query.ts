import { didYouMean } from '../lib/nearest.ts';
import { inCloudwatch } from './query-cloudwatch.ts';
import { inDatadog } from './query-datadog.ts';
import { inQueryDsl } from './query-dsl.ts';
import { inGraphite } from './query-graphite.ts';
import { inInfluxql } from './query-influxql.ts';
import { inNrql } from './query-nrql.ts';
import { inPromql } from './query-promql.ts';
import type { PlacedValue, PlaceValue } from './query-value.ts';
import { type Placeholder, parseTemplate, type TemplateProblem } from './template.ts';

/** What a query can be about: a server by its name, a version, a zone, and a stretch of time. */
export type QueryValues = {
  readonly server?: string;
  readonly version?: string;
  readonly zone?: string;
  readonly windowMs?: number;
};

/**
 * `query-dsl`: the JSON of a search; `cloudwatch`: that of `MetricDataQueries`. `plain`: values stand as they are, for a source that takes the whole
 * text as one value.
 */
export type QueryLanguage =
  | 'promql'
  | 'graphite'
  | 'influxql'
  | 'query-dsl'
  | 'cloudwatch'
  | 'datadog'
  | 'nrql'
  | 'plain';

export type FilledQuery =
  | { readonly kind: 'filled'; readonly text: string }
  | { readonly kind: 'refused'; readonly problems: readonly TemplateProblem[] };

const NAMES: readonly string[] = ['server', 'version', 'zone', 'window'];

const PLACES: Readonly<Record<QueryLanguage, PlaceValue>> = {
  promql: inPromql,
  graphite: inGraphite,
  influxql: inInfluxql,
  'query-dsl': inQueryDsl,
  cloudwatch: inCloudwatch,
  datadog: inDatadog,
  nrql: inNrql,
  plain: ({ text }) => ({ text }),
};

/**
 * Puts values into a query: `{{server}}`, `{{version}}`, `{{zone}}`, and `{{window}}` as a duration (`300s`). A value is what it is, letter by
 * letter, and can be no other part of the query. A name that nobody knows, one without a value or with an empty one, and one that would
 * stand where it could mean more are refused, all at once.
 */
export function fillQuery(template: string, values: QueryValues, language: QueryLanguage): FilledQuery {
  const { parts, problems } = parseTemplate(template);
  const found: TemplateProblem[] = [...problems];
  const place = PLACES[language];
  let text = '';
  for (const part of parts) {
    const placed =
      typeof part === 'string' ? { text: part } : placedFor(part, values, { place, before: text });
    if ('text' in placed) text += placed.text;
    else if (typeof part !== 'string') found.push({ line: part.line, message: placed.why });
  }
  if (found.length > 0) return { kind: 'refused', problems: found.toSorted((a, b) => a.line - b.line) };
  return { kind: 'filled', text };
}

function placedFor(
  { variable }: Placeholder,
  values: QueryValues,
  { place, before }: { readonly place: PlaceValue; readonly before: string },
): PlacedValue {
  if (!NAMES.includes(variable))
    return { why: `{{${variable}}} is none of those that a query has. ${didYouMean(variable, NAMES)}` };
  const text = textsOf(values)[variable];
  if (text === '') return { why: `{{${variable}}} is empty, which in most languages finds what has none` };
  return text === undefined
    ? { why: `{{${variable}}} has no value here` }
    : place({ variable, text }, before);
}

const textsOf = ({ windowMs, ...texts }: QueryValues): Readonly<Record<string, string | undefined>> => ({
  ...texts,
  window: windowMs === undefined ? undefined : durationOf(windowMs),
});

const durationOf = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`);
