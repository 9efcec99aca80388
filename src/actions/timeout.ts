import type { ActionContext } from '../ports/action.ts';

/**
 * Runs `work` with a signal that is aborted after `ms`; `timeout` when that ended it. Rejects as `work` does, and when the
 * task itself is ended.
 */
export async function withTimeout<T>(
  context: ActionContext,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | 'timeout'> {
  const over = new AbortController();
  const late = new AbortController();
  const timer = context.ports.clock.sleep(ms, over.signal).then(
    () => late.abort(),
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([context.signal, late.signal]));
  } catch (thrown) {
    if (late.signal.aborted && !context.signal.aborted) return 'timeout';
    throw thrown;
  } finally {
    over.abort();
    await timer;
  }
}
