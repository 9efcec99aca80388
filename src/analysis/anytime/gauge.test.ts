import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { alarmsOf, GAUGES, HISTORY_MINUTES, middleOf } from '../../../test/support/canary-families.ts';
import { Draws } from '../../../test/support/draws.ts';
import { GaugeTest } from './gauge.ts';
import { type Learnt, learn } from './learnt.ts';

const OPTIONS = { alpha: 0.01, tolerance: 0.02, fleetSpread: 0, unit: 1 };

function learnt(differences: readonly number[]): Learnt {
  const known = learn(differences);
  assert.ok(known);
  return known;
}

type Harm = { readonly effect?: number; readonly from?: number };

function alarms(family: string, { effect = 1, from = 0 }: Harm): readonly number[] {
  return alarmsOf(
    (draws, minutes) => {
      const [baseline, canary] = GAUGES[family]?.(draws, minutes) ?? [[], []];
      const difference = (minute: number) =>
        Math.log((canary[minute] ?? 0) * (minute >= HISTORY_MINUTES + from ? effect : 1)) -
        Math.log(baseline[minute] ?? 0);
      const history = Array.from({ length: HISTORY_MINUTES }, (_, minute) => difference(minute));
      const running = new GaugeTest(learnt(history), OPTIONS);
      return {
        add: (minute) => running.add(difference(minute)),
        get isAlarm() {
          return running.isAlarm;
        },
      };
    },
    { from },
  );
}

describe('a gauge that is looked at each minute', () => {
  for (const family of Object.keys(GAUGES)) {
    test(`hardly ever cries wolf: ${family}`, () => {
      // At most 1 in 100 is promised; of 200 more than 6 would be a thing of one in a hundred then.
      const seen = alarms(family, {}).length;
      assert.ok(seen <= 6, `${seen} of 200`);
    });
  }

  const found = [
    { family: 'normal', effect: 1.25, within: 8, least: 198 },
    { family: 'normal', effect: 1.5, from: 30, within: 8, least: 198 },
    { family: 'ar.8', effect: 1.5, within: 11, least: 192 },
    { family: 'diurnal', effect: 1.1, within: 17, least: 184 },
    { family: 'spikes', effect: 1.5, within: 6, least: 196 },
    { family: 'missing', effect: 1.25, within: 14, least: 196 },
    { family: 'hotserver', effect: 1.25, within: 8, least: 198 },
    { family: 'tiny', effect: 1.25, within: 8, least: 198 },
  ];
  for (const { family, within, least, ...harm } of found) {
    test(`finds ${harm.effect} times as much within ${within} minutes, as a rule: ${family}${harm.from ? ' from minute 30 on' : ''}`, () => {
      const after = alarms(family, harm).filter((minutes) => minutes > 0);
      assert.ok(after.length >= least && middleOf(after) <= within, `${after.length} in ${middleOf(after)}`);
    });
  }
});

const known: Learnt = { centre: 0.1, scale: 0.2, memory: 0.5, count: 240 };
const differences = fc.array(fc.oneof(fc.double({ min: -2, max: 2, noNaN: true }), fc.constant(Number.NaN)), {
  maxLength: 70,
});
const after = (values: readonly number[], of = known): GaugeTest => {
  const running = new GaugeTest(of, OPTIONS);
  for (const value of values) running.add(value);
  return running;
};

test('more harm at every minute never means less evidence of it', () => {
  fc.assert(
    fc.property(differences, fc.double({ min: 0, max: 3, noNaN: true }), (values, harm) => {
      const more = after(values.map((value) => value + harm));
      assert.ok(more.evidence >= after(values).evidence * (1 - 1e-9));
    }),
  );
});

test('minutes without values prove nothing, and are no reason to doubt what was seen', () => {
  fc.assert(
    fc.property(differences, (values) => {
      const running = after(values);
      const before = running.p;
      for (let minute = 0; minute < 30; minute += 1) running.add(Number.NaN);
      assert.equal(running.p, before);
    }),
  );
  assert.deepEqual([after([Number.NaN]).evidence, after([]).p], [1, 1]);
});

test('one value never suffices, however far it lies, and what has no end is one', () => {
  for (const value of [5, 1e300, Number.POSITIVE_INFINITY]) assert.equal(after([value]).isAlarm, false);
  assert.ok(Number.isFinite(after([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]).evidence));
});

test('the p-value never rises again', () => {
  fc.assert(
    fc.property(differences, (values) => {
      const running = new GaugeTest(known, OPTIONS);
      let before = 1;
      for (const value of values) {
        running.add(value);
        assert.ok(running.p <= before);
        before = running.p;
      }
    }),
  );
});

describe('a gauge that hardly ever moves', () => {
  /** Differences of logarithms: noise of a hundredth of what is tolerated, or none. */
  const quiet = (noise: number, effect: number) => {
    const draws = new Draws(5);
    const value = (of: number) => Math.log(of) + noise * draws.normal();
    const running = new GaugeTest(learnt(Array.from({ length: 240 }, () => value(1))), OPTIONS);
    let minutes = 0;
    for (; minutes < 60 && !running.isAlarm; minutes += 1) running.add(value(effect));
    return { minutes, running };
  };
  for (const noise of [0, 0.0002, 0.005, 0.01]) {
    test(`harm is found at once, and none is made of what is tolerated: ${noise}`, () => {
      for (const effect of [1.05, 1.1, 10]) assert.ok(quiet(noise, effect).minutes <= 8, `${effect}`);
      for (const effect of [0.1, 1, 1.02])
        assert.equal(quiet(noise, effect).running.isAlarm, false, `${effect}`);
    });
  }

  test('the shift is that of the values, however far they lie beyond the noise', () => {
    const { running } = quiet(0.0002, 10);
    const { shift, least, most } = running.shift(0.05) ?? assert.fail();
    assert.ok(Math.abs(shift - Math.log(10)) < 0.01, `${shift}`);
    assert.ok(least > 0 && least < shift);
    assert.equal(most, Number.POSITIVE_INFINITY);
  });
});

test('too little history is none, and gaps in it are no memory', () => {
  assert.equal(learn(Array(29).fill(0.1)), undefined);
  const draws = new Draws(1);
  const noise = Array.from({ length: 240 }, () => 0.1 * draws.normal());
  const { centre, scale, memory } = learnt(noise.flatMap((value) => [value, Number.NaN]));
  assert.ok(Math.abs(centre) < 0.02 && scale > 0.09 && scale < 0.13);
  assert.equal(memory, 0);
});

test('a history without any noise has a least scale', () => {
  const { centre, scale, memory } = learnt(Array(60).fill(0.2));
  assert.deepEqual([centre.toFixed(6), memory], ['0.200000', 0]);
  assert.ok(scale >= 1e-3 && scale < 2e-3);
});
