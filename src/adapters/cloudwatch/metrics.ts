import type { GetMetricDataInput, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { EdgeError } from '../../domain/errors.ts';
import {
  aligned,
  answerOf,
  completePart,
  type MetricGrid,
  type MetricsAnswer,
  type MetricsQuery,
  requireGrid,
  requireRoom,
  type Series,
} from '../../domain/metrics.ts';
import type { MetricsParts } from '../../outbound/ask-metrics.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import { type CloudwatchAddress, type CloudwatchPages, cloudwatchPages } from './client.ts';
import { type AllFound, allPages, type Found } from './pages.ts';
import { namesOf, parseQueries, periodMsOf } from './queries.ts';

/**
 * `delayMs`: what CloudWatch takes to gather, which is a minute or two. `reachMs`: a bucket is the value of points that are later than its end by
 * less than this; left out: one step of the grid, or one bucket where that is longer.
 */
export type CloudwatchOptions = CloudwatchAddress & { readonly delayMs: number; readonly reachMs?: number };

/**
 * Amazon CloudWatch (wire facts: INTEGRATIONS.md 7). A query is a JSON of `MetricDataQueries`. Times are the beginnings of buckets; their value
 * is known at their end, and stands there. A wrong set of dimensions is nothing, not an error.
 */
export function createCloudwatchMetrics(options: CloudwatchOptions, parts: MetricsParts): MetricsSource {
  const pages = cloudwatchPages(options, parts);
  return {
    query: async (query, signal) => {
      signal.throwIfAborted();
      requireGrid(query);
      const queries = parseQueries(query.text);
      const completeToMs = parts.clock.now() - options.delayMs;
      const part = completePart(query, completeToMs);
      if (!part) return { kind: 'early', completeToMs };
      const buckets = { queries, ...bucketsOf(queries, part, options) };
      const found = await ask(pages, inputFor(buckets, part), { signal, timeoutMs: options.timeoutMs });
      return answerFrom(found, query, { ...buckets, completeToMs });
    },
    close: () => pages.close(),
  };
}

/** Of all queries together: the longest bucket, and how far one reaches. */
type Buckets = {
  readonly queries: readonly MetricDataQuery[];
  readonly longestMs: number;
  readonly reachMs: number;
};

function bucketsOf(
  queries: readonly MetricDataQuery[],
  { stepMs }: MetricGrid,
  { reachMs }: CloudwatchOptions,
): Omit<Buckets, 'queries'> {
  const longestMs = periodMsOf(queries, undefined) ?? stepMs;
  return { longestMs, reachMs: reachMs ?? Math.max(stepMs, longestMs) };
}

/** From whole buckets on, which is how it keeps them; it takes no `EndTime` that is not later than `StartTime`. */
function inputFor(
  { queries, longestMs, reachMs }: Buckets,
  { fromMs, toMs }: MetricGrid,
): GetMetricDataInput {
  const startMs = Math.floor((fromMs - reachMs - longestMs) / longestMs) * longestMs;
  return {
    MetricDataQueries: [...queries],
    StartTime: new Date(Math.floor(startMs / 1_000) * 1_000),
    EndTime: new Date(Math.ceil(toMs / 1_000) * 1_000),
  };
}

type Waiting = { readonly signal: AbortSignal; readonly timeoutMs: number };

async function ask(
  pages: CloudwatchPages,
  input: GetMetricDataInput,
  { signal, timeoutMs }: Waiting,
): Promise<AllFound> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, deadline]);
  try {
    return await allPages((token) => pages.page({ ...input, ...(token && { NextToken: token }) }, either));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EdgeError || !deadline.aborted) throw error;
    throw new EdgeError('metrics_unreachable', `CloudWatch: no answer within ${timeoutMs} ms`, {
      cause: error,
    });
  }
}

function answerFrom(
  { results, warnings }: AllFound,
  grid: MetricsQuery,
  { queries, longestMs, reachMs, completeToMs }: Buckets & { readonly completeToMs: number },
): MetricsAnswer {
  requireRoom(grid, results.length);
  const seriesOf = (found: Found): Series => {
    const periodMs = periodMsOf(queries, found.id) ?? longestMs;
    const samples = found.samples.map(({ atMs, value }) => ({ atMs: atMs + periodMs, value }));
    return { ...namesOf(queries, found), values: aligned(samples, grid, { reachMs, completeToMs }) };
  };
  return answerOf({ series: results.map(seriesOf), warnings, completeToMs });
}
