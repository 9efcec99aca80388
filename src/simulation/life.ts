import type { Clock } from '../ports/clock.ts';
import type { Cancel, Schedule } from './schedule.ts';

/** Virtual time begins here: 2026-01-01T00:00Z, ms since the epoch. */
export const EPOCH_MS = 1_767_225_600_000;

/**
 * One incarnation of a simulated process, from its start to its crash. Whatever was to be told to it after its death is told
 * to nobody: its promises never settle. While it is paused everything waits, and time goes on.
 */
export class Life {
  readonly name: string;
  readonly #schedule: Schedule;
  #isAlive = true;
  #pausedUntilMs = 0;
  /** Told once. */
  onDeath: () => void = () => undefined;
  /** It died on a machine that goes on, which has closed its connections. */
  hasHungUp = false;
  /** How far its wall clock is off. */
  skewMs = 0;

  constructor(name: string, schedule: Schedule) {
    this.name = name;
    this.#schedule = schedule;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }
  get isPaused(): boolean {
    return this.#pausedUntilMs > this.#schedule.nowMs;
  }
  get pausedUntilMs(): number {
    return this.#pausedUntilMs;
  }

  /** As kill -9 does: nothing more happens in it. */
  crash(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.onDeath();
  }

  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#schedule.nowMs + ms);
  }

  /** Runs in the process `ms` from now, later if it is paused then, never if it is dead. */
  later(ms: number, run: () => void): Cancel {
    let cancel: Cancel = () => undefined;
    const arrive = (): void => {
      if (!this.#isAlive) return;
      const wait = this.#pausedUntilMs - this.#schedule.nowMs;
      if (wait > 0) cancel = this.#schedule.after(wait, arrive);
      else run();
    };
    cancel = this.#schedule.after(ms, arrive);
    return () => cancel();
  }

  /** Calls back into the process, such as a chunk of output that has arrived. */
  enter<T>(call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => this.later(0, () => void call().then(resolve, reject)));
  }

  get clock(): Clock {
    return {
      now: () => EPOCH_MS + this.#schedule.nowMs + this.skewMs,
      monotonicMs: () => this.#schedule.nowMs,
      sleep: (ms, signal) => sleep((wait, run) => this.later(wait, run), ms, signal),
    };
  }
}

/** Time as the world itself has it: what goes on outside of Edge's processes. */
export function worldClock(schedule: Schedule): Clock {
  return {
    now: () => EPOCH_MS + schedule.nowMs,
    monotonicMs: () => schedule.nowMs,
    sleep: (ms, signal) => sleep((wait, run) => schedule.after(wait, run), ms, signal),
  };
}

type Later = (ms: number, run: () => void) => Cancel;

function sleep(later: Later, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = later(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
