import type { Judgement, MetricReport, Verdict } from './judgement.ts';
import type { MetricStep } from './metric-step.ts';
import type { Effect, MetricTest } from './metric-test.ts';
import { reasonOf } from './reason.ts';
import type { JudgeRules, MetricRules } from './rules.ts';
import { SURE, testsOf } from './tests-of.ts';

export type MetricSteps = Readonly<Record<string, MetricStep | undefined>>;

/** A metric is suspicious by a quarter of the evidence of an alarm: of canaries without harm four times as many have so much as may fail. */
const SUSPICION = 4;

/** A step without data is one too: what is remembered of a series fades. */
const NO_DATA = {
  counts: { kind: 'counts', canary: 0, baseline: 0, canaryExposure: 0, baselineExposure: 0 },
  gauge: { kind: 'gauge', pairs: [] },
  latency: { kind: 'latency', canary: [], baseline: [] },
} as const satisfies Record<MetricStep['kind'], MetricStep>;

type Watched = {
  readonly rules: MetricRules;
  readonly alpha: number;
  /** One for each way in which it may be worse; none without history. */
  readonly tests: readonly MetricTest<MetricStep>[];
  steps: number;
  lastStep: number;
};

/**
 * Judges a canary by all its metrics, each time that a step of them was measured (CANARY.md section 3.5). The chance that a canary without
 * harm ever fails is alpha at most: each metric has its part of it.
 */
export class CanaryJudge {
  readonly #rules: JudgeRules;
  readonly #watched: readonly Watched[];
  #step = 0;

  /**
   * `history`: steps of each metric from before the canary, when both sides ran the same, in the order of time. Throws `RangeError` for a weight
   * that is not above 0: such a metric could never fail.
   */
  constructor(rules: JudgeRules, history: Readonly<Record<string, readonly MetricStep[]>>) {
    this.#rules = rules;
    const weightless = rules.metrics.find(({ weight }) => !(weight > 0));
    if (weightless) throw new RangeError(`The weight of ${weightless.name} is not above 0`);
    const weights = rules.metrics.reduce((sum, { weight }) => sum + weight, 0);
    this.#watched = rules.metrics.map((metric) => {
      const alpha = (rules.alpha * metric.weight) / weights;
      return { rules: metric, alpha, tests: testsOf(metric, alpha, history), steps: 0, lastStep: 0 };
    });
  }

  /** The next step: a metric that is left out has no data in it. */
  add(steps: MetricSteps): void {
    this.#step += 1;
    for (const watched of this.#watched) {
      const { kind, name } = watched.rules;
      const given = steps[name];
      const step = given?.kind === kind ? given : NO_DATA[kind];
      const added = watched.tests.map((test) => test.add(step));
      if (!added.includes(true)) continue;
      watched.steps += 1;
      watched.lastStep = this.#step;
    }
  }

  judge(): Judgement {
    const metrics = this.#watched.map((watched) => this.#report(watched));
    const verdict = this.#verdict(metrics);
    return { verdict, reason: reasonOf(verdict, metrics), step: this.#step, metrics };
  }

  /** By how much each metric differs, with an interval that holds whenever it is asked for. Costs more than a look. */
  effects(): Readonly<Record<string, Effect | null>> {
    const effectOf = ({ tests: [test] }: Watched) => test?.effect(SURE) ?? null;
    return Object.fromEntries(this.#watched.map((watched) => [watched.rules.name, effectOf(watched)]));
  }

  #verdict(metrics: readonly MetricReport[]): Verdict {
    const { leastSteps } = this.#rules;
    if (this.#isWorse(metrics)) return 'fail';
    if (metrics.length === 0 || metrics.some(isMissing)) return 'no data';
    if (metrics.every(({ state, steps }) => state === 'clear' && steps >= leastSteps)) return 'pass';
    if (!this.#isOver) return 'undecided';
    return metrics.every(({ state }) => state === 'clear' || state === 'open') ? 'pass' : 'unsure';
  }

  get #isOver(): boolean {
    return this.#step >= this.#rules.mostSteps;
  }

  #isWorse(metrics: readonly MetricReport[]): boolean {
    const worse = metrics.filter(({ state }) => state === 'worse');
    if (worse.some(({ isCritical }) => isCritical)) return true;
    const weightOf = (some: readonly MetricReport[]) =>
      this.#rules.metrics
        .filter(({ name }) => some.some((one) => one.name === name))
        .reduce((sum, { weight }) => sum + weight, 0);
    return worse.length > 0 && weightOf(worse) >= this.#rules.failShare * weightOf(metrics);
  }

  #report({ rules: { name, isCritical }, alpha, tests, steps, lastStep }: Watched): MetricReport {
    const [strongest] = tests.toSorted((a, b) => a.worse.p - b.worse.p);
    const p = strongest ? Math.min(1, strongest.worse.p * tests.length) : 1;
    const isWorse = strongest?.worse.isAlarm === true && steps >= this.#rules.leastSteps;
    const report = (state: MetricReport['state']): MetricReport => {
      const isSeen = state === 'worse' || state === 'uneven' || state === 'suspicious';
      const effect = (isSeen ? strongest?.effect(SURE) : undefined) ?? null;
      const since = (state === 'worse' ? strongest?.worse.since : undefined) ?? null;
      const slowerThan = (isSeen ? strongest?.slowerThan : undefined) ?? null;
      return { name, isCritical, p, steps, state, effect, slowerThan, since };
    };
    if (!strongest) return report('no history');
    if (isWorse) return report(strongest.isUneven ? 'uneven' : 'worse');
    const isStale = this.#step - lastStep >= this.#rules.staleSteps;
    if (isStale || (this.#isOver && steps < this.#rules.leastSteps)) return report('no data');
    if (p <= SUSPICION * alpha) return report('suspicious');
    return report(tests.every(({ clear }) => clear.isAlarm) ? 'clear' : 'open');
  }
}

const isMissing = ({ state }: MetricReport): boolean => state === 'no data' || state === 'no history';
