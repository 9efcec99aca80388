import type { MetricDataQuery, StandardUnit } from '@aws-sdk/client-cloudwatch';
import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import type { Series } from '../../domain/metrics.ts';

const period = z.int().min(1).max(31_536_000);

/** The service knows which units there are. */
const unit = z.custom<StandardUnit>((value) => typeof value === 'string');

const MetricStat = z.strictObject({
  Metric: z.strictObject({
    Namespace: z.string(),
    MetricName: z.string(),
    Dimensions: z.array(z.strictObject({ Name: z.string(), Value: z.string() })).optional(),
  }),
  Period: period,
  Stat: z.string(),
  Unit: unit.optional(),
});

/** `GetMetricData` takes up to 500, with a metric or an expression each (API reference, MetricDataQuery). */
const Queries = z
  .array(
    z.strictObject({
      Id: z.string(),
      MetricStat: MetricStat.optional(),
      Expression: z.string().optional(),
      Label: z.string().optional(),
      ReturnData: z.boolean().optional(),
      Period: period.optional(),
      AccountId: z.string().optional(),
    }),
  )
  .min(1)
  .max(500);

/** A query of the port: a JSON of `MetricDataQueries`. Throws `metrics_refused` for what is none. */
export function parseQueries(text: string): readonly MetricDataQuery[] {
  const queries = Queries.safeParse(jsonIn(text));
  if (queries.success) return queries.data;
  const [issue] = queries.error.issues;
  const place = issue?.path.join('.') || 'the whole';
  throw new EdgeError(
    'metrics_refused',
    `The query is no list of MetricDataQueries: ${place}: ${issue?.message}`,
  );
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EdgeError('metrics_refused', 'The query is no JSON', { cause });
  }
}

/** How long a bucket of a result is. An expression without a period of its own has the longest of the others (as its parts have, at the most). */
export function periodMsOf(queries: readonly MetricDataQuery[], id: string | undefined): number | undefined {
  const own = queries.find(({ Id }) => Id === id);
  const seconds = own && periodIn(own);
  return (seconds ?? longest(queries)) * 1_000 || undefined;
}

const periodIn = ({ MetricStat, Period }: MetricDataQuery): number | undefined =>
  MetricStat?.Period ?? Period;

const longest = (queries: readonly MetricDataQuery[]): number =>
  Math.max(0, ...queries.map((query) => periodIn(query) ?? 0));

/** The dimensions of a metric are its labels. An expression has those that it was given: the id of its query, and what it is called in a result. */
export function namesOf(
  queries: readonly MetricDataQuery[],
  { id, label }: { readonly id: string; readonly label: string },
): Pick<Series, 'name' | 'labels'> {
  const metric = queries.find(({ Id }) => Id === id)?.MetricStat?.Metric;
  if (!metric) return { labels: { id, label } };
  const labels = (metric.Dimensions ?? []).map(({ Name = '', Value = '' }) => [Name, Value] as const);
  return { ...(metric.MetricName && { name: metric.MetricName }), labels: Object.fromEntries(labels) };
}
