import { setTimeout as sleepTimer } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

/** The longest a timer of Node can run; more would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    signal.throwIfAborted();
    for (let left = ms; left > 0; left -= MAX_TIMER_MS) {
      await sleepTimer(Math.min(left, MAX_TIMER_MS), undefined, { signal }).catch(() =>
        signal.throwIfAborted(),
      );
    }
  },
};
