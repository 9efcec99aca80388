import { type AnalysedMetric, type Analysis, BALANCER } from '../domain/analysis.ts';
import { CanaryJudge } from './anytime/canary-judge.ts';
import type { Judgement, Verdict } from './anytime/judgement.ts';
import type { Effect } from './anytime/metric-test.ts';
import type { JudgeRules } from './anytime/rules.ts';
import type { CanaryTime } from './canary-time.ts';
import { type MeasuredServers, stepsOf } from './measured.ts';
import type { ServerPair } from './servers.ts';

/** What an analysis says of how to judge. */
export const rulesOf = (
  { metrics, alpha, failShare, leastSteps, staleSteps }: Analysis,
  { most }: CanaryTime,
): JudgeRules => ({
  metrics: metrics.map((metric) => {
    const { name, harm, critical, weight, tolerance, allowed } = metric;
    return { name, kind: kindOf(metric), harm, isCritical: critical, weight, tolerance, allowed };
  }),
  ...{ alpha, failShare, leastSteps, staleSteps, mostSteps: most },
});

/** It is counted where it is known of how much. */
export const kindOf = ({ of, source }: AnalysedMetric): 'counts' | 'gauge' =>
  of === undefined && source !== BALANCER ? 'gauge' : 'counts';

export type Watched = {
  readonly analysis: Analysis;
  readonly pairs: readonly ServerPair[];
  readonly time: CanaryTime;
  /** By metric: of all points up to now. One that is left out has no data. */
  readonly measured: ReadonlyMap<string, MeasuredServers>;
};

export type Judged = {
  readonly judgement: Judgement;
  readonly effects: Readonly<Record<string, Effect | null>>;
};

/** Looks at each of so many steps in turn, as it could have been looked at then, up to the first verdict that is one of those wanted. */
export function judgedOf(
  { analysis, pairs, time, measured }: Watched,
  steps: number,
  isWanted: (verdict: Verdict) => boolean,
): Judged {
  const all = analysis.metrics.map((metric) => {
    const of = measured.get(metric.name) ?? new Map();
    return [metric.name, stepsOf(of, { pairs, kind: kindOf(metric) }, time.before + steps)] as const;
  });
  const history = all.map(([name, own]) => [name, own.slice(0, time.before)]);
  const judge = new CanaryJudge(rulesOf(analysis, time), Object.fromEntries(history));
  let judgement = judge.judge();
  for (let step = 0; step < steps && !isWanted(judgement.verdict); step += 1) {
    judge.add(Object.fromEntries(all.map(([name, own]) => [name, own[time.before + step]])));
    judgement = judge.judge();
  }
  return { judgement, effects: judge.effects() };
}
