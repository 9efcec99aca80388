import { Onsets } from './onsets.ts';
import { Standing } from './standing.ts';

/** Ratios between canary and baseline that are looked for, and their shares. */
export const RATIOS = [
  [1.25, 0.2],
  [1.5, 0.2],
  [2, 0.2],
  [3, 0.2],
  [5, 0.1],
  [10, 0.1],
] as const;

/** By ratio: ln of how much more likely what was counted is with it. */
type Sums = readonly number[];
const NOTHING: Sums = RATIOS.map(() => 0);

/** A sequential test of how many times as much there is on the canary: a mixture of ratios, and of when they began. */
export abstract class RatioTest extends Standing {
  readonly #onsets = new Onsets(NOTHING);
  #sums = NOTHING;

  /** The next step. `gain`: ln of how much more likely what was counted in it is with a ratio; without it the step proves nothing. */
  protected step(gain?: (ratio: number) => number): void {
    this.#onsets.step(this.#sums);
    if (!gain) return;
    this.#sums = RATIOS.map(([ratio], index) => (this.#sums[index] ?? 0) + gain(ratio));
    const { evidence, after } = this.#onsets.evidence((since) =>
      RATIOS.reduce(
        (sum, [, part], index) => sum + part * Math.exp((this.#sums[index] ?? 0) - (since[index] ?? 0)),
        0,
      ),
    );
    this.stands(evidence, after);
  }
}
