import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { alarmsOf, COUNTS, HISTORY_MINUTES, middleOf } from '../../../test/support/canary-families.ts';
import { Draws } from '../../../test/support/draws.ts';
import { countedTest } from './counted.ts';
import { type Counted, CountTest, dispersionOf } from './counts.ts';

const OPTIONS = { alpha: 0.01, tolerance: 0 };

const counted = (canary: number, baseline: number): Counted => ({
  ...{ canary, baseline, canaryExposure: 1, baselineExposure: 1 },
});

type Harm = { readonly effect?: number; readonly from?: number };

function alarms(family: string, { effect = 1, from = 0 }: Harm): readonly number[] {
  return alarmsOf(
    (draws, minutes) => {
      const rate = (minute: number) => (minute >= HISTORY_MINUTES + from ? effect : 1);
      const [baseline, canary] = COUNTS[family]?.(draws, minutes, rate) ?? [[], []];
      const of = (minute: number) => counted(canary[minute] ?? 0, baseline[minute] ?? 0);
      const history = Array.from({ length: HISTORY_MINUTES }, (_, minute) => of(minute));
      const running = countedTest(history, OPTIONS);
      return {
        add: (minute) => running.add(of(minute)),
        get isAlarm() {
          return running.standing.isAlarm;
        },
      };
    },
    { from },
  );
}

describe('a count that is looked at each minute', () => {
  for (const family of Object.keys(COUNTS)) {
    test(`hardly ever cries wolf: ${family}`, () => {
      const seen = alarms(family, {}).length;
      assert.ok(seen <= 6, `${seen} of 200`);
    });
  }

  const found = [
    { family: 'poisson6', effect: 2, within: 6, least: 199 },
    { family: 'poisson6', effect: 2, from: 30, within: 13, least: 194 },
    { family: 'poisson.3', effect: 3, within: 34, least: 166 },
    { family: 'poisson.3', effect: 10, within: 6, least: 199 },
    { family: 'negbin6', effect: 3, within: 34, least: 130 },
  ];
  for (const { family, within, least, ...harm } of found) {
    test(`finds ${harm.effect} times as much within ${within} minutes, as a rule: ${family}${harm.from ? ' from minute 30 on' : ''}`, () => {
      const after = alarms(family, harm).filter((minutes) => minutes > 0);
      assert.ok(after.length >= least && middleOf(after) <= within, `${after.length} in ${middleOf(after)}`);
    });
  }
});

test('independent events are tested as counts, and bursts as a gauge', () => {
  const historyOf = (family: string): readonly Counted[] => {
    const [baseline, canary] = COUNTS[family]?.(new Draws(3), HISTORY_MINUTES, () => 1) ?? [[], []];
    return baseline.map((count, minute) => counted(canary[minute] ?? 0, count));
  };
  assert.equal(countedTest(historyOf('poisson6'), OPTIONS).kind, 'counts');
  assert.equal(countedTest(historyOf('poisson.3'), OPTIONS).kind, 'counts');
  assert.equal(countedTest(historyOf('negbin6'), OPTIONS).kind, 'gauge');
  assert.equal(countedTest([], OPTIONS).kind, 'counts');
  assert.ok(dispersionOf(historyOf('negbin6')).of > 2);
});

const both = fc.array(
  fc.record({ canary: fc.integer({ min: 0, max: 20 }), baseline: fc.integer({ min: 0, max: 20 }) }),
  { maxLength: 60 },
);
const after = (steps: readonly Counted[]): CountTest => {
  const running = new CountTest({ alpha: 0.01, tolerated: 1, dispersion: 1 });
  for (const step of steps) running.add(step);
  return running;
};

test('more events on the canary never mean less evidence, and more on the baseline never more', () => {
  fc.assert(
    fc.property(both, fc.integer({ min: 0, max: 9 }), (steps, more) => {
      const by = (canary: number, baseline: number) =>
        after(steps.map((step) => counted(step.canary + canary, step.baseline + baseline))).evidence;
      assert.ok(by(more, 0) >= by(0, 0) * (1 - 1e-9));
      assert.ok(by(0, more) <= by(0, 0) * (1 + 1e-9));
    }),
  );
});

test('what counts is the part of the events by the part of the exposure, whatever its unit', () => {
  fc.assert(
    fc.property(both, fc.constantFrom(1e-6, 0.1, 1e6), (steps, unit) => {
      const of = (scale: number) =>
        after(steps.map((step) => ({ ...step, canaryExposure: 2 * scale, baselineExposure: 3 * scale })))
          .evidence;
      assert.ok(Math.abs(of(unit) - of(1)) <= 1e-6 * of(1));
    }),
  );
});

test('a step without exposure, or without a number, proves nothing', () => {
  const odd: readonly Counted[] = [
    { canary: 9, baseline: 0, canaryExposure: 0, baselineExposure: 5 },
    { canary: 9, baseline: 0, canaryExposure: 5, baselineExposure: Number.NaN },
    { canary: Number.NaN, baseline: 0, canaryExposure: 5, baselineExposure: 5 },
    { canary: Number.POSITIVE_INFINITY, baseline: 0, canaryExposure: 5, baselineExposure: 5 },
  ];
  assert.deepEqual([after(odd).evidence, after(odd).p], [1, 1]);
});

test('errors that only the canary has are found with the twelfth', () => {
  assert.equal(after(Array(6).fill(counted(2, 0))).isAlarm, true);
  assert.equal(after([counted(3, 0)]).isAlarm, false);
});
