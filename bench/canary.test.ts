import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { classify } from '../src/analysis/kayenta/classify.ts';
import { kayentaConfig } from '../src/domain/kayenta-config.ts';
import { judged } from './canary.ts';
import { type Canary, canaryOf, casesOf, FAMILIES, type Sides } from './canary-cases.ts';
import { figuresOf, type Judged } from './canary-figures.ts';
import { byJudge, JUDGES } from './canary-judges.ts';
import { mayBeHigh } from './canary-kayenta.ts';

const SIZES = { withoutHarm: 3, harmed: 2 };

test('the same seed gives the same figures, whatever the number of threads, and another one others', async () => {
  const families: string[] = [];
  const of = (seed: number, threads: number) =>
    judged({ seed, threads, sizes: SIZES, onFamily: (family) => families.push(family) });
  const [one, three, other] = [await of(1, 1), await of(1, 3), await of(2, 2)];
  assert.deepEqual(three, one);
  assert.notDeepEqual(other.judges, one.judges);
  assert.deepEqual(families.slice(0, FAMILIES.length), FAMILIES);
  assert.deepEqual(Object.keys(one.judges.anytime.falseAlarms), FAMILIES);
  const cases = FAMILIES.flatMap(casesOf).flatMap(({ name, harm }) => (harm ? [name] : []));
  for (const { cases: figures } of Object.values(one.judges)) assert.deepEqual(Object.keys(figures), cases);
});

test('what came after the harm began was found, and what came before was early', () => {
  const [late] = casesOf('normal').filter(({ name }) => name === 'normal x1.5 at 30');
  assert.ok(late);
  const lots = [
    [31, 30],
    [44, 36, 2],
  ].map((minutes) => byJudge(() => minutes));
  const all: readonly Judged[] = [
    { case: late, canaries: 10, lots },
    { case: { name: 'normal', family: 'normal' }, canaries: 10, lots },
  ];
  const { anytime } = figuresOf(1, all).judges;
  assert.deepEqual(anytime.cases, { [late.name]: { found: 0.3, medianMin: 6, early: 0.2 } });
  assert.deepEqual(anytime.falseAlarms, { normal: 0.5 });
  const none = figuresOf(1, [{ case: late, canaries: 10, lots: [] }]).judges.anytime;
  assert.deepEqual(none.cases[late.name], { found: 0, medianMin: null, early: 0 });
});

describe('a judge', () => {
  const normal = (effect: number): Canary =>
    canaryOf({ name: 'any', family: 'normal', harm: { effect, from: 10 } }, 1, 1);

  test('alarms in the first minute in which it looks and has seen enough', () => {
    const bad = normal(3);
    assert.equal(JUDGES.threshold(bad), 13);
    assert.equal(JUDGES.kayenta60(bad), 60);
    assert.ok([20, 30, 40].includes(JUDGES.kayenta10(bad) ?? 0));
    const [soon = 0, growing = 0] = [JUDGES.anytime(bad), JUDGES.kayenta1(bad)];
    assert.ok(soon > 10 && soon <= 13, `${soon}`);
    assert.ok(growing > soon && growing <= 40, `${growing}`);
  });

  test('does not alarm where nothing is worse', () => {
    const good = normal(1);
    for (const [name, judge] of Object.entries(JUDGES)) assert.equal(judge(good), undefined, name);
  });

  test('has no use for minutes that are missing', () => {
    const { minutes, ...others } = normal(3);
    const gone = { ...others, minutes: { ...minutes, canary: minutes.canary.map(() => Number.NaN) } };
    for (const [name, judge] of Object.entries(JUDGES)) assert.equal(judge(gone), undefined, name);
  });
});

describe('what cannot be High by Kayenta is told without its rule', () => {
  const [metric] = kayentaConfig.parse({
    name: 'any',
    metrics: [{ name: 'm', analysisConfigurations: { canary: { direction: 'increase' } } }],
  }).metrics;
  const isMissed = (sides: Sides): boolean => {
    assert.ok(metric);
    const { label } = classify(sides, metric.analysisConfigurations.canary);
    return label === 'High' && !mayBeHigh(sides);
  };

  test('of any values, with ties or without, large and small', () => {
    const values = fc.oneof(
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 30 }),
      fc.array(fc.double({ min: 0, max: 1e-3, noNaN: true }), { maxLength: 30 }),
      fc.array(fc.oneof(fc.double({ min: -9, max: 9, noNaN: true }), fc.constant(Number.NaN)), {
        maxLength: 30,
      }),
    );
    const shift = fc.constantFrom(0, 1e-4, 1, 3);
    fc.assert(
      fc.property(values, values, shift, (baseline, canary, by) => {
        assert.ok(!isMissed({ baseline, canary: canary.map((value) => value + by) }));
      }),
      { numRuns: 300 },
    );
  });

  test('of the families, and it spares most looks', () => {
    let spared = 0;
    const cases = FAMILIES.flatMap(casesOf);
    for (const of of cases) {
      const { minutes } = canaryOf(of, 1, 1);
      assert.ok(!isMissed(minutes), of.name);
      if (!of.harm && !mayBeHigh(minutes)) spared += 1;
    }
    assert.ok(spared >= FAMILIES.length / 2, `${spared}`);
  });
});
