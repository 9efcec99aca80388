import { ranksOf } from '../ranks.ts';
import { rootOf } from '../root.ts';

/** Of 1 - (1 - 0.98) / 2: the confidence level that the judge has in its code, whatever its settings say (defect 12). */
const Z = 2.326_347_874_040_841;
/** Absolute, whatever the scale of the metric (defect 2). */
const TOLERANCE = 1e-4;
const MAX_STEPS = 1_000;

/** By how much the canary is shifted: the interval that a Mann-Whitney test of each shift does not refuse, and its middle. */
export type Shift = { readonly lower: number; readonly upper: number; readonly estimate: number };

/**
 * CANARY.md section 1.3, "the interval": confidence 0.98, with corrections for continuity and ties. Throws `RangeError` where all
 * values are tied at some shift that is looked at, as with one against one.
 */
export function shiftOf(canary: readonly number[], baseline: readonly number[]): Shift {
  const from = min(canary) - max(baseline);
  const to = max(canary) - min(baseline);
  const statistic = statisticOf(canary, baseline);
  const search = { from, to, tolerance: TOLERANCE, maxSteps: MAX_STEPS };
  const limit = (quantile: number): number => {
    const f = (shift: number) => statistic(shift) - quantile;
    if (f(from) <= 0) return from;
    if (f(to) >= 0) return to;
    return rootOf(f, search);
  };
  return { lower: limit(Z), upper: limit(-Z), estimate: rootOf(statistic, search) };
}

/** The standardised rank sum of the canary, shifted back by so much. */
function statisticOf(canary: readonly number[], baseline: readonly number[]): (shift: number) => number {
  const [n, m] = [canary.length, baseline.length];
  const total = n + m;
  const pooled = new Float64Array(total);
  pooled.set(baseline, n);
  return (shift) => {
    for (let at = 0; at < n; at += 1) pooled[at] = (canary[at] ?? 0) - shift;
    const { ranks, ties } = ranksOf(pooled);
    const rankSum = ranks.subarray(0, n).reduce((sum, rank) => sum + rank, 0);
    const w = rankSum - (n * (n + 1)) / 2 - (n * m) / 2;
    const tied = ties.reduce((sum, size) => sum + (size ** 3 - size), 0);
    const variance = ((n * m) / 12) * (total + 1 - tied / (total * (total - 1)));
    if (variance <= 0) throw new RangeError('all values are tied');
    return (w - 0.5 * Math.sign(w)) / Math.sqrt(variance);
  };
}

const min = (values: readonly number[]): number => values.reduce((least, value) => Math.min(least, value));
const max = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value));
