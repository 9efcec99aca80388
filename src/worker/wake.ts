import type { Clock } from '../ports/clock.ts';

/** A pause that can be cut short: `wake` ends the present `pause`, or makes the next one end at once. */
export class Wake {
  #woken = false;
  #cut: AbortController | undefined;

  wake(): void {
    this.#woken = true;
    this.#cut?.abort();
  }

  /** Resolves after `ms`, at `wake`, or when the signal is aborted. */
  async pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      this.#cut = new AbortController();
      await clock.sleep(ms, AbortSignal.any([signal, this.#cut.signal])).catch(() => undefined);
    }
    this.#woken = false;
    this.#cut = undefined;
  }
}
