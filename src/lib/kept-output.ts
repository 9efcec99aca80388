import { createMask } from './mask.ts';

export type KeptOutputOptions = {
  readonly limitBytes: number;
  readonly secrets: readonly string[];
  readonly fromOffset: number;
  readonly onOutput: (chunk: KeptChunk) => Promise<void>;
};

/** A piece of the kept stream; `offset` counts its bytes. */
export type KeptChunk = { readonly offset: number; readonly data: Uint8Array };

/** Bytes of the raw output, on the host: `[start, start + count)`. */
export type RawRange = { readonly start: number; readonly count: number };

/** How much of an output is kept from its start and from its end. */
export function keptParts(limitBytes: number): { headBytes: number; tailBytes: number } {
  const headBytes = Math.floor(limitBytes / 2);
  return { headBytes, tailBytes: limitBytes - headBytes };
}

/**
 * Turns the raw output of a task, given once and in order, into the kept stream of the port: masked, capped, from an offset.
 * With secrets the offset of the caller says nothing about the raw bytes, so reading starts again at 0 and what the caller
 * holds is skipped: at most the limit is read twice, and nothing has to be stored to get it exact.
 */
export class KeptOutput {
  readonly #options: KeptOutputOptions;
  readonly #mask: ReturnType<typeof createMask>;
  readonly #headBytes: number;
  readonly #tailBytes: number;
  /** The next raw byte that is wanted. */
  #next: number;
  /** Where the kept stream stands. */
  #offset: number;
  #dropped = false;
  #waiters: { readonly at: number; readonly resolve: () => void }[] = [];

  constructor(options: KeptOutputOptions) {
    const { headBytes, tailBytes } = keptParts(options.limitBytes);
    const start = options.secrets.length > 0 ? 0 : Math.min(options.fromOffset, headBytes);
    this.#options = options;
    this.#mask = createMask(options.secrets);
    this.#headBytes = headBytes;
    this.#tailBytes = tailBytes;
    this.#next = start;
    this.#offset = start;
  }

  get next(): number {
    return this.#next;
  }

  /** While the size is not known only the head can be passed on: what follows it may be dropped. */
  get headIsFull(): boolean {
    return this.#next >= this.#headBytes;
  }

  /** Raw bytes from `next` on, while the task runs; what goes beyond the head is left for `remaining`. */
  async pushHead(bytes: Uint8Array): Promise<void> {
    await this.push(bytes.subarray(0, Math.max(0, this.#headBytes - this.#next)));
  }

  /** Raw bytes from `next` on. */
  async push(bytes: Uint8Array): Promise<void> {
    this.#next += bytes.length;
    await this.#emit(this.#mask.write(bytes));
    for (const waiter of this.#waiters) if (this.#next >= waiter.at) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => this.#next < waiter.at);
  }

  /** Resolves when raw byte `at` is the next one. */
  reaches(at: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#next >= at) resolve();
      else this.#waiters.push({ at, resolve });
    });
  }

  /** How many raw bytes of the head an output of this size has. */
  headOf(size: number): number {
    return Math.min(size, this.#headBytes);
  }

  droppedOf(size: number): number {
    return Math.max(0, size - this.#options.limitBytes);
  }

  /** What is still to be read, once the task has ended with `size` raw bytes; `undefined` when all was. */
  async remaining(size: number): Promise<RawRange | undefined> {
    const dropped = this.droppedOf(size);
    if (dropped > 0 && !this.#dropped) {
      if (this.#next < this.#headBytes) return { start: this.#next, count: this.#headBytes - this.#next };
      await this.#drop(dropped);
      this.#next = size - this.#tailBytes;
    }
    return this.#next < size ? { start: this.#next, count: size - this.#next } : undefined;
  }

  /** As `remaining`, for an output whose end nobody knows: what follows the head may grow, so it has no place yet. */
  remainingOfHead(size: number): RawRange | undefined {
    const count = this.headOf(size) - this.#next;
    return count > 0 ? { start: this.#next, count } : undefined;
  }

  /** All was given: passes on what was held back. */
  async end(): Promise<void> {
    await this.#emit(this.#mask.end());
  }

  async #drop(count: number): Promise<void> {
    this.#dropped = true;
    await this.#emit(this.#mask.gap());
    await this.#emit(Buffer.from(`\n[edge: ${count} bytes of output were not kept]\n`));
  }

  async #emit(data: Uint8Array): Promise<void> {
    const held = Math.min(data.length, Math.max(0, this.#options.fromOffset - this.#offset));
    const offset = this.#offset + held;
    this.#offset += data.length;
    if (held < data.length) await this.#options.onOutput({ offset, data: data.subarray(held) });
  }
}
