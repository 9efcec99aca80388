import type { Counted } from './counts.ts';
import { type LatencyStep, slowerOf } from './histograms.ts';
import { learnParts, PartTest } from './parts.ts';
import { Standing } from './standing.ts';

export type LatencyOptions = {
  /** The most that may be wrong, however often it is looked at. */
  readonly alpha: number;
  /** A rise of the odds of a slow request of which nobody needs to hear: 0.05 is 5 %. */
  readonly tolerance: number;
};

/** Of how many blocks of history, in which some requests were slower and some not, more can be told than of those below. */
const LEAST_BLOCKS = 10;
/**
 * A sequential test of durations: whether requests take longer on the canary, in the middle or in the tail (CANARY.md section 3.3, B2).
 * For each bound it tests how many requests took longer; an average of what these tests say is such evidence too, however much they
 * have in common. The higher a bound, the fewer requests tell of it, and the more it counts: the first once, the second twice. Whatever both
 * sides share cancels, such as load and time of day. A step costs the same at any time.
 */
export class LatencyTest extends Standing {
  readonly #bounds: readonly number[];
  readonly #tests: readonly PartTest[];

  /**
   * `bounds`: ascending, in any unit, and fixed before the canary. `history`: steps in which both sides ran the same, which tell how much
   * requests share the fate of their step; without it they are taken for independent.
   */
  constructor(bounds: readonly number[], history: readonly LatencyStep[], options: LatencyOptions) {
    super(options.alpha);
    this.#bounds = bounds;
    const { alpha, tolerance } = options;
    this.#tests = knownOf(bounds, history).map(
      (known) => new PartTest({ alpha, tolerated: 1 + tolerance, ...known }),
    );
  }

  /** The next step; one without requests on both sides, or with a count that is none, proves nothing. */
  add(step: LatencyStep): void {
    const counted = countedOf(step, this.#bounds);
    for (const [index, running] of this.#tests.entries()) running.add(counted[index] ?? NOTHING);
    const count = this.#tests.length;
    if (count === 0) return;
    const shared = this.#tests.reduce((sum, { evidence }, index) => sum + (index + 1) * evidence, 0);
    const strongest = this.#tests.reduce((most, test) => (test.evidence > most.evidence ? test : most));
    this.stands(shared / ((count * (count + 1)) / 2), strongest.since);
  }

  /** The bound above which the canary has too many requests, most surely; `undefined` where nothing speaks for it. */
  get slowerThan(): number | undefined {
    const most = Math.max(...this.#tests.map(({ evidence }) => evidence));
    return most > 1 ? this.#bounds[this.#tests.findIndex(({ evidence }) => evidence === most)] : undefined;
  }
}

const NOTHING: Counted = { canary: 0, baseline: 0, canaryExposure: 0, baselineExposure: 0 };

/** For each bound the requests that took longer, of all. */
function countedOf(step: LatencyStep, bounds: readonly number[]): readonly Counted[] {
  const [canary, baseline] = [slowerOf(step.canary, bounds), slowerOf(step.baseline, bounds)];
  if (!canary || !baseline) return [];
  return bounds.map((_, index) => ({
    canary: canary.than[index] ?? 0,
    baseline: baseline.than[index] ?? 0,
    canaryExposure: canary.all,
    baselineExposure: baseline.all,
  }));
}

type Known = { readonly usual: number; readonly dispersion: number };

/**
 * For each bound. One beyond which history has next to nothing is of use: whatever comes there is new. How much requests share their
 * fate there is taken from the bound below. Where they clearly do at one bound, they may at the next.
 */
function knownOf(bounds: readonly number[], history: readonly LatencyStep[]): readonly Known[] {
  const counted = history.map((step) => countedOf(step, bounds));
  let below: Known = { usual: 1, dispersion: 1 };
  return bounds.map((_, index) => {
    const steps = counted.map((step) => step[index] ?? NOTHING);
    const { blocks, ...known } = learnParts(steps, below.dispersion > 1);
    if (blocks >= LEAST_BLOCKS) below = known;
    return below;
  });
}
