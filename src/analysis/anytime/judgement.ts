import type { Effect } from './metric-test.ts';

/** `undecided`: it goes on. */
export type Verdict = 'undecided' | 'pass' | 'fail' | 'unsure' | 'no data';

/** How one metric stands. `p`: the chance of so much evidence of harm, by now or before, without any. */
export type MetricReport = {
  readonly name: string;
  readonly state: 'worse' | 'uneven' | 'suspicious' | 'open' | 'clear' | 'no data' | 'no history';
  readonly isCritical: boolean;
  readonly p: number;
  /** Of one that is not as it should be. */
  readonly effect: Effect | null;
  /** Of durations: above which bound the canary has too many requests. */
  readonly slowerThan: number | null;
  /** After how many steps harm began, of one that is worse. */
  readonly since: number | null;
  readonly steps: number;
};

export type Judgement = {
  readonly verdict: Verdict;
  /** One sentence for a person. */
  readonly reason: string;
  readonly step: number;
  readonly metrics: readonly MetricReport[];
};
