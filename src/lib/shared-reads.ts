import { abortable } from './abortable.ts';

const NEVER = new AbortController().signal;

/** Reads under way, by what is read: those who ask for the same at once share one, and each waits for it as long as it wants. */
export class SharedReads<T> {
  readonly #under = new Map<string, Promise<T>>();
  readonly #next = new Map<string, Promise<T>>();

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

  /**
   * As `read`, and never one that was begun before this call: it follows the one under way, and all who ask meanwhile share it. For
   * who has just written.
   */
  readAnew(key: string, begin: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const known = this.#next.get(key);
    if (known) return abortable(known, signal);
    const under = this.#under.get(key);
    if (!under) return this.read(key, begin, signal);
    // One that somebody began meanwhile is older than those who ask just now.
    const follow = (): Promise<T> => {
      this.#next.delete(key);
      this.#under.delete(key);
      return this.read(key, begin, NEVER);
    };
    const next = under.then(follow, follow);
    this.#next.set(key, next);
    return abortable(next, signal);
  }

  /** After a write: what was begun before it is not shared with those who ask after it. */
  forget(): void {
    this.#under.clear();
  }
}
