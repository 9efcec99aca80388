import { z } from 'zod';
import { packedReading } from '../domain/packed-traffic.ts';
import type { DeepReadonly } from '../lib/types.ts';
import { canaryVerdict } from './canary-told.ts';

/** `metrics`: which of them, by their places in the analysis, stand in the log. Of so many `lines` there so many are `written`. */
const decided = z.strictObject({
  verdict: canaryVerdict,
  metrics: z.array(z.number()),
  lines: z.number(),
  written: z.number(),
});
export type Decided = z.infer<typeof decided>;

/** `toMs`: up to when it had told all at last; `misses`: how many looks have had nothing newer since. */
const heard = z.strictObject({ toMs: z.number(), misses: z.number() });
export type Heard = z.infer<typeof heard>;

/**
 * What balancers have counted: counters have no history, so what was counted between two looks is here or nowhere (docs/decisions/0034).
 * `steps`: of each so far, packed, with spaces between them. `last`: what was read then of each pool, and after how many steps.
 */
export const canaryTraffic = z.strictObject({
  steps: z.string(),
  last: z.strictObject({ step: z.number(), readings: z.array(packedReading) }).nullable(),
});
export type CanaryTraffic = DeepReadonly<z.infer<typeof canaryTraffic>>;

/** The checkpoint. `beganMs`: from when on the canary is judged. What was decided is noted before it is told, and stays. */
export const canaryState = z.strictObject({
  beganMs: z.number(),
  sources: z.record(z.string(), heard),
  traffic: canaryTraffic.exactOptional(),
  decided: decided.nullable(),
});
export type CanaryState = Omit<z.infer<typeof canaryState>, 'traffic'> & { readonly traffic?: CanaryTraffic };
