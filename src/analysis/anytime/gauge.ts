import { logNormalCdf } from '../normal.ts';
import { clip, clipNews, type Learnt } from './learnt.ts';
import { type Evidence, Onsets } from './onsets.ts';
import { Standing } from './standing.ts';

export type GaugeOptions = {
  /** The most that may be wrong: an alarm without harm comes in this part of the canaries, however often they are looked at. */
  readonly alpha: number;
  /** A shift of which nobody needs to hear: 0.02 is 2 %. */
  readonly tolerance: number;
  /** How far servers of one version lie apart, where they have no history of their own to be centred by; else 0. As `tolerance`. */
  readonly fleetSpread: number;
  /** What a shift of 1 makes of the differences: 1 of logarithms. */
  readonly unit: number;
  /** From which shift on it is one. Left out: 0. */
  readonly from?: number;
};

/** `shift`: where the canary lies against before; `least` and `most`: between which it lies, whenever that is asked. */
export type Shift = { readonly shift: number; readonly least: number; readonly most: number };

/** Shifts that are looked for: of logarithms about 8, 20 and 50 %. */
const SHIFTS = [0.08, 0.2, 0.5] as const;
/**
 * What is tolerated counts as a part of what is not known of the centre, where it is less than this part of the scale; else it is taken off
 * the values. Against so much doubt as the scale itself, values that are each cut off at a few scales never suffice, and to take it off in
 * any case costs series with memory a minute or two (measured, docs/decisions/0030).
 */
const SMALL = 0.25;
type Sums = { readonly score: number; readonly weight: number };
const NOTHING: Sums = { score: 0, weight: 0 };

/** Of all values: where more are cut off on a side, the shift goes farther there than what is added up. */
const FEW = 0.1;

/**
 * A sequential test of one gauge: whether the canary lies higher than it did against the baseline before (CANARY.md section 3.4). It may
 * be looked at after each value: its evidence is one of a mixture of shifts against no shift worth hearing of, and the chance that it ever
 * reaches 1 / alpha without one is about alpha at most: exactly, were centre, scale and memory known and not learnt. A value costs the
 * same at any time.
 */
export class GaugeTest extends Standing {
  readonly #learnt: Learnt;
  readonly #options: GaugeOptions;
  readonly #onsets = new Onsets<Sums>(NOTHING);
  /** Where a shift begins, in units of the differences, and the variance of none, in those of the scale. */
  readonly #from: number;
  readonly #nothing: number;
  #sums = NOTHING;
  /** The score, were nothing cut off; of how many values how many were. */
  #whole = 0;
  #values = 0;
  #cutAbove = 0;
  #cutBelow = 0;
  #last: { readonly value: number; readonly step: number } | undefined;

  constructor(learnt: Learnt, options: GaugeOptions) {
    super(options.alpha);
    this.#learnt = learnt;
    this.#options = options;
    const { unit, tolerance, fleetSpread, from = 0 } = options;
    const tolerated = (unit * tolerance) / learnt.scale;
    const isSmall = tolerated < SMALL;
    this.#from = unit * (isSmall ? from : from + tolerance);
    const spread = ((unit * fleetSpread) / learnt.scale) ** 2;
    this.#nothing = this.#unknown() + spread + (isSmall ? tolerated ** 2 : 0);
  }

  /** The next step's difference between canary and baseline; NaN: there is none, which costs nothing and proves nothing. */
  add(difference: number): void {
    this.#onsets.step(this.#sums);
    const { steps } = this.#onsets;
    if (Number.isNaN(difference)) return;
    const { centre, scale, memory } = this.#learnt;
    const value = clip((difference - centre - this.#from) / scale);
    const kept = this.#last ? memory ** (steps - this.#last.step) : 0;
    const fresh = Math.sqrt(1 - kept ** 2);
    const news = (value - kept * (this.#last?.value ?? 0)) / fresh;
    const innovation = clipNews(news);
    const weight = (1 - kept) / fresh;
    this.#whole += weight * news;
    this.#values += 1;
    if (news > innovation) this.#cutAbove += 1;
    if (news < innovation) this.#cutBelow += 1;
    this.#sums = {
      score: this.#sums.score + weight * innovation,
      weight: this.#sums.weight + weight ** 2,
    };
    this.#last = { value, step: steps };
    const now = this.#evidenceNow();
    this.stands(now.evidence, now.after);
  }

  /**
   * A confidence sequence of the shift, were it the same all the time: by a normal mixture with the middle one of the shifts that are looked for
   * (Robbins 1970; Howard et al. 2021), and as much wider as the centre may be off. It has no end on the side where more than a few values
   * were cut off. `undefined` before the first value.
   */
  shift(alpha: number): Shift | undefined {
    const { score, weight } = this.#sums;
    if (weight === 0) return undefined;
    const { unit } = this.#options;
    const inUnits = this.#learnt.scale / unit;
    const mixed = (SHIFTS[1] / inUnits) ** 2;
    const chance = 2 * Math.log(2 / alpha) + Math.log1p(mixed * weight);
    const unsure = Math.sqrt((weight + 1 / mixed) * chance) / weight;
    const uncentred = Math.sqrt(2 * Math.log(4 / alpha) * this.#unknown());
    const at = (of: number) => this.#from / unit + (inUnits * of) / weight;
    const reach = inUnits * (unsure + uncentred);
    const isCut = (count: number) => count > FEW * this.#values;
    const [isAbove, isBelow] = [isCut(this.#cutAbove), isCut(this.#cutBelow)];
    return {
      shift: at(isAbove || isBelow ? this.#whole : score),
      least: isBelow ? Number.NEGATIVE_INFINITY : at(score) - reach,
      most: isAbove ? Number.POSITIVE_INFINITY : at(score) + reach,
    };
  }

  /** The variance of what is not known of the centre, in units of the scale. */
  #unknown(): number {
    const { memory, count } = this.#learnt;
    return (1.1 * (1 + memory)) / ((1 - memory) * count);
  }

  #evidenceNow(): Evidence {
    const { score, weight } = this.#sums;
    return this.#onsets.evidence((since) => this.#ratio(score - since.score, weight - since.weight));
  }

  /** Of a shift upwards, against none but what is tolerated and what is not known of the centre. */
  #ratio(score: number, weight: number): number {
    if (weight === 0) return 1;
    const { scale } = this.#learnt;
    const { unit } = this.#options;
    const nothing = this.#nothing;
    const without = likelihood(score, weight, nothing);
    const ratios = SHIFTS.map((shift) => {
      const variance = nothing + ((unit * shift) / scale) ** 2;
      const isUp = Math.LN2 + logNormalCdf(score * Math.sqrt(variance / (1 + variance * weight)));
      return Math.exp(likelihood(score, weight, variance) + isUp - without);
    });
    return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  }
}

/** ln of the likelihood of a score under shifts with this variance, against no shift at all. */
const likelihood = (score: number, weight: number, variance: number): number =>
  -0.5 * Math.log1p(variance * weight) + (variance * score ** 2) / (2 * (1 + variance * weight));
