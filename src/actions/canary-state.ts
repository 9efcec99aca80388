import { z } from 'zod';
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

/** The checkpoint. `beganMs`: from when on the canary is judged. What was decided is noted before it is told, and stays. */
export const canaryState = z.strictObject({
  beganMs: z.number(),
  sources: z.record(z.string(), heard),
  decided: decided.nullable(),
});
export type CanaryState = z.infer<typeof canaryState>;
