import type { MetricGrid } from '../../domain/metrics.ts';
import {
  type MetricsAddress,
  type MetricsAsk,
  type MetricsParts,
  metricsOver,
} from '../../outbound/ask-metrics.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import { parseReply } from './reply.ts';

/**
 * `url`: what `/api/v1/query_range` comes behind, such as `https://prometheus.example.net` or `https://mimir.example.net/prometheus`.
 * `delayMs`: longer than a scrape takes, with what lies between, such as remote write.
 */
export type PrometheusOptions = MetricsAddress;

/**
 * Prometheus, and what speaks as it does (wire facts: INTEGRATIONS.md 7). For times to come it would give the last value that it has, for
 * 5 minutes (`--query.lookback-delta`), as it does where scrapes are missing; so nobody asks it for them.
 */
export const createPrometheusMetrics = (options: PrometheusOptions, parts: MetricsParts): MetricsSource =>
  metricsOver(options, { ask: (text, part) => askFor(text, part, options), read: parseReply }, parts);

/** A form by POST, since queries may be longer than an address. The server gives up when we do. */
function askFor(
  text: string,
  { fromMs, toMs, stepMs }: MetricGrid,
  { url, timeoutMs }: PrometheusOptions,
): MetricsAsk {
  const form = {
    query: text,
    start: inSeconds(fromMs),
    end: inSeconds(toMs),
    step: inSeconds(stepMs),
    timeout: `${timeoutMs}ms`,
  };
  return {
    method: 'POST',
    url: `${url.replace(/\/$/, '')}/api/v1/query_range`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  };
}

const inSeconds = (ms: number): string => (ms / 1_000).toFixed(3);
