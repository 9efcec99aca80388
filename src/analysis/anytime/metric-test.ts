import { countedTest } from './counted.ts';
import { type Counted, dispersionOf, isCounted } from './counts.ts';
import { GaugeTest } from './gauge.ts';
import { type LatencyStep, slowerOf } from './histograms.ts';
import { LatencyTest } from './latency.ts';
import { learn } from './learnt.ts';
import { Between, type Differences, differencesOf, meanOf, type PairedStep } from './paired.ts';
import { CountedRatio, type Ratio } from './ratio.ts';
import type { Standing } from './standing.ts';

export type TestOptions = {
  /** The most that may be wrong with an alarm. */
  readonly alpha: number;
  /** The most that may be wrong with being clear. */
  readonly clearAlpha: number;
  /** A rise of which nobody needs to hear: 0.02 is 2 %. */
  readonly tolerance: number;
  /** The rise that a canary may have and be let pass: 0.25 is 25 %. */
  readonly allowed: number;
  readonly harm: 'more' | 'less';
};

/** By how much the canary is higher than the baseline, as a ratio of 1 and more or less. */
export type Effect = Ratio;

/** Both sides of a question about one metric: whether it is worse on the canary, and whether it surely is not by more than is allowed. */
export type MetricTest<Step> = {
  readonly worse: Pick<Standing, 'p' | 'since' | 'isAlarm'>;
  /** There is enough evidence of harm, and the servers differ so much that it may be that of one of them. */
  readonly isUneven: boolean;
  readonly clear: Pick<Standing, 'isAlarm'>;
  /** `undefined` as long as nothing is known, and of durations. */
  effect(alpha: number): Effect | undefined;
  /** Of durations: above which the canary has too many requests. */
  readonly slowerThan?: number | undefined;
  /** Whether there was something to be learnt from it. */
  add(step: Step): boolean;
};

const swapped = ({ canary, baseline, canaryExposure, baselineExposure }: Counted): Counted => ({
  ...{ canary: baseline, baseline: canary },
  ...{ canaryExposure: baselineExposure, baselineExposure: canaryExposure },
});

/** Of events that are counted. */
export function testOfCounts(history: readonly Counted[], options: TestOptions): MetricTest<Counted> {
  const { alpha, clearAlpha, tolerance, allowed, harm } = options;
  const toWorse = harm === 'more' ? same : swapped;
  const toClear = harm === 'more' ? swapped : same;
  const worse = countedTest(history.map(toWorse), { alpha, tolerance });
  const from = 1 / (1 + allowed);
  const clear = countedTest(history.map(toClear), { alpha: clearAlpha, tolerance: 0, from });
  const ratio = new CountedRatio(Math.max(1, dispersionOf(history).of));
  return {
    worse: worse.standing,
    isUneven: false,
    clear: clear.standing,
    effect: (most) => ratio.ratio(most),
    add(counted) {
      worse.add(toWorse(counted));
      clear.add(toClear(counted));
      ratio.add(counted);
      return isCounted(counted);
    },
  };
}

/**
 * Of durations; `bounds` are those of the histograms. That a canary is surely not slower than is allowed is not shown: that would have
 * to be so at every bound.
 */
export function testOfLatency(
  history: readonly LatencyStep[],
  bounds: readonly number[],
  { alpha, tolerance }: TestOptions,
): MetricTest<LatencyStep> {
  const worse = new LatencyTest(bounds, history, { alpha, tolerance });
  return {
    worse,
    clear: { isAlarm: false },
    isUneven: false,
    effect: () => undefined,
    get slowerThan() {
      return worse.slowerThan;
    },
    add(step) {
      worse.add(step);
      return [step.canary, step.baseline].every((side) => slowerOf(side, bounds) !== undefined);
    },
  };
}

const same = (counted: Counted): Counted => counted;

/** An effect is claimed only where it is so many times its standard error between servers. */
const ERRORS = 2;

/** Of values of servers; `undefined` of too little history. */
export function testOfGauge(
  history: readonly PairedStep[],
  options: TestOptions,
): MetricTest<PairedStep> | undefined {
  const differences = differencesOf(history);
  const sign = options.harm === 'more' ? 1 : -1;
  const learnt = learn(history.map((step) => sign * meanOf(differences.each(step))));
  if (!learnt) return undefined;
  const { alpha, clearAlpha, tolerance, allowed } = options;
  const common = { fleetSpread: 0, unit: 1 };
  const worse = new GaugeTest(learnt, { ...common, alpha, tolerance });
  const mirrored = { ...learnt, centre: -learnt.centre };
  const from = -(differences.isRatio ? Math.log1p(allowed) : allowed);
  const clear = new GaugeTest(mirrored, { ...common, alpha: clearAlpha, tolerance: 0, from });
  const between = new Between();
  return {
    worse,
    clear,
    get isUneven() {
      return worse.isAlarm && (worse.shift(alpha)?.shift ?? 0) < ERRORS * between.error;
    },
    effect: (most) => effectOf(worse, differences, { sign, alpha: most }),
    add(step) {
      const each = differences.each(step);
      const difference = meanOf(each);
      worse.add(sign * difference);
      clear.add(-sign * difference);
      between.add(each);
      return !Number.isNaN(difference);
    },
  };
}

function effectOf(
  test: GaugeTest,
  { isRatio }: Differences,
  { sign, alpha }: { readonly sign: number; readonly alpha: number },
): Effect | undefined {
  const shift = test.shift(alpha);
  if (!shift) return undefined;
  const [least, most] = [sign * shift.least, sign * shift.most].sort((a, b) => a - b);
  const of = (value = 0) => (isRatio ? Math.exp(value) : 1 + value);
  return { ratio: of(sign * shift.shift), least: of(least), most: of(most) };
}
