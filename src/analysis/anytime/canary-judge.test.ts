import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { COUNTS, GAUGES, HISTORY_MINUTES } from '../../../test/support/canary-families.ts';
import { Draws } from '../../../test/support/draws.ts';
import { CanaryJudge } from './canary-judge.ts';
import type { Judgement } from './judgement.ts';
import type { MetricStep } from './metric-step.ts';
import type { JudgeRules, MetricRules } from './rules.ts';

const MINUTES = HISTORY_MINUTES + 60;

const rulesOf = (metrics: readonly MetricRules[], rules: Partial<JudgeRules> = {}): JudgeRules => {
  const common = { alpha: 0.05, failShare: 0, leastSteps: 3, mostSteps: 60, staleSteps: 5 };
  return { metrics, ...common, ...rules };
};

const metric = (name: string, kind: MetricRules['kind'], rules: Partial<MetricRules> = {}): MetricRules => {
  const common = { harm: 'more', isCritical: true, weight: 1, tolerance: 0.02, allowed: 0.25 } as const;
  return { name, kind, ...common, ...rules };
};

const gaugeStep = (canary: number, baseline: number): MetricStep => ({
  kind: 'gauge',
  pairs: [{ canary, baseline }],
});
const countStep = (canary: number, baseline: number, requests = 1_000): MetricStep => ({
  ...{ kind: 'counts', canary, baseline },
  ...{ canaryExposure: requests, baselineExposure: requests },
});

type Course = { readonly metric: MetricRules; readonly steps: readonly MetricStep[] };

/** One metric of a family, history and canary together; `effect`: how many times as much the canary has from its minute `from` on. */
function course(family: string, draws: Draws, { effect = 1, from = 0, name = family } = {}): Course {
  const rate = (minute: number) => (minute >= HISTORY_MINUTES + from ? effect : 1);
  const counts = COUNTS[family]?.(draws, MINUTES, rate);
  const [baseline, canary] = counts ?? GAUGES[family]?.(draws, MINUTES) ?? [[], []];
  const steps = baseline.map((value, minute) =>
    counts ? countStep(canary[minute] ?? 0, value) : gaugeStep((canary[minute] ?? 0) * rate(minute), value),
  );
  return { metric: metric(name, counts ? 'counts' : 'gauge'), steps };
}

/** Looks at it each minute until it is decided. */
function watch(courses: readonly Course[], rules: Partial<JudgeRules> = {}): Judgement {
  const of = (from: number, to: number) =>
    Object.fromEntries(courses.map(({ metric, steps }) => [metric.name, steps.slice(from, to)]));
  const judge = new CanaryJudge(
    rulesOf(
      courses.map((one) => one.metric),
      rules,
    ),
    of(0, HISTORY_MINUTES),
  );
  let judgement = judge.judge();
  for (let minute = HISTORY_MINUTES; minute < MINUTES && judgement.verdict === 'undecided'; minute += 1) {
    judge.add(Object.fromEntries(courses.map(({ metric, steps }) => [metric.name, steps[minute]])));
    judgement = judge.judge();
  }
  return judgement;
}

const FAMILIES = [...Object.keys(GAUGES), ...Object.keys(COUNTS)];
const twenty = (draws: Draws, harmed?: number) =>
  Array.from({ length: 20 }, (_, index) => {
    const family = FAMILIES[index % FAMILIES.length] ?? 'normal';
    return course(family, draws, { name: `${family} ${index}`, ...(index === harmed && { effect: 2 }) });
  });

test('of canaries with 20 metrics and without harm hardly any fails, looked at each minute', () => {
  let failed = 0;
  for (let seed = 1; seed <= 60; seed += 1)
    if (watch(twenty(new Draws(seed))).verdict === 'fail') failed += 1;
  // Of 60, with 1 in 20 promised, more than 8 would be a thing of one in a hundred.
  assert.ok(failed <= 8, `${failed} of 60`);
});

test('one metric that is worse among twenty fails the canary, and is named with its effect and since when', () => {
  const { verdict, reason, step, metrics } = watch(twenty(new Draws(7), 0));
  assert.equal(verdict, 'fail');
  assert.ok(step <= 8, `at step ${step}`);
  const [worse, ...others] = metrics.filter(({ state }) => state === 'worse');
  assert.deepEqual([worse?.name, others], ['normal 0', []]);
  assert.ok(
    worse?.effect && worse.effect.least <= 2 && worse.effect.most >= 2,
    JSON.stringify(worse?.effect),
  );
  assert.match(
    reason,
    /^normal 0 is \d(\.\d)? times that of the baseline \(at least \d(\.\d)?\) from the start, which comes without harm in (at most|fewer than) 1 of (a million|\d[\d,]*) canaries\.$/,
  );
});

test('harm that begins late is found, and said to have begun then', () => {
  const late = course('normal', new Draws(3), { effect: 1.5, from: 30 });
  // Nothing is let pass early of which no rise is allowed.
  const { verdict, metrics } = watch([{ ...late, metric: { ...late.metric, allowed: 0 } }]);
  assert.deepEqual([verdict, metrics[0]?.since], ['fail', 30]);
});

describe('a verdict', () => {
  const quiet = (minutes: number, of = gaugeStep(100, 100)) => Array<MetricStep>(minutes).fill(of);

  test('passes early what is surely not worse than is allowed', () => {
    const { verdict, step, reason } = watch([course('normal', new Draws(1))]);
    assert.equal(verdict, 'pass');
    assert.ok(step < 30, `at step ${step}`);
    assert.equal(reason, '1 metric without harm, all surely without more than is allowed.');
  });

  test('passes at the end what is neither worse nor surely well', () => {
    const wide = course('lognormal', new Draws(1));
    const { verdict, step } = watch([{ ...wide, metric: { ...wide.metric, allowed: 0.1 } }]);
    assert.deepEqual([verdict, step], ['pass', 60]);
  });

  test('is never a pass of nothing: neither of no data nor of too little', () => {
    const courses = (steps: readonly MetricStep[]) => [{ metric: metric('errors', 'counts'), steps }];
    const empty = countStep(0, 0, 0);
    const none = watch(courses([...quiet(240, countStep(1, 1)), ...quiet(60, empty)]));
    assert.deepEqual([none.verdict, none.step], ['no data', 5]);
    assert.equal(none.reason, 'There is no data of errors.');
    const rare = [...Array(60).keys()].map((minute) => (minute % 30 === 0 ? countStep(0, 0) : empty));
    const few = watch(courses([...quiet(240, countStep(1, 1)), ...rare]), { staleSteps: 100 });
    assert.deepEqual([few.verdict, few.step], ['no data', 60]);
    assert.equal(few.reason, 'There is too little data of errors.');
  });

  test('says of what had no time to be learnt that it has no history', () => {
    const steps = [...quiet(HISTORY_MINUTES, gaugeStep(Number.NaN, 1)), ...quiet(60)];
    const { verdict, reason } = watch([{ metric: metric('heap', 'gauge'), steps }]);
    assert.equal(verdict, 'no data');
    assert.equal(reason, 'There is too little history of heap.');
  });

  test('fails no canary for the few metrics that are not critical, and says so', () => {
    const draws = new Draws(5);
    const harmed = course('normal', draws, { effect: 2 });
    const others = [1, 2, 3].map((index) => course('normal', draws, { name: `other ${index}` }));
    const courses = [{ ...harmed, metric: { ...harmed.metric, isCritical: false } }, ...others];
    const unsure = watch(courses, { failShare: 0.5 });
    assert.equal(unsure.verdict, 'unsure');
    assert.match(
      unsure.reason,
      /^Harm enough to fail is neither shown nor ruled out: normal is .* \(shown, in too few of the metrics\)\.$/,
    );
    assert.equal(watch(courses, { failShare: 0.25 }).verdict, 'fail');
  });

  test('needs its least evidence, however bad things look', () => {
    const steps = [
      ...course('normal', new Draws(2)).steps.slice(0, HISTORY_MINUTES),
      ...quiet(60, gaugeStep(1e6, 1)),
    ];
    const { verdict, step } = watch([{ metric: metric('load', 'gauge'), steps }], { leastSteps: 9 });
    assert.deepEqual([verdict, step], ['fail', 9]);
  });
});

test('there is no verdict on no metric, and none without a weight', () => {
  assert.equal(new CanaryJudge(rulesOf([]), {}).judge().verdict, 'no data');
  const weightless = () => new CanaryJudge(rulesOf([metric('cpu', 'gauge', { weight: 0 })]), {});
  assert.throws(weightless, /The weight of cpu is not above 0/);
});

test('less is harm where that is said, and either way where that is', () => {
  const fallen = course('normal', new Draws(4), { effect: 0.6 });
  const with_ = (harm: MetricRules['harm']) => [{ ...fallen, metric: { ...fallen.metric, harm } }];
  assert.equal(watch(with_('less')).verdict, 'fail');
  assert.equal(watch(with_('either')).verdict, 'fail');
  assert.equal(watch(with_('more')).verdict, 'pass');
});

test('durations are judged by their histograms, and the bound is named above which there are too many', () => {
  const bounds = [100, 250, 500, 1_000];
  const quick = [50, 30, 15, 4, 1];
  const slow = [45, 28, 14, 5, 8];
  const draws = new Draws(13);
  const drawn = (of: readonly number[]) => of.map((count) => count + draws.int(0, 2));
  const steps = Array.from({ length: MINUTES }, (_, minute): MetricStep => {
    return {
      kind: 'latency',
      canary: drawn(minute < HISTORY_MINUTES ? quick : slow),
      baseline: drawn(quick),
    };
  });
  const durations = { ...metric('latency', 'latency'), bounds };
  const { verdict, reason, metrics } = watch([{ metric: durations, steps }]);
  assert.deepEqual([verdict, metrics[0]?.slowerThan], ['fail', 1_000]);
  assert.match(
    reason,
    /^latency lies above 1000 more often than that of the baseline from the start, which comes without harm/,
  );
  const clean = steps.map((step, minute) => (minute < HISTORY_MINUTES ? step : (steps[minute - 60] ?? step)));
  assert.equal(watch([{ metric: durations, steps: clean }]).verdict, 'pass');
});

test('one hot server of three is no proof against a release, and is told of', () => {
  const draws = new Draws(9);
  const value = (hot = 1) => ({
    canary: hot * (100 + 5 * draws.normal()),
    baseline: 100 + 5 * draws.normal(),
  });
  const steps = Array.from({ length: MINUTES }, (_, minute): MetricStep => {
    const isHot = minute >= HISTORY_MINUTES;
    return { kind: 'gauge', pairs: [value(isHot ? 3 : 1), value(), value()] };
  });
  const { verdict, metrics } = watch([{ metric: metric('cpu', 'gauge'), steps }]);
  assert.deepEqual([verdict, metrics[0]?.state], ['unsure', 'uneven']);
});

test('a server that always was hotter, or says nothing for a while, proves nothing', () => {
  const draws = new Draws(11);
  const steps = Array.from({ length: MINUTES }, (_, minute): MetricStep => {
    const pairs = [1, 2, 4].map((level) => ({
      canary: level * (100 + 5 * draws.normal()),
      baseline: 100 + 5 * draws.normal(),
    }));
    return {
      kind: 'gauge',
      pairs: minute % 3 === 0 ? [{ canary: Number.NaN, baseline: 1 }, ...pairs.slice(1)] : pairs,
    };
  });
  assert.equal(watch([{ metric: metric('cpu', 'gauge'), steps }]).verdict, 'pass');
});

test('neither the order of metrics nor their units change a verdict', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(1e-6, 1e6), (seed, unit) => {
      const courses = (scale: number) => {
        const draws = new Draws(seed);
        return ['normal', 'ar.5', 'poisson6'].map((family, index) => {
          const one = course(family, draws, { effect: index === 1 ? 1.4 : 1 });
          return { ...one, steps: one.steps.map((step) => scaled(step, scale)) };
        });
      };
      const byName = ({ verdict, step, metrics }: Judgement) => ({
        ...{ verdict, step },
        states: Object.fromEntries(metrics.map(({ name, state }) => [name, state])),
      });
      const seen = byName(watch(courses(1)));
      assert.deepEqual(byName(watch(courses(unit).toReversed())), seen);
    }),
    { numRuns: 20 },
  );
});

function scaled(step: MetricStep, by: number): MetricStep {
  if (step.kind === 'counts')
    return {
      ...step,
      canaryExposure: step.canaryExposure * by,
      baselineExposure: step.baselineExposure * by,
    };
  if (step.kind === 'latency') return step;
  return {
    ...step,
    pairs: step.pairs.map(({ canary, baseline }) => ({ canary: canary * by, baseline: baseline * by })),
  };
}
