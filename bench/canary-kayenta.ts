import { classify } from '../src/analysis/kayenta/classify.ts';
import { kayentaConfig } from '../src/domain/kayenta-config.ts';
import type { Sides } from './canary-cases.ts';

const [METRIC] = kayentaConfig.parse({
  name: 'bench',
  metrics: [{ name: 'metric', analysisConfigurations: { canary: { direction: 'increase' } } }],
}).metrics;

/** Whether Kayenta's rule, with the direction `increase`, labels these values High. */
export const isHigh = (sides: Sides): boolean =>
  METRIC !== undefined &&
  mayBeHigh(sides) &&
  classify(sides, METRIC.analysisConfigurations.canary).label === 'High';

/** Somewhat less than the rule's quantile and share, and more than the tolerance of its roots. */
const QUANTILE = 2.326;
const SHARE = 0.2499;
const REACH = 2e-4;

/**
 * False only of values that the rule cannot label High, and much faster: a rule that looks each minute would take most of an hour else.
 * High asks for a lower limit over 0, and over a quarter of the estimate. The limit is the least difference of two values, or within 1e-4
 * of a shift at which the rank sum is at least the quantile by its deviation. The rank sum of a smaller shift is never less.
 */
export function mayBeHigh(sides: Sides): boolean {
  const [canary, baseline] = [sorted(sides.canary), sorted(sides.baseline)];
  if ((canary[0] ?? 0) > (baseline.at(-1) ?? 0) - REACH) return true;
  const rankSum = (shift: number) => rankSumOf(canary, baseline, shift);
  const enough = QUANTILE * leastDeviation(canary, baseline);
  const isProven = (shift: number) => shrunk(rankSum(shift - REACH)) >= enough;
  return isProven(0) && isProven(SHARE * leastEstimate(rankSum, (canary.at(-1) ?? 0) - (baseline[0] ?? 0)));
}

/** The canary's, if it were shifted back by so much; both are sorted. */
function rankSumOf(canary: readonly number[], baseline: readonly number[], shift: number): number {
  let [below, upTo, over] = [0, 0, 0];
  for (const value of canary) {
    const shifted = value - shift;
    while ((baseline[below] ?? Number.POSITIVE_INFINITY) < shifted) below += 1;
    while ((baseline[upTo] ?? Number.POSITIVE_INFINITY) <= shifted) upTo += 1;
    over += (below + upTo) / 2;
  }
  return over - (canary.length * baseline.length) / 2;
}

const shrunk = (rankSum: number): number => rankSum - 0.5 * Math.sign(rankSum);

const HALVINGS = 12;

/** The rule's estimate is no less: it is within 1e-4 of the shift that makes the rank sum 0. */
function leastEstimate(rankSum: (shift: number) => number, most: number): number {
  let [low, high] = [0, Math.max(0, most)];
  for (let step = 0; step < HALVINGS; step += 1) {
    const middle = (low + high) / 2;
    if (shrunk(rankSum(middle)) > 0) low = middle;
    else high = middle;
  }
  return Math.max(0, low - REACH);
}

const sorted = (values: readonly number[]): readonly number[] =>
  values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);

/** Of the rank sum, at the shift with the worst ties that there could be: the largest groups of both sides at one value each. */
function leastDeviation(canary: readonly number[], baseline: readonly number[]): number {
  const [n, m] = [canary.length, baseline.length];
  const [ours, theirs] = [groupsOf(canary), groupsOf(baseline)];
  const sizes = Array.from(
    { length: Math.max(ours.length, theirs.length) },
    (_, place) => (ours[place] ?? 0) + (theirs[place] ?? 0),
  );
  const tied = sizes.reduce((sum, size) => sum + (size ** 3 - size), 0);
  const total = n + m;
  return Math.sqrt(Math.max(0, ((n * m) / 12) * (total + 1 - tied / (total * (total - 1)))));
}

/** How often each value is there, the most frequent first. */
function groupsOf(values: readonly number[]): readonly number[] {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return [...sizes.values()].sort((a, b) => b - a);
}
