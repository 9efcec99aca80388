/** Collects what comes from several sides until one reader takes it, a lot at a time. */
export class Mailbox<T> {
  #items: T[] = [];
  #filled = Promise.withResolvers<void>();
  #failure: { readonly reason: unknown } | undefined;

  put(item: T): void {
    this.#items.push(item);
    this.#filled.resolve();
  }

  /** The next `take` throws this, after all that came before it was taken. */
  fail(reason: unknown): void {
    this.#failure = { reason };
    this.#filled.resolve();
  }

  /** Resolves when there is something to take. */
  get filled(): Promise<void> {
    return this.#filled.promise;
  }

  /** All that came since the last time, in order. */
  take(): readonly T[] {
    const items = this.#items;
    if (items.length === 0 && this.#failure) throw this.#failure.reason;
    this.#items = [];
    if (!this.#failure) this.#filled = Promise.withResolvers();
    return items;
  }
}
