import { completePart, type MetricGrid, requireGrid } from '../../domain/metrics.ts';
import { type MetricsAddress, type MetricsAsk, metricsClient } from '../../outbound/ask-metrics.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { parseReply } from './reply.ts';

/** `url`: what `/api/v1/query_range` comes behind, such as `https://prometheus.example.net` or `https://mimir.example.net/prometheus`. */
export type PrometheusOptions = MetricsAddress & {
  /**
   * Only what is older is believed complete: longer than a scrape takes, with what the clocks differ and what lies between, such as remote
   * write.
   */
  readonly delayMs: number;
};

export type PrometheusParts = { readonly clock: Pick<Clock, 'now' | 'sleep'>; readonly secrets: Secrets };

/**
 * Prometheus, and what speaks as it does (wire facts: INTEGRATIONS.md 7). It is never asked for what is not complete yet: for times to come it
 * would give the last value that it has, for 5 minutes (`--query.lookback-delta`), as it does where scrapes are missing.
 */
export function createPrometheusMetrics(
  options: PrometheusOptions,
  { clock, secrets }: PrometheusParts,
): MetricsSource {
  const client = metricsClient(options, { secrets, sleep: (ms, signal) => clock.sleep(ms, signal) });
  return {
    query: async (query, signal) => {
      signal.throwIfAborted();
      requireGrid(query);
      const completeToMs = clock.now() - options.delayMs;
      const part = completePart(query, completeToMs);
      if (!part) return { kind: 'early', completeToMs };
      const body = await client.ask(askFor(query.text, part, options), signal);
      return parseReply(body, query, completeToMs);
    },
    close: () => client.close(),
  };
}

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
