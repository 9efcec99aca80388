import { abortable } from './abortable.ts';

/** Reads under way, by what is read: those who ask for the same at once share one, and each waits for it as long as it wants. */
export class SharedReads<T> {
  readonly #under = new Map<string, Promise<T>>();

  /** `begin` starts the read, which goes on whatever becomes of who asked first. */
  read(key: string, begin: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const known = this.#under.get(key);
    if (known) return abortable(known, signal);
    const reading = begin().finally(() => {
      if (this.#under.get(key) === reading) this.#under.delete(key);
    });
    this.#under.set(key, reading);
    return abortable(reading, signal);
  }

  /** After a write: what was begun before it is not shared with those who ask after it. */
  forget(): void {
    this.#under.clear();
  }
}
