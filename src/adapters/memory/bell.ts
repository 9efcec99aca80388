import type { Bell } from '../../ports/bell.ts';

/**
 * A doorbell within one process. A ring that nobody waits for is kept for the next who does: it may have come between
 * their last look and their wait.
 */
export function memoryBell(): Bell {
  const waiting = new Map<string, Set<() => void>>();
  const missed = new Set<string>();
  const waitersOf = (topic: string): Set<() => void> => {
    const waiters = waiting.get(topic) ?? new Set();
    waiting.set(topic, waiters);
    return waiters;
  };
  return {
    ring: (topic) => {
      const waiters = waitersOf(topic);
      if (waiters.size === 0) missed.add(topic);
      for (const wake of [...waiters]) wake();
    },
    wait: (topic, timeoutMs, signal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted || missed.delete(topic)) {
          resolve();
          return;
        }
        const waiters = waitersOf(topic);
        const wake = (): void => {
          waiters.delete(wake);
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake);
        waiters.add(wake);
      }),
  };
}
