import { MemoryClock } from '../../src/adapters/memory/clock.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** Time that goes on by itself, to the next sleeper as soon as all that can run without it has run. */
export function hastyClock(): Clock {
  const clock = new MemoryClock();
  const asleep = new Set<Promise<void>>();
  let isGoing = false;
  const go = async (): Promise<void> => {
    isGoing = true;
    while (asleep.size > 0) await clock.until(Promise.race(asleep));
    isGoing = false;
  };
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => {
      const sleeping = clock.sleep(ms, signal);
      const over: Promise<void> = sleeping.catch(() => undefined).then(() => void asleep.delete(over));
      asleep.add(over);
      if (!isGoing) void go();
      return sleeping;
    },
  };
}
