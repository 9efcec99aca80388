import { rootOf } from '../root.ts';
import { type Counted, isCounted } from './counts.ts';
import { RATIOS } from './ratios.ts';

/** `ratio`: of the canary's rate to the baseline's; `least` and `most`: between which it lies, whenever that is asked. */
export type Ratio = { readonly ratio: number; readonly least: number; readonly most: number };

type Sums = { readonly canary: number; readonly baseline: number };

/** Steps whose exposures stand in about one ratio are counted together: these are the places of a ratio in this many per e-fold. */
const PER_FOLD = 50;
const FARTHEST = 16;

/**
 * By how much events come more often on the canary, were it by the same all the time: all ratios that the sequential test of counts would
 * not refuse (CANARY.md section 3.2). It keeps sums only.
 */
export class CountedRatio {
  readonly #dispersion: number;
  readonly #sums = new Map<number, Sums>();
  #canary = 0;
  #baseline = 0;

  /** `dispersion`: how much more counts vary than those of independent events: at least 1. */
  constructor(dispersion: number) {
    this.#dispersion = dispersion;
  }

  add(counted: Counted): void {
    if (!isCounted(counted)) return;
    const { canary, baseline, canaryExposure, baselineExposure } = counted;
    const place = Math.round(PER_FOLD * Math.log(canaryExposure / baselineExposure));
    const before = this.#sums.get(place);
    this.#sums.set(place, {
      canary: (before?.canary ?? 0) + canary,
      baseline: (before?.baseline ?? 0) + baseline,
    });
    this.#canary += canary / canaryExposure;
    this.#baseline += baseline / baselineExposure;
  }

  /** `undefined` before the first event. `alpha`: the most that may be wrong. */
  ratio(alpha: number): Ratio | undefined {
    if (this.#canary + this.#baseline === 0) return undefined;
    const limit = Math.log(2 / alpha);
    const least = this.#border((at) => this.#evidence(at, 1) - limit);
    const most = this.#border((at) => limit - this.#evidence(at, -1));
    return {
      ratio: this.#canary / this.#baseline,
      least: Number.isFinite(least) ? Math.exp(least) : 0,
      most: Number.isFinite(most) ? Math.exp(most) : Number.POSITIVE_INFINITY,
    };
  }

  /** Where a function that falls is 0, in logarithms; infinite where it has one sign everywhere. */
  #border(f: (at: number) => number): number {
    if (f(-FARTHEST) <= 0) return Number.NEGATIVE_INFINITY;
    if (f(FARTHEST) >= 0) return Number.POSITIVE_INFINITY;
    return rootOf(f, { from: -FARTHEST, to: FARTHEST, tolerance: 1e-4, maxSteps: 200 });
  }

  /** ln of the evidence that ln of the ratio is beyond `at`, in this direction. */
  #evidence(at: number, direction: 1 | -1): number {
    const terms = RATIOS.map(([ratio, part]) => {
      return Math.log(part) + this.#gain(at, at + direction * Math.log(ratio)) / this.#dispersion;
    });
    const most = Math.max(...terms);
    return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
  }

  /** ln of how much more likely what was counted is with one ratio than with another. */
  #gain(without: number, withIt: number): number {
    let gain = 0;
    for (const [place, { canary, baseline }] of this.#sums) {
      const exposures = place / PER_FOLD;
      gain += canary * (logShare(withIt + exposures) - logShare(without + exposures));
      gain += baseline * (logShare(-withIt - exposures) - logShare(-without - exposures));
    }
    return gain;
  }
}

/** ln of e^x / (1 + e^x). */
const logShare = (x: number): number => (x > 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x)));
