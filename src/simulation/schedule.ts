import type { Draw } from './draw.ts';
import { type Rest, whileTrapped } from './trap.ts';

type Entry = {
  readonly atMs: number;
  readonly tie: number;
  readonly order: number;
  run: (() => void) | null;
};
export type Cancel = () => void;

/**
 * All that will happen, in virtual time. One thing happens at a time: it runs, then every continuation that it woke, then
 * the next. What is due at one moment comes in an order that the seed decides.
 */
export class Schedule {
  readonly #heap: Entry[] = [];
  readonly #draw: Draw;
  readonly #rest: Rest;
  #nowMs = 0;
  #order = 0;
  /** How many things have happened. */
  events = 0;

  constructor(draw: Draw, rest: Rest = 'tick') {
    this.#draw = draw;
    this.#rest = rest;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): Cancel {
    const entry: Entry = {
      atMs: this.#nowMs + Math.max(0, Math.round(ms)),
      tie: this.#draw.next(),
      order: this.#order,
      run,
    };
    this.#order += 1;
    this.#push(entry);
    return () => {
      entry.run = null;
    };
  }

  /** Lets the next thing happen, with all that follows from it at once. `false`: there is nothing left. */
  async step(): Promise<boolean> {
    const entry = this.#pop();
    if (!entry) return false;
    this.#nowMs = entry.atMs;
    this.events += 1;
    await whileTrapped(() => entry.run?.(), this.#rest);
    return true;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    for (;;) {
      const first = this.#take();
      if (first === undefined || first.run !== null) return first;
    }
  }

  #take(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const one = heap[left];
      if (one === undefined) break;
      const other = heap[left + 1];
      const isOther = other !== undefined && isBefore(other, one);
      const child = isOther ? other : one;
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = isOther ? left + 1 : left;
    }
    heap[at] = last;
    return first;
  }
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.atMs !== b.atMs ? a.atMs < b.atMs : a.tie !== b.tie ? a.tie < b.tie : a.order < b.order;
