import { asEdgeError, CATALOGUE, type EdgeError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

/** Waits between tries while the board does not answer; the last one repeats: a server that is back is found in a second. */
export const BACKOFF_MS = [200, 500, 1_000] as const;

export const backoffMs = (failures: number): number =>
  BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1] ?? BACKOFF_MS[0];

export const isRetryable = (thrown: unknown): boolean => CATALOGUE[asEdgeError(thrown).code].retryable;

type Waiting<Item, Result> = {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: EdgeError) => void;
};

type Settings<Item, Result> = {
  /** Sends a lot; gives the answer for each of its items. Must be idempotent: a lot whose answer was lost is sent again. */
  readonly send: (items: readonly Item[]) => Promise<(item: Item) => Result>;
  /** Two items of one key never share a lot, so that their order is kept. */
  readonly keyOf: (item: Item) => string;
  readonly max: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onFailure: (error: EdgeError) => void;
};

/**
 * Sends items of many tasks together, one lot at a time, in order, again and again until the board answers. An item that the
 * board refuses for good is refused alone: it does not hold up the others.
 */
export class Batcher<Item, Result> {
  readonly #settings: Settings<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #running = false;

  constructor(settings: Settings<Item, Result>) {
    this.#settings = settings;
  }

  add(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push({ item, resolve, reject });
    if (!this.#running) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // all that is added in this turn goes in one lot
    for (let lot = this.#take(); lot.length > 0; lot = this.#take()) await this.#deliver(lot);
    this.#running = false;
  }

  #take(): Waiting<Item, Result>[] {
    const keys = new Set<string>();
    let count = 0;
    for (const { item } of this.#waiting) {
      const key = this.#settings.keyOf(item);
      if (count === this.#settings.max || keys.has(key)) break;
      keys.add(key);
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #deliver(lot: readonly Waiting<Item, Result>[]): Promise<void> {
    const refused = await this.#send(lot);
    if (!refused) return;
    if (lot.length === 1) lot[0]?.reject(refused);
    else for (const one of lot) await this.#deliver([one]);
  }

  /** Resolves with the error if the board refused the lot for good. */
  async #send(lot: readonly Waiting<Item, Result>[]): Promise<EdgeError | undefined> {
    const { send, clock, signal, onFailure } = this.#settings;
    for (let failures = 1; ; failures += 1) {
      try {
        const answer = await send(lot.map(({ item }) => item));
        for (const { item, resolve } of lot) resolve(answer(item));
        return undefined;
      } catch (thrown) {
        const error = asEdgeError(thrown);
        onFailure(error);
        if (signal.aborted || !isRetryable(error)) return error;
        const slept = await clock.sleep(backoffMs(failures), signal).then(
          () => true,
          () => false,
        );
        if (!slept) return error;
      }
    }
  }
}
