import type { Clock } from '../../ports/clock.ts';

type Sleeper = { readonly at: number; readonly order: number; readonly wake: () => void };

/** Turns of the event loop that are given to what was woken, before time goes on. */
const TURNS = 8;

/** Time that stands still until it is told to go on; sleepers wake in the order of their times. */
export class MemoryClock implements Clock {
  readonly #epochMs: number;
  #nowMs = 0;
  #order = 0;
  #sleepers: Sleeper[] = [];

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = (): void => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason);
      };
      const wake = (): void => {
        leave();
        resolve();
      };
      const sleeper = { at: this.#nowMs + Math.max(0, ms), order: this.#order, wake };
      this.#order += 1;
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets this much time pass, and all that happens in it. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#nowMs = Math.max(this.#nowMs, next.at);
      next.wake();
      await this.settle();
    }
    this.#nowMs = end;
  }

  /** Lets time pass until the promise is settled; at most `limitMs`. */
  async until<T>(promise: Promise<T>, limitMs = 24 * 3_600_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    const end = this.#nowMs + limitMs;
    await this.settle();
    while (!settled) {
      const next = this.#next(end);
      if (!next) throw new Error(`not settled after ${limitMs} ms`);
      this.#nowMs = Math.max(this.#nowMs, next.at);
      next.wake();
      await this.settle();
    }
    return promise;
  }

  /** Lets all that can run without time passing run. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  #next(end: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const one of this.#sleepers) {
      if (one.at > end) continue;
      if (!first || one.at < first.at || (one.at === first.at && one.order < first.order)) first = one;
    }
    return first;
  }
}
