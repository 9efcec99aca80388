import type { Bell } from '../ports/bell.ts';
import type { Draw } from './draw.ts';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';
import type { Cancel, Schedule } from './schedule.ts';

type Listener = {
  readonly life: Life;
  readonly waiting: Map<string, Set<() => void>>;
  readonly missed: Set<string>;
  /** Topics that are on their way to it. */
  readonly coming: Set<string>;
};

export type BellParts = {
  readonly schedule: Schedule;
  readonly faults: Faults;
  readonly draw: Draw;
  /** Rings of one topic that come soon after each other are heard as one. */
  readonly mergesWithinMs?: number;
};

/** The queue: rings reach every process, some late, some twice, some never. */
export class SimBell {
  readonly #parts: BellParts;
  #listeners: Listener[] = [];

  constructor(parts: BellParts) {
    this.#parts = parts;
  }

  ring(topic: string): void {
    this.#listeners = this.#listeners.filter(({ life }) => life.isAlive);
    const { mergesWithinMs } = this.#parts;
    for (const listener of this.#listeners)
      if (mergesWithinMs === undefined) this.#send(listener, topic);
      else this.#merge(listener, topic, mergesWithinMs);
  }

  #send(listener: Listener, topic: string): void {
    const { schedule, faults, draw } = this.#parts;
    if (faults.strikes('bell.lost')) return;
    const times = faults.strikes('bell.twice') ? 2 : 1;
    for (let n = 0; n < times; n += 1) {
      const ms = faults.strikes('bell.late') ? draw.skewed(100, 60_000) : draw.int(0, 3);
      schedule.after(ms, () => arrive(listener, topic));
    }
  }

  #merge(listener: Listener, topic: string, ms: number): void {
    if (listener.coming.has(topic)) return;
    listener.coming.add(topic);
    this.#parts.schedule.after(ms, () => {
      listener.coming.delete(topic);
      arrive(listener, topic);
    });
  }

  /** The bell as a process hears it: a ring that nobody waits for is kept for the next who does. */
  of(life: Life): Bell {
    const listener: Listener = { life, waiting: new Map(), missed: new Set(), coming: new Set() };
    this.#listeners.push(listener);
    return {
      ring: (topic) => this.ring(topic),
      wait: (topic, timeoutMs, signal) => waitFor(listener, topic, { timeoutMs, signal }),
    };
  }
}

function arrive({ life, waiting, missed }: Listener, topic: string): void {
  if (!life.isAlive) return;
  const waiters = waiting.get(topic);
  if (!waiters || waiters.size === 0) missed.add(topic);
  else for (const wake of [...waiters]) wake();
}

type Wait = { readonly timeoutMs: number; readonly signal: AbortSignal };

function waitFor(
  { life, waiting, missed }: Listener,
  topic: string,
  { timeoutMs, signal }: Wait,
): Promise<void> {
  return new Promise((resolve) => {
    if (!life.isAlive) return;
    const waiters = waiting.get(topic) ?? new Set();
    waiting.set(topic, waiters);
    let isOver = false;
    let cancel: Cancel = () => undefined;
    const wake = (): void => {
      if (isOver) return;
      isOver = true;
      waiters.delete(wake);
      cancel();
      signal.removeEventListener('abort', wake);
      life.later(0, resolve);
    };
    if (signal.aborted || missed.delete(topic)) return wake();
    cancel = life.later(timeoutMs, wake);
    signal.addEventListener('abort', wake);
    waiters.add(wake);
  });
}
