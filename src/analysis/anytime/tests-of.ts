import type { MetricStep } from './metric-step.ts';
import {
  type MetricTest,
  type TestOptions,
  testOfCounts,
  testOfGauge,
  testOfLatency,
} from './metric-test.ts';
import type { MetricRules } from './rules.ts';

/** The most that may be wrong of an interval, and with being clear. */
export const SURE = 0.05;

type History = Readonly<Record<string, readonly MetricStep[]>>;

/** One for each way in which a metric may be worse; none where there is too little history. `alpha`: of all together. */
export function testsOf(
  rules: MetricRules,
  alpha: number,
  history: History,
): readonly MetricTest<MetricStep>[] {
  const { name, kind, harm, tolerance, allowed } = rules;
  const ways = harm === 'either' && kind !== 'latency' ? (['more', 'less'] as const) : [wayOf(rules)];
  return ways.flatMap((way) => {
    const options = { alpha: alpha / ways.length, clearAlpha: SURE, tolerance, allowed, harm: way };
    return testOf(rules, history[name] ?? [], options) ?? [];
  });
}

const wayOf = ({ kind, harm }: MetricRules): 'more' | 'less' =>
  kind !== 'latency' && harm === 'less' ? 'less' : 'more';

function testOf(
  { kind, bounds = [] }: MetricRules,
  history: readonly MetricStep[],
  options: TestOptions,
): MetricTest<MetricStep> | undefined {
  switch (kind) {
    case 'counts': {
      const test = testOfCounts(
        history.filter((step) => step.kind === 'counts'),
        options,
      );
      return taking(test, (step) => step.kind === 'counts' && test.add(step));
    }
    case 'gauge': {
      const steps = history.filter((step) => step.kind === 'gauge').map(({ pairs }) => pairs);
      const test = testOfGauge(steps, options);
      return test && taking(test, (step) => step.kind === 'gauge' && test.add(step.pairs));
    }
    case 'latency': {
      const test = testOfLatency(
        history.filter((step) => step.kind === 'latency'),
        bounds,
        options,
      );
      return taking(test, (step) => step.kind === 'latency' && test.add(step));
    }
    default:
      return kind satisfies never;
  }
}

const taking = <Step>(
  test: MetricTest<Step>,
  add: (step: MetricStep) => boolean,
): MetricTest<MetricStep> => ({
  worse: test.worse,
  clear: test.clear,
  get isUneven() {
    return test.isUneven;
  },
  get slowerThan() {
    return test.slowerThan;
  },
  effect: (alpha) => test.effect(alpha),
  add,
});
