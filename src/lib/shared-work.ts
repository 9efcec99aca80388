import { abortable } from './abortable.ts';

type Under<T> = { readonly result: Promise<T>; readonly end: AbortController; waiting: number };

/**
 * Work under way, by what it makes: those who want the same at once share it, and it is ended once nobody waits for it any more. What
 * is asked for after that begins anew when that has ended, so that never two of one kind run.
 */
export class SharedWork<T> {
  readonly #under = new Map<string, Under<T>>();
  readonly #last = new Map<string, Promise<unknown>>();

  async join(key: string, begin: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const under = this.#under.get(key) ?? this.#begin(key, begin);
    under.waiting += 1;
    try {
      return await abortable(under.result, signal);
    } finally {
      under.waiting -= 1;
      if (under.waiting === 0) this.#end(key, under);
    }
  }

  #begin(key: string, begin: (signal: AbortSignal) => Promise<T>): Under<T> {
    const end = new AbortController();
    const result = (this.#last.get(key) ?? Promise.resolve()).then(() => begin(end.signal));
    const under: Under<T> = { result, end, waiting: 0 };
    this.#under.set(key, under);
    const last: Promise<void> = result.then(
      () => this.#forget(key, under, last),
      () => this.#forget(key, under, last),
    );
    this.#last.set(key, last);
    return under;
  }

  #end(key: string, under: Under<T>): void {
    if (this.#under.get(key) === under) this.#under.delete(key);
    under.end.abort(new Error('nobody waits for it any more'));
  }

  #forget(key: string, under: Under<T>, last: Promise<unknown>): void {
    if (this.#under.get(key) === under) this.#under.delete(key);
    if (this.#last.get(key) === last) this.#last.delete(key);
  }
}
