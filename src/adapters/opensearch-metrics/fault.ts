import * as z from 'zod';
import type { MetricsFault } from '../../outbound/ask-metrics.ts';

const Reason = z.object({ type: z.string(), reason: z.string().nullish() });
const WireFault = z.object({
  error: Reason.extend({ root_cause: z.array(Reason).default([]), caused_by: Reason.optional() }),
});

/**
 * What is wrong stands at its root where that is known, and else in what it was caused by. More buckets than a search may have is a 503 (400 with
 * Elasticsearch 8), and no better the next time.
 */
export function faultIn(body: string): MetricsFault | undefined {
  const error = WireFault.safeParse(json(body)).data?.error;
  if (!error) return undefined;
  const all = [...error.root_cause, ...(error.caused_by ? [error.caused_by] : []), error];
  const words = all.map(({ reason }) => reason ?? '').find((reason) => reason !== '') ?? error.type;
  const isTooMuch = all.some(({ type }) => type === 'too_many_buckets_exception');
  return { words, ...(isTooMuch && { code: 'metrics_limit' }) };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
