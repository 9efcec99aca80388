import { type MetricGrid, piecesOf } from '../../domain/metrics.ts';
import type { SecretRef } from '../../domain/secret.ts';
import {
  type MetricsAddress,
  type MetricsAsk,
  type MetricsParts,
  metricsInPieces,
} from '../../outbound/ask-metrics.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import { faultIn, parseReply } from './reply.ts';

/**
 * `url`: NerdGraph of the region, `https://api.newrelic.com/graphql` or `https://api.eu.newrelic.com/graphql`. The key is one of a user.
 * `delayMs`: what New Relic takes to gather.
 */
export type NewRelicOptions = Omit<MetricsAddress, 'credentials' | 'secretHeaders'> & {
  readonly accountId: number;
  readonly apiKey: SecretRef;
  /** Of the buckets of its queries, whole seconds; left out: one step of the grid. */
  readonly bucketMs?: number;
  /** A bucket is the value of points that are later than its end by less than this; left out: one step, or one bucket where that is longer. */
  readonly reachMs?: number;
};

/** `TIMESERIES supports a maximum of 366 buckets` (docs.newrelic.com: troubleshooting chart errors). */
const MOST_BUCKETS = 366;

/** With the names that the client of New Relic asks for (newrelic-client-go, pkg/nrdb). */
const GRAPHQL =
  'query($account: Int!, $nrql: Nrql!, $timeout: Seconds) { actor { account(id: $account) { nrql(query: $nrql, timeout: $timeout) { results metadata { facets messages } } } } }';

/**
 * New Relic, by NRQL over NerdGraph (wire facts: INTEGRATIONS.md 7). A query has no `SINCE`, `UNTIL` and `TIMESERIES`: these are put behind it. It
 * may have a `FACET`, whose values are labels; without a `LIMIT` New Relic gives the first 10 of them.
 */
export function createNewRelicMetrics(options: NewRelicOptions, parts: MetricsParts): MetricsSource {
  const { apiKey, ...address } = options;
  const ask = (text: string, piece: MetricGrid): MetricsAsk => askFor(text, piece, options);
  const pieces = (part: MetricGrid): readonly MetricGrid[] => {
    const { bucketMs, reachMs } = bucketsOf(options, part);
    const spanMs = (MOST_BUCKETS - 1) * bucketMs - reachMs;
    return piecesOf(part, Math.max(1, 1 + Math.floor(spanMs / part.stepMs)));
  };
  const read = (bodies: readonly unknown[], grid: MetricGrid, completeToMs: number) =>
    parseReply(bodies, grid, { completeToMs, reachMs: bucketsOf(options, grid).reachMs });
  const secretHeaders = { 'api-key': apiKey };
  return metricsInPieces({ ...address, secretHeaders }, { ask, pieces, read, faultIn }, parts);
}

function bucketsOf({ bucketMs, reachMs }: NewRelicOptions, { stepMs }: MetricGrid) {
  const lengthMs = Math.ceil((bucketMs ?? stepMs) / 1_000) * 1_000;
  return { bucketMs: lengthMs, reachMs: reachMs ?? Math.max(stepMs, lengthMs) };
}

/** Whole buckets that end with the last point, in whole seconds. */
function askFor(text: string, { fromMs, toMs, stepMs }: MetricGrid, options: NewRelicOptions): MetricsAsk {
  const { bucketMs, reachMs } = bucketsOf(options, { fromMs, toMs, stepMs });
  const endMs = Math.floor(toMs / 1_000) * 1_000;
  const count = Math.min(MOST_BUCKETS, Math.ceil((endMs - fromMs + reachMs) / bucketMs) || 1);
  const times = `SINCE ${endMs - count * bucketMs} UNTIL ${endMs} TIMESERIES ${bucketMs / 1_000} seconds`;
  const variables = {
    account: options.accountId,
    nrql: `${text}\n${times}`,
    timeout: Math.min(120, Math.max(5, Math.ceil(options.timeoutMs / 1_000))),
  };
  return {
    method: 'POST',
    url: options.url,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: GRAPHQL, variables }),
  };
}
