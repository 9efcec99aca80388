import { logNormalCdf } from '../normal.ts';
import { clip, clipNews, type Learnt } from './learnt.ts';

export type GaugeOptions = {
  /** The most that may be wrong: an alarm without harm comes in this part of the canaries, however often they are looked at. */
  readonly alpha: number;
  /** A shift of which nobody needs to hear, in the units of the differences: 0.02 is 2 % of logarithms. */
  readonly tolerance: number;
  /** How far servers of one version lie apart, where they have no history of their own to be centred by; else 0. */
  readonly fleetSpread: number;
};

/** Shifts that are looked for, in the units of the differences. */
const SHIFTS = [0.08, 0.2, 0.5] as const;
/** The harm may begin later: another look begins after so many steps. */
const BEGIN_EVERY = 10;
/** Of the first look in the evidence; the later ones share the rest, 1/2 of it, 1/6, 1/12 and so on, which comes to all of it. */
const FIRST_SHARE = 0.9;

type Sums = { readonly score: number; readonly weight: number };
type Begun = Sums & { readonly share: number };

/**
 * A sequential test of one gauge: whether the canary lies higher than it did against the baseline before (CANARY.md section 3.4). It may
 * be looked at after each value: its evidence is one of a mixture of shifts against no shift worth hearing of, and the chance that it ever
 * reaches 1 / alpha without one is at most alpha. A value costs the same at any time.
 */
export class GaugeTest {
  readonly #learnt: Learnt;
  readonly #options: GaugeOptions;
  #sums: Sums = { score: 0, weight: 0 };
  /** The looks that began, each with what the sums were then. What has not begun yet counts as no evidence. */
  #begun: readonly Begun[] = [{ score: 0, weight: 0, share: FIRST_SHARE }];
  #steps = 0;
  #values = 0;
  #last: { readonly value: number; readonly step: number } | undefined;
  #evidence = 1;
  #most = 1;

  constructor(learnt: Learnt, options: GaugeOptions) {
    this.#learnt = learnt;
    this.#options = options;
  }

  /** The next step's difference between canary and baseline; NaN: there is none, which costs nothing and proves nothing. */
  add(difference: number): void {
    this.#steps += 1;
    if (this.#steps % BEGIN_EVERY === 1 && this.#steps > 1) {
      const place = this.#begun.length;
      const share = (1 - FIRST_SHARE) / (place * (place + 1));
      this.#begun = [...this.#begun, { ...this.#sums, share }];
    }
    if (Number.isNaN(difference)) return;
    const { centre, scale, memory } = this.#learnt;
    const value = clip((difference - centre) / scale);
    const kept = this.#last ? memory ** (this.#steps - this.#last.step) : 0;
    const fresh = Math.sqrt(1 - kept ** 2);
    const innovation = clipNews((value - kept * (this.#last?.value ?? 0)) / fresh);
    const weight = (1 - kept) / fresh;
    this.#sums = {
      score: this.#sums.score + weight * innovation,
      weight: this.#sums.weight + weight ** 2,
    };
    this.#last = { value, step: this.#steps };
    this.#values += 1;
    this.#evidence = this.#evidenceNow();
    this.#most = Math.max(this.#most, this.#evidence);
  }

  /** Of a rise: by how much more likely what was seen is with one. */
  get evidence(): number {
    return this.#evidence;
  }

  /** Valid at any time: the chance of so much evidence, by now or before, without harm. */
  get p(): number {
    return Math.min(1, 1 / this.#most);
  }

  get isAlarm(): boolean {
    return this.#most >= 1 / this.#options.alpha;
  }

  get values(): number {
    return this.#values;
  }

  #evidenceNow(): number {
    let evidence = 0;
    let left = 1;
    for (const { score, weight, share } of this.#begun) {
      evidence += share * this.#ratio(this.#sums.score - score, this.#sums.weight - weight);
      left -= share;
    }
    return evidence + left;
  }

  /** Of a shift upwards, against none but what is tolerated and what is not known of the centre. */
  #ratio(score: number, weight: number): number {
    if (weight === 0) return 1;
    const { scale, memory, count } = this.#learnt;
    const { tolerance, fleetSpread } = this.#options;
    const unknown = (1.1 * (1 + memory)) / ((1 - memory) * count);
    const nothing = unknown + (tolerance / scale) ** 2 + (fleetSpread / scale) ** 2;
    const without = likelihood(score, weight, nothing);
    const ratios = SHIFTS.map((shift) => {
      const variance = nothing + (shift / scale) ** 2;
      const isUp = Math.LN2 + logNormalCdf(score * Math.sqrt(variance / (1 + variance * weight)));
      return Math.exp(likelihood(score, weight, variance) + isUp - without);
    });
    return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  }
}

/** ln of the likelihood of a score under shifts with this variance, against no shift at all. */
const likelihood = (score: number, weight: number, variance: number): number =>
  -0.5 * Math.log1p(variance * weight) + (variance * score ** 2) / (2 * (1 + variance * weight));
