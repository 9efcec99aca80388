import { cutBy } from '../lib/cut.ts';
import type { Clock } from '../ports/clock.ts';

/** A pause that can be cut short: `wake` ends the present `pause`, or makes the next one end at once. */
export class Wake {
  #woken = false;
  #cut: (() => void) | undefined;

  wake(): void {
    this.#woken = true;
    this.#cut?.();
  }

  /** Resolves after `ms`, at `wake`, or when the signal is aborted. */
  async pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      const until = cutBy(signal);
      this.#cut = until.cut;
      await clock.sleep(ms, until.signal).catch(() => undefined);
      until.cut();
    }
    this.#woken = false;
    this.#cut = undefined;
  }
}
