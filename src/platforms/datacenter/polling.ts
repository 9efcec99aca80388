import type { Outcome } from '../../domain/outcome.ts';
import type { Json } from '../../lib/json.ts';
import type { ActionContext } from '../../ports/action.ts';

/**
 * The first looks come quickly, since most waits are short, and those who look at one pool at once share a look; after three seconds
 * the wait is the board's and holds no worker.
 */
const SHORT_MS = [50, 100, 100, 100, 150, 150, 200, 250, 400, 500, 500, 500] as const;
const YIELD_MS = 2_000;

/** Waits for the next look: by itself, or by returning what the action is to return. `looks`: how many there were. */
export async function pauseBeforeLook(
  context: ActionContext,
  state: { readonly looks: number } & { readonly [field: string]: Json },
  seen: string,
): Promise<Outcome | undefined> {
  const shortMs = SHORT_MS[state.looks - 1];
  if (shortMs === undefined) {
    return { kind: 'wait', checkpoint: state, wakeAfterMs: YIELD_MS, progress: seen };
  }
  context.progress(seen);
  await context.ports.clock.sleep(shortMs, context.signal);
  return undefined;
}
