import { quantileOf } from '../quantile.ts';

/** What a server of the canary and the one of the baseline that it is paired with said in one step; NaN where one said nothing. */
export type Pair = { readonly canary: number; readonly baseline: number };
/** All pairs, in the same order in each step. */
export type PairedStep = readonly Pair[];

/**
 * Makes one difference of a step, of all pairs together (CANARY.md section 3.4). Each pair is centred by itself, so that a server that always
 * was hotter than the other proves nothing, and one of which there is nothing in a step is left out of it and moves nothing.
 */
export type Differences = {
  /** One for each pair; NaN where one of its values is missing. That of the step is their mean. */
  readonly each: (step: PairedStep) => readonly number[];
  /** Whether they are of logarithms: then they are ratios, else parts of the median of the baseline. */
  readonly isRatio: boolean;
};

/** By what the pairs were like while all ran the same. Logarithms are for what is always above 0. */
export function differencesOf(history: readonly PairedStep[]): Differences {
  const isRatio = history.every((step) =>
    step.every(({ canary, baseline }) => !(canary <= 0 || baseline <= 0)),
  );
  const one = isRatio ? logOf : partOf(levelOf(history));
  const pairs = Math.max(0, ...history.map((step) => step.length));
  const centres = Array.from({ length: pairs }, (_, index) =>
    medianOf(history.map((step) => one(step[index] ?? NOTHING))),
  );
  const each = (step: PairedStep) => step.map((pair, index) => one(pair) - centreAt(centres, index));
  return { each, isRatio };
}

const NOTHING: Pair = { canary: Number.NaN, baseline: Number.NaN };

/** A server that stops, or begins from nothing, has no logarithm; beyond this it hides the others no further. */
const FARTHEST = Math.log(1e6);

/** Both at nothing are equal. */
function logOf({ canary, baseline }: Pair): number {
  if (canary === baseline) return 0;
  return Math.min(Math.max(Math.log(canary) - Math.log(baseline), -FARTHEST), FARTHEST);
}

/** A pair that has said nothing before has no centre of its own: it is taken for equal. */
function centreAt(centres: readonly number[], index: number): number {
  const centre = centres[index] ?? Number.NaN;
  return Number.isNaN(centre) ? 0 : centre;
}

const partOf =
  (level: number) =>
  ({ canary, baseline }: Pair): number =>
    (canary - baseline) / level;

function levelOf(history: readonly PairedStep[]): number {
  const level = medianOf(history.flatMap((step) => step.map(({ baseline }) => Math.abs(baseline))));
  return level > 0 ? level : 1;
}

function medianOf(values: readonly number[]): number {
  // Of numbers alone, which is many times quicker to sort.
  return quantileOf(Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort(), 0.5);
}

/** Of those that are there, NaN of none. */
export function meanOf(values: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
}

/** How far the pairs lie apart, each taken over all steps so far: of one hot server many minutes are no more proof than one. */
export class Between {
  readonly #sums: { sum: number; count: number }[] = [];

  add(each: readonly number[]): void {
    for (const [index, value] of each.entries()) {
      this.#sums[index] ??= { sum: 0, count: 0 };
      const sums = this.#sums[index];
      if (!Number.isFinite(value)) continue;
      sums.sum += value;
      sums.count += 1;
    }
  }

  /** The standard error of the mean shift between pairs; 0 of one pair, of which nothing can be said. */
  get error(): number {
    const means = this.#sums.filter(({ count }) => count > 0).map(({ sum, count }) => sum / count);
    if (means.length < 2) return 0;
    const mean = meanOf(means);
    const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (means.length - 1);
    return Math.sqrt(variance / means.length);
  }
}
