import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draws } from '../../../test/support/draws.ts';
import { kayentaConfig, type MetricRules } from '../../domain/kayenta-config.ts';
import { type Classified, classify } from './classify.ts';

const NAN = Number.NaN;
const rules = (canary: object = {}): MetricRules => {
  const { metrics } = kayentaConfig.parse({
    name: 'any',
    metrics: [{ name: 'm', analysisConfigurations: { canary } }],
  });
  const [metric] = metrics;
  assert.ok(metric);
  return metric.analysisConfigurations.canary;
};
const labelled = (
  baseline: readonly number[],
  canary: readonly number[],
  how: object = {},
): readonly [Classified['label'], boolean] => {
  const { label, isCritical } = classify({ baseline, canary }, rules(how));
  return [label, isCritical];
};
const LOW = [10, 11, 12, 13, 14, 10, 11, 12, 13, 14];
const HIGH = LOW.map((value) => value * 2);

test('a side without values is without data, unless NaN is 0', () => {
  assert.deepEqual(labelled([NAN], LOW), ['Nodata', false]);
  assert.deepEqual(labelled(LOW, [], { critical: true }), ['Nodata', true]);
  assert.deepEqual(labelled(LOW, [NAN], { mustHaveData: true }), ['NodataFailMetric', false]);
  assert.deepEqual(labelled(LOW, [NAN], { mustHaveData: true, critical: true }), ['Nodata', true]);
  assert.deepEqual(labelled([], [], { nanStrategy: 'replace' }), ['Pass', false]);
  assert.equal(classify({ baseline: [], canary: LOW }, rules()).deviation, 1);
});

test('the same values, and one value on both sides, pass', () => {
  assert.deepEqual(labelled([1, 2, 3], [3, 1, 2]), ['Pass', false]);
  assert.deepEqual(labelled([5, 5, 5], [5, 5]), ['Pass', false]);
});

test('a shift is high or low, by the direction that is looked at', () => {
  assert.deepEqual(labelled(LOW, HIGH), ['High', false]);
  assert.deepEqual(labelled(HIGH, LOW), ['Low', false]);
  assert.deepEqual(labelled(LOW, HIGH, { direction: 'decrease' }), ['Pass', false]);
  assert.deepEqual(labelled(HIGH, LOW, { direction: 'increase' }), ['Pass', false]);
  assert.deepEqual(labelled(LOW, HIGH, { direction: 'sideways', nanStrategy: 'whatever' }), ['High', false]);
});

test('a shift counts from the effect that is allowed, and is critical from that which is critical', () => {
  const effect = (effectSize: object) => labelled(LOW, HIGH, { critical: true, effectSize });
  assert.deepEqual(effect({}), ['High', true]);
  assert.deepEqual(effect({ allowedIncrease: 2.5 }), ['Pass', false]);
  assert.deepEqual(effect({ criticalIncrease: 2.5 }), ['High', false]);
  assert.deepEqual(effect({ measure: 'cles', allowedIncrease: 0.9 }), ['High', true]);
  assert.deepEqual(labelled(HIGH, LOW, { critical: true, effectSize: { criticalDecrease: 0.4 } }), [
    'Low',
    false,
  ]);
});

test('two constants are compared with a little noise, and a constant 0 is not', () => {
  assert.deepEqual(labelled(Array(20).fill(5), Array(20).fill(6)), ['High', false]);
  assert.deepEqual(labelled(Array(20).fill(0), Array(20).fill(6), {}), ['High', false]);
  const again = () => classify({ baseline: Array(20).fill(5), canary: Array(20).fill(6) }, rules());
  assert.deepEqual(again(), again());
});

test('one against one is an error, and not critical', () => {
  const { label, isCritical, reason } = classify({ baseline: [1], canary: [2] }, rules({ critical: true }));
  assert.deepEqual([label, isCritical], ['Error', false]);
  assert.match(reason, /tied/);
});

test('outliers go where that is asked for, by fences that hold for the values of one side', () => {
  const spiked = [...LOW, 1_000];
  const kept = classify({ baseline: LOW, canary: spiked }, rules());
  const removed = classify({ baseline: LOW, canary: spiked }, rules({ outliers: { strategy: 'remove' } }));
  assert.deepEqual([kept.canary.max, kept.canary.count], [1_000, 11]);
  // The hundredth percentile but one is over the fence of the quartiles here, and under the spike.
  assert.deepEqual([removed.canary.max, removed.canary.count], [14, 10]);
});

test('the summary is that of what was compared', () => {
  const { baseline, deviation } = classify({ baseline: [NAN, 1, 3], canary: [4, 4, 5] }, rules());
  assert.deepEqual(baseline, { count: 2, mean: 2, min: 1, max: 3, sd: Math.SQRT2 });
  assert.equal(deviation, 13 / 3 / 2);
});

/** In so many of 100 canaries of an hour; CANARY.md has what Kayenta does with many more of them. */
const alarms = (make: (draws: Draws) => { baseline: number[]; canary: number[] }): number => {
  let count = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    const { label } = classify(make(new Draws(seed)), rules({ direction: 'increase' }));
    if (label === 'High') count += 1;
  }
  return count;
};
const hour = (draw: () => number) => Array.from({ length: 60 }, draw);
const gauge = (draws: Draws) => hour(() => 100 + 10 * draws.normal());

test('as Kayenta it hardly ever cries wolf over independent noise at one look, and finds a tenth more', () => {
  assert.ok(alarms((draws) => ({ baseline: gauge(draws), canary: gauge(draws) })) <= 1);
  const found = alarms((draws) => ({
    baseline: gauge(draws),
    canary: gauge(draws).map((value) => value * 1.1),
  }));
  assert.ok(found >= 90, `${found} of 100`);
});

test('defect 1: more harm is found less often, once half of the minutes are bad', () => {
  const bad = (minutes: number) =>
    alarms((draws) => ({
      baseline: gauge(draws),
      canary: gauge(draws).map((value, minute) => (minute < minutes ? value * 10 : value)),
    }));
  assert.ok(bad(27) >= 80);
  assert.equal(bad(33), 0);
  assert.ok(bad(39) >= 95);
});

test('defect 2: of small numbers it sees little', () => {
  const found = (scale: number) =>
    alarms((draws) => ({
      baseline: gauge(draws).map((value) => value * scale),
      canary: gauge(draws).map((value) => value * scale * 1.5),
    }));
  assert.ok(found(1) >= 99);
  assert.ok(found(1e-7) <= 10);
});

test('defect 4: servers that always differed count as regressions', () => {
  const server = (draws: Draws) => {
    const level = Math.exp(0.05 * draws.normal());
    return gauge(draws).map((value) => value * level);
  };
  const found = alarms((draws) => ({ baseline: server(draws), canary: server(draws) }));
  assert.ok(found >= 10 && found <= 35, `${found} of 100`);
});

test('defect 5: errors that only the canary has may pass', () => {
  assert.deepEqual(labelled([0, 0, 0, 0, 0, 0], [0, 3, 0, 2, 4, 0], { direction: 'increase' }), [
    'Pass',
    false,
  ]);
});
