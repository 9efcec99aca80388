import { type LatencyStep, type Slower, slowerOf } from './histograms.ts';
import { Standing } from './standing.ts';

/** Between which bounds a quantile lies: above the one, and up to the other; without one there is no bound that it surely is on that side of. */
export type QuantileInterval = { readonly above?: number; readonly upTo?: number };

/** A bound, and by how much larger a part of the baseline's requests than of the canary's took no longer. */
export type Gap = { readonly bound: number; readonly gap: number };

type Side = 'canary' | 'baseline';

/** Howard and Ramdas 2022, as in CANARY.md section 3.3, B1. */
const [WIDTH, LEVEL, CERTAIN] = [0.85, 0.8, 1612];

/** The most that ln(CERTAIN / alpha) is thought of: a smaller alpha no number has. */
const MOST = 700;

/**
 * Bands about the whole distribution of durations on each side, within which both lie at any time with probability 1 - alpha (CANARY.md
 * section 3.3, B1). Blunter than a test of latency, it explains one: which part of the requests became slower, and where each quantile
 * is. It takes the requests of a side for independent ones of one distribution. Its evidence is nothing but 1 / p: no likelihood ratio, and
 * not to be averaged with any.
 */
export class CdfBand extends Standing {
  readonly #bounds: readonly number[];
  readonly #alpha: number;
  #seen: Readonly<Record<Side, Slower>>;

  /** `bounds`: ascending, in any unit. */
  constructor(bounds: readonly number[], { alpha }: { readonly alpha: number }) {
    super(alpha);
    this.#bounds = bounds;
    this.#alpha = alpha;
    const nothing = { all: 0, than: bounds.map(() => 0) };
    this.#seen = { canary: nothing, baseline: nothing };
  }

  /** The next step; one without requests on both sides, or with a count that is none, proves nothing. */
  add(step: LatencyStep): void {
    const [canary, baseline] = [slowerOf(step.canary, this.#bounds), slowerOf(step.baseline, this.#bounds)];
    if (!canary || !baseline) return;
    this.#seen = { canary: sum(this.#seen.canary, canary), baseline: sum(this.#seen.baseline, baseline) };
    this.stands(1 / leastAlpha(this.widest?.gap ?? 0, this.#seen.canary.all, this.#seen.baseline.all), 0);
  }

  /** Where the canary is slower by the most; `undefined` where it is so at no bound. */
  get widest(): Gap | undefined {
    const gaps = this.#bounds.map((bound, index) => ({ bound, gap: this.#gapAt(index) }));
    const widest = Math.max(...gaps.map(({ gap }) => gap));
    return widest > 0 ? gaps.find(({ gap }) => gap === widest) : undefined;
  }

  /** Of the part of requests, 0.99 for one: where their longest duration lies, on that side. */
  quantile(side: Side, part: number): QuantileInterval {
    const { all, than } = this.#seen[side];
    if (all === 0) return {};
    const width = widthOf(all, Math.log((2 * CERTAIN) / this.#alpha));
    const upTo = than.map((slower) => 1 - slower / all);
    const above = this.#bounds.findLast((_, index) => (upTo[index] ?? 0) + width < part);
    const most = this.#bounds.find((_, index) => (upTo[index] ?? 0) - width >= part);
    return { ...(above !== undefined && { above }), ...(most !== undefined && { upTo: most }) };
  }

  #gapAt(index: number): number {
    const part = ({ all, than }: Slower) => (than[index] ?? 0) / all;
    return part(this.#seen.canary) - part(this.#seen.baseline);
  }
}

const sum = ({ all, than }: Slower, more: Slower): Slower => ({
  all: all + more.all,
  than: than.map((slower, index) => slower + (more.than[index] ?? 0)),
});

/** Of a band to each side, about the distribution of so many requests. */
const widthOf = (all: number, certainty: number): number =>
  WIDTH * Math.sqrt((Math.log(Math.log(Math.E * all)) + LEVEL * certainty) / all);

/** The least alpha, half of it for each side, whose bands a gap is wider than: found by halving, for the wider band is the surer one. */
function leastAlpha(gap: number, canary: number, baseline: number): number {
  let [low, high] = [0, MOST];
  for (let halving = 0; halving < 60; halving += 1) {
    const middle = (low + high) / 2;
    if (gap > widthOf(canary, middle) + widthOf(baseline, middle)) low = middle;
    else high = middle;
  }
  return Math.min(1, 2 * CERTAIN * Math.exp(-low));
}
