import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import type { MetricGrid } from '../../domain/metrics.ts';

const Fields = z.record(z.string(), z.unknown());
type Fields = z.infer<typeof Fields>;

/** Whatever else is in it would have to agree with the grid. */
const Histogram = z.strictObject({ field: z.string(), fixed_interval: z.string().optional() });

/** A search as somebody wrote it, and where in it the time is. */
export type Search = {
  readonly body: Fields;
  /** The names of the aggregations around the histogram, from the outermost. */
  readonly groups: readonly string[];
  /** What the histogram is called. */
  readonly time: string;
  readonly field: string;
  /** How long a bucket is; left out: a step of the grid. */
  readonly intervalMs?: number;
};

type Found = { readonly path: readonly string[]; readonly aggregation: Fields };

/** Throws `metrics_refused`. `hasPath`: it is known where in a bucket the value is. */
export function searchIn(text: string, hasPath: boolean): Search {
  const body = Fields.safeParse(json(text)).data;
  if (!body) throw refusal('It is no object of JSON');
  const [found, ...others] = histogramsIn(subAggregations(body)[1], []);
  if (!found || others.length > 0)
    throw refusal(`It has ${others.length + (found ? 1 : 0)} date_histograms, and not one`);
  const histogram = Histogram.safeParse(found.aggregation.date_histogram).data;
  if (!histogram) throw refusal('Its date_histogram has more than a field and a fixed_interval');
  if (!hasPath && !Object.hasOwn(subAggregations(found.aggregation)[1], 'value'))
    throw refusal('Nothing in its date_histogram is called value');
  return {
    ...{ body, groups: found.path.slice(0, -1), time: found.path.at(-1) ?? '', field: histogram.field },
    ...(histogram.fixed_interval !== undefined && { intervalMs: msOf(histogram.fixed_interval) }),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const refusal = (why: string): EdgeError =>
  new EdgeError('metrics_refused', `The query is no search that gives a metric. ${why}`);

/** With the word that they stand under, of the two that there are. */
function subAggregations(aggregation: Fields): readonly [string, Fields] {
  const word = Object.hasOwn(aggregation, 'aggregations') ? 'aggregations' : 'aggs';
  return [word, Fields.safeParse(aggregation[word]).data ?? {}];
}

function histogramsIn(aggregations: Fields, around: readonly string[]): readonly Found[] {
  return Object.entries(aggregations).flatMap(([name, value]): readonly Found[] => {
    const aggregation = Fields.safeParse(value).data ?? {};
    const path = [...around, name];
    if (Object.hasOwn(aggregation, 'date_histogram')) return [{ path, aggregation }];
    return histogramsIn(subAggregations(aggregation)[1], path);
  });
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function msOf(interval: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,9})(ms|s|m|h|d)$/.exec(interval) ?? [];
  if (count === undefined) throw refusal(`Its fixed_interval of ${JSON.stringify(interval)} is none`);
  return Number(count) * (UNITS[unit] ?? 1);
}

export type SearchTimes = { readonly part: MetricGrid; readonly timeoutMs: number; readonly reachMs: number };

/**
 * What is sent: the search between two times, without documents, with buckets that end at the points, which are within. The first bucket may be
 * cut, and is too old to count; the last is whole. A bucket without documents is not given: what it would say of them, such as a sum of 0,
 * nobody has measured.
 */
export function bodyFor(search: Search, { part, timeoutMs, reachMs }: SearchTimes): string {
  const { body, field, groups, time } = search;
  const intervalMs = search.intervalMs ?? part.stepMs;
  const range = { gt: part.fromMs - reachMs - intervalMs, lte: part.toMs, format: 'epoch_millis' };
  const histogram = {
    ...{
      field,
      fixed_interval: `${intervalMs}ms`,
      offset: `${((part.toMs % intervalMs) + 1) % intervalMs}ms`,
    },
    min_doc_count: 1,
  };
  return JSON.stringify({
    ...withHistogram(body, [...groups, time], histogram),
    ...{ size: 0, track_total_hits: false, timeout: `${timeoutMs}ms` },
    query: { bool: { filter: [body.query ?? { match_all: {} }, { range: { [field]: range } }] } },
  });
}

function withHistogram(node: Fields, [name, ...rest]: readonly string[], histogram: Fields): Fields {
  if (name === undefined) return { ...node, date_histogram: histogram };
  const [word, aggregations] = subAggregations(node);
  const inner = Fields.safeParse(aggregations[name]).data ?? {};
  return { ...node, [word]: { ...aggregations, [name]: withHistogram(inner, rest, histogram) } };
}
