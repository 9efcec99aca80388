import { quantileOf } from '../quantile.ts';

/** What the differences between two groups of servers are like while both run the same. */
export type Learnt = {
  /** Where they lie, and how far they go from there: a robust mean, and a standard deviation, made larger for what is not known of it. */
  readonly centre: number;
  readonly scale: number;
  /** How much of one is left in the next, a step later: 0 to 0.97. */
  readonly memory: number;
  /** From how many. */
  readonly count: number;
};

/** In units of the scale: a series that stops, or begins from nothing, has no finite difference. */
const FARTHEST = 1e6;
/** In units of what is new in a value: one proves no more than this. */
const MOST_NEWS = 3.5;
const within = (value: number, most: number): number => Math.min(Math.max(value, -most), most);
export const clip = (value: number): number => within(value, FARTHEST);
export const clipNews = (value: number): number => within(value, MOST_NEWS);

/** Fewer tell too little of the scale and the memory of a series. */
export const LEAST_HISTORY = 30;
/** Differences of logarithms: less than this of a difference nobody measures. */
const LEAST_SCALE = 1e-3;
const FAR = 3;
const MOST_MEMORY = 0.97;

/**
 * CANARY.md section 3.4, points 1 and 2. `differences` are in the order of time, one for each step, NaN where there is none. `undefined`
 * of too few.
 */
export function learn(differences: readonly number[]): Learnt | undefined {
  const present = Float64Array.from(differences.filter((value) => !Number.isNaN(value))).sort();
  const count = present.length;
  if (count < LEAST_HISTORY) return undefined;
  const median = quantileOf(present, 0.5);
  const deviations = present.map((value) => Math.abs(value - median)).sort();
  const spread = Math.max(1.4826 * quantileOf(deviations, 0.5), LEAST_SCALE);
  const kept = (value: number) => Math.min(Math.max(value, median - FAR * spread), median + FAR * spread);
  const centre = present.reduce((sum, value) => sum + kept(value), 0) / count;
  const memory = memoryOf(
    differences.map((value) => (kept(value) - centre) / spread),
    count,
  );
  const doubt = 1 + 0.5 * Math.sqrt(((2 / count) * (1 + memory ** 2)) / (1 - memory ** 2));
  // Of a series with spikes the middle says less than what is added up of it.
  const square = (value: number) => clipNews((value - centre) / spread) ** 2;
  const tails = Math.max(1, present.reduce((sum, value) => sum + square(value), 0) / count);
  return { centre, scale: spread * Math.sqrt(doubt * tails), memory, count };
}

/** The autocorrelation from one step to the next, without the bias that a short series has. */
function memoryOf(values: readonly number[], count: number): number {
  let products = 0;
  let pairs = 0;
  let squares = 0;
  let last = Number.NaN;
  for (const value of values) {
    if (!Number.isNaN(value)) squares += value * value;
    if (!Number.isNaN(value) && !Number.isNaN(last)) {
      products += value * last;
      pairs += 1;
    }
    last = value;
  }
  // What is left of equal values is rounding.
  if (pairs === 0 || squares < 1e-12 * count) return 0;
  const seen = products / pairs / (squares / count);
  return Math.min(Math.max(seen + (1 + 3 * seen) / count, 0), MOST_MEMORY);
}
