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
 * `url`: that of the site, such as `https://api.datadoghq.eu`. The keys are an API key, and an application key with the permission
 * `timeseries_query`. `delayMs`: what Datadog takes to gather, which is a minute or so.
 */
export type DatadogOptions = Omit<MetricsAddress, 'credentials' | 'secretHeaders'> & {
  readonly apiKey: SecretRef;
  readonly applicationKey: SecretRef;
  /** Of the buckets of its queries, as `.rollup` has them; left out: one step of the grid. */
  readonly bucketMs?: number;
  /** A bucket is the value of points that are later than its end by less than this; left out: one step, or one bucket where that is longer. */
  readonly reachMs?: number;
};

/** It gives 1,500 points of a series at most, and makes longer buckets where there would be more (docs.datadoghq.com/dashboards/functions/rollup). */
const MOST_BUCKETS = 1_000;

/**
 * Datadog, by `GET /api/v1/query` (wire facts: INTEGRATIONS.md 7). A query is asked in pieces that are short enough for its buckets: for a longer
 * time Datadog would make longer ones. A query without `.rollup` has those that Datadog chooses, 20 s for an hour and a minute for four.
 */
export function createDatadogMetrics(options: DatadogOptions, parts: MetricsParts): MetricsSource {
  const { apiKey, applicationKey, ...address } = options;
  const secretHeaders = { 'dd-api-key': apiKey, 'dd-application-key': applicationKey };
  const ask = (text: string, piece: MetricGrid): MetricsAsk => askFor(text, piece, options);
  const pieces = (part: MetricGrid): readonly MetricGrid[] => {
    const { bucketMs, reachMs } = bucketsOf(options, part);
    const spanMs = MOST_BUCKETS * bucketMs - reachMs;
    return piecesOf(part, Math.max(1, 1 + Math.floor(spanMs / part.stepMs)));
  };
  const read = (bodies: readonly unknown[], grid: MetricGrid, completeToMs: number) =>
    parseReply(bodies, grid, { completeToMs, reachMs: options.reachMs ?? grid.stepMs });
  return metricsInPieces({ ...address, secretHeaders }, { ask, pieces, read, faultIn }, parts);
}

function bucketsOf({ bucketMs, reachMs }: DatadogOptions, { stepMs }: MetricGrid) {
  const lengthMs = bucketMs ?? Math.max(1_000, stepMs);
  return { bucketMs: lengthMs, reachMs: reachMs ?? Math.max(stepMs, lengthMs) };
}

function askFor(text: string, piece: MetricGrid, options: DatadogOptions): MetricsAsk {
  const { bucketMs, reachMs } = bucketsOf(options, piece);
  const words = {
    from: String(Math.floor((piece.fromMs - reachMs - bucketMs) / 1_000)),
    to: String(Math.ceil(piece.toMs / 1_000)),
    query: text,
  };
  const url = `${options.url.replace(/\/$/, '')}/api/v1/query?${new URLSearchParams(words)}`;
  return { method: 'GET', url };
}
