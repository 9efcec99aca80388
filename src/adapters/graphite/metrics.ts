import type { MetricGrid, MetricsQuery } from '../../domain/metrics.ts';
import {
  type MetricsAddress,
  type MetricsAsk,
  type MetricsParts,
  metricsOver,
} from '../../outbound/ask-metrics.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import { faultIn } from './fault.ts';
import { parseReply } from './reply.ts';

/**
 * `url`: what `/render` comes behind, such as `https://graphite.example.net`. `delayMs`: no less than the finest interval that is kept, since
 * Graphite sets a value at the beginning of its own.
 *
 * `reachMs`: a value is that of points that are later by less than this; left out: one step of the grid.
 */
export type GraphiteOptions = MetricsAddress & { readonly reachMs?: number };

/**
 * Graphite, and what speaks as it does (wire facts: INTEGRATIONS.md 7; graphite/render/views.py of 1.1.8). A query is one target. What it
 * cannot read to the end of a target it leaves out, and a path that it does not know is empty: neither is an error. It has no word for an
 * answer that is a part; `STORE_FAIL_ON_ERROR` makes an error of that.
 */
export function createGraphiteMetrics(options: GraphiteOptions, parts: MetricsParts): MetricsSource {
  const reachFor = ({ stepMs }: MetricGrid): number => options.reachMs ?? stepMs;
  const ask = (text: string, part: MetricGrid) => askFor(text, part, { ...options, reachMs: reachFor(part) });
  const read = (body: unknown, grid: MetricsQuery, completeToMs: number) =>
    parseReply(body, grid, { reachMs: reachFor(grid), completeToMs });
  return metricsOver(options, { ask, read, faultIn }, parts);
}

/**
 * Both are whole seconds, and `from` belongs to what is asked no more; an empty time is an error. Without `noCache` an answer may be a minute
 * old. Nothing limits the points: with `maxDataPoints` it would make others of them.
 */
function askFor(
  text: string,
  { fromMs, toMs }: MetricGrid,
  { url, reachMs }: { readonly url: string; readonly reachMs: number },
): MetricsAsk {
  const form = {
    target: text,
    from: inSeconds(fromMs - Math.max(reachMs, 1_000)),
    until: inSeconds(toMs),
    format: 'json',
    noCache: '1',
  };
  return {
    method: 'POST',
    url: `${url.replace(/\/$/, '')}/render`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  };
}

const inSeconds = (ms: number): string => String(Math.floor(ms / 1_000));
