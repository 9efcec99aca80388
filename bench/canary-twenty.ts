import { CanaryJudge } from '../src/analysis/anytime/canary-judge.ts';
import type { Verdict } from '../src/analysis/anytime/judgement.ts';
import type { MetricStep } from '../src/analysis/anytime/metric-step.ts';
import type { JudgeRules, MetricRules } from '../src/analysis/anytime/rules.ts';
import { COUNTS, GAUGES, HISTORY_MINUTES } from '../test/support/canary-families.ts';
import { Draws } from '../test/support/draws.ts';

const METRICS = 20;
const MINUTES = HISTORY_MINUTES + 60;
const FAMILIES = [...Object.keys(GAUGES), ...Object.keys(COUNTS)];
/** Nothing is let pass early, so that each canary without an alarm is looked at for all of its 60 minutes. */
const RULES: Omit<JudgeRules, 'metrics'> = {
  ...{ alpha: 0.05, failShare: 0, leastSteps: 3, mostSteps: 60, staleSteps: 20 },
};
const METRIC: Omit<MetricRules, 'name' | 'kind'> = {
  ...{ harm: 'either', isCritical: true, weight: 1, tolerance: 0.02, allowed: 0 },
};

/** Parts of all canaries, by verdict. */
export type TwentyFigures = { readonly canaries: number } & Readonly<Record<Verdict, number>>;

/** Whole canaries of 20 metrics of mixed families, none of them harmed, looked at each minute: what the default judge says of them. */
export function twentyMetrics(seed: number, canaries: number): TwentyFigures {
  const counts = { pass: 0, fail: 0, unsure: 0, 'no data': 0, undecided: 0 };
  for (let canary = 0; canary < canaries; canary += 1)
    counts[verdictOf(new Draws(seed * 1_000_003 + canary))] += 1;
  const parts = Object.entries(counts).map(([verdict, count]) => [verdict, count / canaries]);
  return { canaries, ...(Object.fromEntries(parts) as Record<Verdict, number>) };
}

type Course = { readonly rules: MetricRules; readonly steps: readonly MetricStep[] };

function verdictOf(draws: Draws): Verdict {
  const courses = Array.from({ length: METRICS }, (_, index) => courseOf(draws, index));
  const history = courses.map(({ rules, steps }) => [rules.name, steps.slice(0, HISTORY_MINUTES)]);
  const metrics = courses.map(({ rules }) => rules);
  const judge = new CanaryJudge({ metrics, ...RULES }, Object.fromEntries(history));
  let { verdict } = judge.judge();
  for (let minute = HISTORY_MINUTES; minute < MINUTES && verdict === 'undecided'; minute += 1) {
    judge.add(Object.fromEntries(courses.map(({ rules, steps }) => [rules.name, steps[minute]])));
    ({ verdict } = judge.judge());
  }
  return verdict;
}

function courseOf(draws: Draws, index: number): Course {
  const family = FAMILIES[draws.int(0, FAMILIES.length - 1)] ?? 'normal';
  const counts = COUNTS[family]?.(draws, MINUTES, () => 1);
  const [baseline = [], canary = []] = counts ?? GAUGES[family]?.(draws, MINUTES) ?? [];
  const kind = counts ? 'counts' : 'gauge';
  const steps = baseline.map((value, minute) => stepOf(kind, canary[minute] ?? 0, value));
  return { rules: { name: `${family} ${index}`, kind, ...METRIC }, steps };
}

function stepOf(kind: 'counts' | 'gauge', canary: number, baseline: number): MetricStep {
  if (kind === 'counts') return { kind, canary, baseline, canaryExposure: 1, baselineExposure: 1 };
  return { kind, pairs: [{ canary, baseline }] };
}
