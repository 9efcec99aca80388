import type { MetricStep } from './metric-step.ts';

/** How one metric is judged. */
export type MetricRules = {
  readonly name: string;
  readonly kind: MetricStep['kind'];
  /** Of durations only more is. */
  readonly harm: 'more' | 'less' | 'either';
  /** Of durations: the ascending bounds of their histograms. */
  readonly bounds?: readonly number[];
  /** Whether the canary fails by this one alone. */
  readonly isCritical: boolean;
  /** Its part in the metrics: of alpha, and of those that have to be worse where none is critical. */
  readonly weight: number;
  /** A rise, or fall, of which nobody needs to hear, and one that a canary may have and be let pass: 0.02 is 2 %. */
  readonly tolerance: number;
  readonly allowed: number;
};

export type JudgeRules = {
  readonly metrics: readonly MetricRules[];
  /** The most canaries without harm that may fail, of all metrics together and however often they are looked at. */
  readonly alpha: number;
  /** Fails where metrics of so much of all weights are worse, without a critical one: of 0 any suffices. */
  readonly failShare: number;
  /** Steps with data that a verdict needs of a metric. */
  readonly leastSteps: number;
  /** After so many steps all that is not worse passes, or is unsure. */
  readonly mostSteps: number;
  /** So many steps in a row without data of a metric are no data. */
  readonly staleSteps: number;
};
