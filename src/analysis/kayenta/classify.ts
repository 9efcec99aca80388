import type { MetricRules } from '../../domain/kayenta-config.ts';
import { quantileOf } from '../quantile.ts';
import { ranksOf } from '../ranks.ts';
import { type Shift, shiftOf } from './mann-whitney.ts';

export type MetricLabel = 'Pass' | 'High' | 'Low' | 'Nodata' | 'NodataFailMetric' | 'Error';

/** What became of the values of one side before they were compared. All 0 where there are none. */
export type Summary = {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Of the sample: by n - 1. */
  readonly sd: number;
};

export type Classified = {
  readonly label: MetricLabel;
  /** It ends the canary by itself. */
  readonly isCritical: boolean;
  /** In a sentence, with figures. */
  readonly reason: string;
  /** Mean of the canary by that of the baseline; 1 where there is nothing to compare, `null` where a mean is 0. */
  readonly deviation: number | null;
  readonly shift: Shift | null;
  readonly baseline: Summary;
  readonly canary: Summary;
};

/** What `tolerance` is in Kayenta's code, whatever its settings say (defect 12). */
const TOLERANCE = 0.25;
/** Of two constants; a constant 0 stays what it is. */
const NOISE = 1e-5;

type Sides = { readonly baseline: readonly number[]; readonly canary: readonly number[] };

/**
 * Judges one metric as NetflixACAJudge-v1.0 does (CANARY.md sections 1.2 and 1.3; the order of the checks matters). Never throws: what
 * cannot be judged is labelled `Error`. The noise that Kayenta adds to two constants comes from their values, so that the same data are
 * always judged alike.
 */
export function classify(sides: Sides, rules: MetricRules): Classified {
  const baseline = prepared(sides.baseline, rules);
  const canary = prepared(sides.canary, rules);
  const about = { baseline: summaryOf(baseline), canary: summaryOf(canary) };
  const deviation = meanRatio(about.canary.mean, about.baseline.mean);
  const pass = (reason: string, alike = deviation): Classified => ({
    ...{ label: 'Pass', isCritical: false, reason, deviation: alike, shift: null },
    ...about,
  });
  if (baseline.length === 0 || canary.length === 0) return { ...withoutData(about, rules), ...about };
  if (isSame(baseline, canary)) return pass('Both have the same values.', 1);
  if (new Set([...baseline, ...canary]).size === 1) return pass('There is only one value on both sides.', 1);
  const [noisyBaseline, noisyCanary] = withNoise(baseline, canary);
  try {
    const shift = shiftOf(noisyCanary, noisyBaseline);
    const effect = effectOf(noisyCanary, noisyBaseline, rules);
    return { ...judged(shift, effect, rules), deviation, shift, ...about };
  } catch (thrown) {
    const reason = `It cannot be judged: ${thrown instanceof Error ? thrown.message : String(thrown)}.`;
    return { label: 'Error', isCritical: false, reason, deviation, shift: null, ...about };
  }
}

/** NaN removed or made 0, then the outliers, if they are to go. */
function prepared(values: readonly number[], { nanStrategy, outliers }: MetricRules): readonly number[] {
  const present =
    nanStrategy === 'replace'
      ? values.map((value) => (Number.isNaN(value) ? 0 : value))
      : values.filter((value) => !Number.isNaN(value));
  if (outliers.strategy === 'keep' || present.length === 0) return present;
  const sorted = [...present].sort((a, b) => a - b);
  const [q1, q3] = [quantileOf(sorted, 0.25), quantileOf(sorted, 0.75)];
  const reach = outliers.outlierFactor * (q3 - q1);
  const lower = Math.min(quantileOf(sorted, 0.01), q1 - reach);
  const upper = Math.max(quantileOf(sorted, 0.99), q3 + reach);
  return present.filter((value) => value >= lower && value <= upper);
}

function summaryOf(values: readonly number[]): Summary {
  const count = values.length;
  if (count === 0) return { count: 0, min: 0, max: 0, mean: 0, sd: 0 };
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    ...{ count, mean },
    min: values.reduce((least, value) => Math.min(least, value)),
    max: values.reduce((most, value) => Math.max(most, value)),
    sd: count > 1 ? Math.sqrt(squares / (count - 1)) : 0,
  };
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const meanRatio = (canary: number, baseline: number): number | null =>
  canary === 0 || baseline === 0 ? null : canary / baseline;

function withoutData(
  { baseline, canary }: { readonly baseline: Summary; readonly canary: Summary },
  { nanStrategy, mustHaveData, critical }: MetricRules,
): Omit<Classified, 'baseline' | 'canary'> {
  const lacking = [...(baseline.count === 0 ? ['baseline'] : []), ...(canary.count === 0 ? ['canary'] : [])];
  const common = {
    reason: `There are no data of the ${lacking.join(' and the ')}.`,
    deviation: 1,
    shift: null,
  };
  if (nanStrategy === 'replace') return { label: 'Pass', isCritical: false, ...common };
  return mustHaveData && !critical
    ? { label: 'NodataFailMetric', isCritical: false, ...common }
    : { label: 'Nodata', isCritical: critical, ...common };
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  const sorted = [...other].sort((a, b) => a - b);
  return [...one].sort((a, b) => a - b).every((value, at) => value === sorted[at]);
}

function withNoise(
  baseline: readonly number[],
  canary: readonly number[],
): readonly [readonly number[], readonly number[]] {
  const isConstant = (values: readonly number[]) => values.every((value) => value === values[0]);
  if (!isConstant(baseline) || !isConstant(canary)) return [baseline, canary];
  const noise = gaussian();
  const noisy = (values: readonly number[]) => values.map((value) => value + NOISE * value * noise());
  return [noisy(baseline), noisy(canary)];
}

/** Normal deviates, always the same ones (Box and Muller, over a linear congruential generator). */
function gaussian(): () => number {
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** `null`: the ratio of means is not defined where one is 0; what is not defined counts as met. */
function effectOf(
  canary: readonly number[],
  baseline: readonly number[],
  { effectSize }: MetricRules,
): number | null {
  return effectSize.measure === 'cles'
    ? commonLanguage(canary, baseline)
    : meanRatio(meanOf(canary), meanOf(baseline));
}

/** How likely a value of the canary is over one of the baseline; a tie counts half. */
function commonLanguage(canary: readonly number[], baseline: readonly number[]): number {
  const [n, m] = [canary.length, baseline.length];
  const { ranks } = ranksOf(Float64Array.from([...canary, ...baseline]));
  const rankSum = ranks.subarray(0, n).reduce((sum, rank) => sum + rank, 0);
  return (2 * rankSum - n * (n + 1)) / (2 * n * m);
}

function judged(
  shift: Shift,
  effect: number | null,
  { direction, critical, effectSize }: MetricRules,
): Pick<Classified, 'label' | 'isCritical' | 'reason'> {
  const neutral = effectSize.measure === 'cles' ? 0.5 : 1;
  const isMet = {
    over: (threshold = neutral) => effect === null || effect >= threshold,
    under: (threshold = neutral) => effect === null || effect <= threshold,
  };
  const bar = TOLERANCE * Math.abs(shift.estimate);
  const figures = `shifted by ${shown(shift.estimate)} (between ${shown(shift.lower)} and ${shown(shift.upper)}; ${shown(bar)} is tolerated)`;
  if (direction !== 'decrease' && shift.lower > bar && isMet.over(effectSize.allowedIncrease)) {
    const isCritical = critical && isMet.over(effectSize.criticalIncrease);
    return { label: 'High', isCritical, reason: `The canary is higher: ${figures}.` };
  }
  if (direction !== 'increase' && shift.upper < -bar && isMet.under(effectSize.allowedDecrease)) {
    const isCritical = critical && isMet.under(effectSize.criticalDecrease);
    return { label: 'Low', isCritical, reason: `The canary is lower: ${figures}.` };
  }
  return { label: 'Pass', isCritical: false, reason: `No shift is proven: ${figures}.` };
}

const shown = (value: number): string => String(Number(value.toPrecision(3)));
