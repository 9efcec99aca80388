import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { alarmsOf, HISTORY_MINUTES, middleOf } from '../../../test/support/canary-families.ts';
import type { LatencyHarm, LatencyMinute } from '../../../test/support/canary-latencies.ts';
import { delayed, harmless, LATENCIES, timesAll } from '../../../test/support/canary-latencies.ts';
import { boundsOf, histogramOf, type LatencyStep } from './histograms.ts';
import { LatencyTest } from './latency.ts';

const OPTIONS = { alpha: 0.01, tolerance: 0 };

/** More tell no more of where the quantiles are. */
const FOR_BOUNDS = 5000;

type Case = { readonly requests: number; readonly canaries: number; readonly harm?: LatencyHarm };

/** Both sides with so many requests a minute, looked at each minute. */
function alarms(
  family: keyof typeof LATENCIES,
  { requests, canaries, harm = harmless }: Case,
): readonly number[] {
  return alarmsOf(
    (draws) => {
      const minute = LATENCIES[family](draws, requests);
      const history = Array.from({ length: HISTORY_MINUTES }, () => minute(harmless));
      const first = history.slice(0, FOR_BOUNDS / requests);
      const bounds = boundsOf(first.flatMap(({ canary, baseline }) => [...canary, ...baseline]));
      const counts = (durations: readonly number[]) => histogramOf(durations, bounds);
      const stepOf = ({ canary, baseline }: LatencyMinute): LatencyStep => ({
        ...{ canary: counts(canary), baseline: counts(baseline) },
      });
      const running = new LatencyTest(bounds, history.map(stepOf), OPTIONS);
      return {
        add: () => running.add(stepOf(minute(harm))),
        get isAlarm() {
          return running.isAlarm;
        },
      };
    },
    { canaries },
  );
}

describe('durations that are looked at each minute', () => {
  // At most 1 in 100 is promised; more than these would be a thing of less than one in a hundred then.
  for (const family of ['alike', 'shocks', 'hotserver'] as const) {
    for (const { most, ...of } of [
      { requests: 100, canaries: 120, most: 4 },
      { requests: 1000, canaries: 15, most: 1 },
    ]) {
      test(`hardly ever cry wolf: ${family}, ${of.requests} a minute`, () => {
        const seen = alarms(family, of).length;
        assert.ok(seen <= most, `${seen} of ${of.canaries}`);
      });
    }
  }

  const found = [
    { what: '1.25 times as long', harm: timesAll(1.25), requests: 100, canaries: 60, within: 7 },
    { what: '1.25 times as long', harm: timesAll(1.25), requests: 1000, canaries: 10, within: 1 },
    { what: '1.1 times as long', harm: timesAll(1.1), requests: 1000, canaries: 10, within: 6 },
    { what: '3 of 100 delayed', harm: delayed(0.03), requests: 100, canaries: 100, within: 6 },
    { what: '3 of 100 delayed', harm: delayed(0.03), requests: 1000, canaries: 10, within: 1 },
    { what: '1 of 100 delayed', harm: delayed(0.01), requests: 1000, canaries: 10, within: 4 },
  ];
  for (const { what, within, ...of } of found) {
    test(`tell within ${within} minutes, as a rule: ${what}, ${of.requests} a minute`, () => {
      const after = alarms('alike', of);
      assert.equal(after.length, of.canaries);
      assert.ok(middleOf(after) <= within, `in ${middleOf(after)}`);
    });
  }

  for (const family of ['shocks', 'hotserver'] as const) {
    test(`tell what goes beyond what each side has of its own: ${family}`, () => {
      const after = alarms(family, { harm: timesAll(1.25), requests: 1000, canaries: 10 });
      assert.ok(after.length === 10 && middleOf(after) <= 4, `${after.length} in ${middleOf(after)}`);
    });
  }
});

const BOUNDS = [0.1, 0.25, 1];
const histogram = fc.array(fc.nat({ max: 40 }), { minLength: 4, maxLength: 4 });
const steps = fc.array(fc.record({ canary: histogram, baseline: histogram }), { maxLength: 40 });
const after = (of: readonly LatencyStep[], history: readonly LatencyStep[] = []): LatencyTest => {
  const running = new LatencyTest(BOUNDS, history, OPTIONS);
  for (const step of of) running.add(step);
  return running;
};

test('more slow requests on the canary never mean less evidence, more on the baseline never more, and the same the same', () => {
  const places = { from: fc.nat({ max: 3 }), by: fc.nat({ max: 3 }), many: fc.nat({ max: 20 }) };
  fc.assert(
    fc.property(steps, fc.record(places), (seen, { from, by, many }) => {
      const slowed = (counts: readonly number[]) => {
        const moved = Math.min(many, counts[from] ?? 0);
        const to = Math.min(3, from + by);
        return counts.map((count, at) => count - (at === from ? moved : 0) + (at === to ? moved : 0));
      };
      const { evidence } = after(seen);
      assert.equal(after(seen).evidence, evidence);
      const worse = after(seen.map((step) => ({ ...step, canary: slowed(step.canary) })));
      const better = after(seen.map((step) => ({ ...step, baseline: slowed(step.baseline) })));
      assert.ok(worse.evidence >= evidence * (1 - 1e-9));
      assert.ok(better.evidence <= evidence * (1 + 1e-9));
    }),
  );
});

test('a step without requests, or without numbers, proves nothing, and the p-value never rises again', () => {
  const odd = fc.constantFrom([], [0, 0, 0, 0], [1, 2], [9, Number.NaN, 0, 0], [9, -1, 0, 0]);
  fc.assert(
    fc.property(steps, odd, (seen, gap) => {
      const running = after([]);
      let before = 1;
      for (const step of seen) {
        running.add(step);
        assert.ok(running.p <= before);
        before = running.p;
        running.add({ ...step, canary: gap });
        running.add({ ...step, baseline: gap });
        assert.equal(running.p, before);
      }
      assert.ok(Number.isFinite(before));
    }),
  );
});

test('one slow request never suffices, however many were fast', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (canary, baseline) => {
      const one = after([{ canary: [canary, 0, 0, 1], baseline: [baseline, 0, 0, 0] }]);
      assert.equal(one.isAlarm, false);
    }),
  );
});

test('it names the bound above which there is too much', () => {
  const seen = { canary: [80, 10, 2, 8], baseline: [80, 10, 10, 0] };
  assert.equal(after(Array(10).fill(seen)).slowerThan, 1);
  assert.equal(after([]).slowerThan, undefined);
});

test('what no request took before is tested too, and shares its fate as what is below it', () => {
  const historyOf = (slow: (minute: number) => number): readonly LatencyStep[] =>
    Array.from({ length: 60 }, (_, at) => ({ canary: [90, slow(at), 0, 0], baseline: [90, 10, 0, 0] }));
  const calm = historyOf((at) => 9 + (at % 2));
  const stormy = historyOf((at) => (Math.floor(at / 8) % 2 ? 50 : 10));
  const seen = Array(4).fill({ canary: [90, 6, 0, 4], baseline: [90, 10, 0, 0] });
  assert.equal(after(seen, calm).isAlarm, true);
  assert.equal(after(seen, stormy).isAlarm, false);
});
