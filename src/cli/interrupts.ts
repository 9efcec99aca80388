/** Ctrl-C as this command sees it: whoever listens decides, else the command ends. */
export const INTERRUPTED = 130;

export class Interrupts {
  /** Resolves with the exit status when an interrupt came and nobody listened. */
  readonly left: Promise<number>;
  readonly #leave: (status: number) => void;
  readonly #subscribe: (listener: () => void) => () => void;
  #stop: (() => void) | undefined;
  #listener: (() => void) | undefined;

  constructor(subscribe: (listener: () => void) => () => void) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.left = promise;
    this.#leave = resolve;
    this.#subscribe = subscribe;
  }

  /** From now on interrupts do not end the process at once: there is something to close first. */
  start(): void {
    this.#stop ??= this.#subscribe(() => (this.#listener ?? (() => this.#leave(INTERRUPTED)))());
  }

  /** Gives the interrupts to the listener until the answer is called. */
  listen(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}
