import { asEdgeError } from '../domain/errors.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ActionHandler } from '../ports/action.ts';
import type { Clock } from '../ports/clock.ts';
import { isRetryable } from './batcher.ts';
import type { HeldTask } from './held-task.ts';

/** Waits between tries to end a task on a host that does not answer; after the last one it is unknown whether it runs. */
const CANCEL_AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 15_000] as const;

/** The worker stops in the middle of it: any other goes on, from what is on the board by then. */
type HandBack = { readonly kind: 'hand back' };

/**
 * Works on a task until there is something to report; `null` when there is nothing: the lease is lost, and whoever has it
 * now goes on from the checkpoint.
 */
export async function runTask(
  held: HeldTask,
  handler: ActionHandler,
  clock: Clock,
): Promise<Outcome | HandBack | null> {
  const outcome = await attempt(held, handler, clock);
  return held.isLost ? null : outcome;
}

async function attempt(
  held: HeldTask,
  handler: ActionHandler,
  clock: Clock,
): Promise<Outcome | HandBack | null> {
  if (held.claimed.quarantineMs > 0 && !handler.fences) return quarantined(held);
  if (held.cancelAsked) return endTask(held, handler, clock);
  try {
    const outcome = await handler.apply(held.run());
    return outcome.kind === 'wait' && held.cancelAsked ? endTask(held, handler, clock) : outcome;
  } catch (thrown) {
    if (held.isLost) return null;
    if (held.cancelAsked) return endTask(held, handler, clock);
    if (held.ended === 'stopping') return { kind: 'hand back' };
    return { kind: 'unknown', seen: `The action broke: ${asEdgeError(thrown).message}` };
  }
}

/**
 * An owner went silent and may still have a write on its way to a system that cannot refuse it (M6). The wait belongs to
 * the board: it needs no lease, and outlives this worker.
 */
function quarantined(held: HeldTask): Outcome {
  return {
    kind: 'wait',
    checkpoint: held.checkpoint,
    wakeAfterMs: held.claimed.quarantineMs,
    progress: 'waits until nothing of a worker that went silent can arrive any more',
  };
}

/**
 * What to report once all output is on the board: a checkpoint that was taken before would have the next owner read the last
 * of it again.
 */
export function reported(outcome: Outcome | HandBack, held: HeldTask): Outcome {
  if (outcome.kind === 'hand back') return handedBack(held);
  if (outcome.kind !== 'wait' || outcome.progress !== undefined || held.progress === undefined)
    return outcome;
  return { ...outcome, progress: held.progress };
}

/** Any other goes on at once, from the checkpoint. */
function handedBack(held: HeldTask): Outcome {
  return { kind: 'wait', checkpoint: held.checkpoint, wakeAfterMs: 0, progress: 'its worker stopped' };
}

/** Ends the task and says so only with proof; without it, what still runs is unknown. */
async function endTask(held: HeldTask, handler: ActionHandler, clock: Clock): Promise<Outcome | null> {
  let seen = 'nothing is known';
  for (const pauseMs of [0, ...CANCEL_AGAIN_MS]) {
    try {
      if (pauseMs > 0) await clock.sleep(pauseMs, held.lostSignal);
      const cancelled = await handler.cancel(held.run(true));
      if (cancelled.gone) return provenGone(cancelled.note);
      return { kind: 'unknown', seen: `It could not be ended: ${cancelled.seen}` };
    } catch (thrown) {
      if (held.isLost) return null;
      seen = asEdgeError(thrown).message;
      if (!isRetryable(thrown)) break;
    }
  }
  return { kind: 'unknown', seen: `It was to be ended, but whether it was is not known: ${seen}` };
}

function provenGone(note = 'nothing of it runs any more'): Outcome {
  return {
    kind: 'failed',
    error: { code: 'task_cancelled', message: `Cancelled: ${note}.`, cause: 'cancelled' },
    retryable: false,
  };
}
