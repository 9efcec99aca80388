import { z } from 'zod';
import { defineAction } from './define.ts';

export const waitSettleInputs = z.strictObject({ ms: z.int().min(0) });

/** Lets a target settle for `ms` before the next step. The wait is the board's: no worker is held. */
export const waitSettle = defineAction({
  name: 'wait.settle',
  major: 1,
  inputs: waitSettleInputs,
  outputs: z.strictObject({}),
  fences: true,
  async apply(context, { ms }) {
    if (ms === 0 || waited.safeParse(context.checkpoint).success) return { kind: 'done', outputs: {} };
    return {
      kind: 'wait',
      checkpoint: { waited: ms },
      wakeAfterMs: ms,
      progress: `settles for ${ms / 1_000} s`,
    };
  },
});

const waited = z.object({ waited: z.number() });
