import type { Outcome } from '../../domain/outcome.ts';
import type { Json } from '../../lib/json.ts';
import type { ActionContext } from '../../ports/action.ts';

/**
 * The pauses between looks. The first come quickly, since most waits are short; after three seconds the wait is the board's and
 * holds no worker. A drain has pauses in which a request that is on its way can arrive; who waits for a monitor only wants to
 * hear of it soon, and those who look at one pool at once share a look.
 */
export const PAUSES_MS = {
  drain: [50, 100, 200, 300, 400, 500, 500, 500, 500],
  up: [50, 100, 100, 100, 150, 150, 200, 250, 400, 500, 500, 500],
} as const;
const YIELD_MS = 2_000;

/** Waits for the next look: by itself, or by returning what the action is to return. `looks`: how many there were. */
export async function pauseBeforeLook(
  context: ActionContext,
  state: { readonly looks: number } & { readonly [field: string]: Json },
  { pausesMs, seen }: { readonly pausesMs: readonly number[]; readonly seen: string },
): Promise<Outcome | undefined> {
  const shortMs = pausesMs[state.looks - 1];
  if (shortMs === undefined) {
    return { kind: 'wait', checkpoint: state, wakeAfterMs: YIELD_MS, progress: seen };
  }
  context.progress(seen);
  await context.ports.clock.sleep(shortMs, context.signal);
  return undefined;
}
