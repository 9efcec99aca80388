import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shiftOf } from './mann-whitney.ts';

/** Eighths, so that sums are exact and equal values stay equal. */
const eighths = fc.integer({ min: -8_000, max: 8_000 }).map((n) => n / 8);
const values = fc.array(eighths, { minLength: 3, maxLength: 25 });

test('the interval holds the estimate, and moves with the canary', () => {
  fc.assert(
    fc.property(values, values, eighths, (canary, baseline, by) => {
      fc.pre(new Set(canary).size > 1 || new Set(baseline).size > 1);
      const shift = shiftOf(canary, baseline);
      assert.ok(shift.lower <= shift.estimate + 2e-4 && shift.estimate <= shift.upper + 2e-4);
      const moved = shiftOf(
        canary.map((value) => value + by),
        baseline,
      );
      for (const limit of ['lower', 'upper', 'estimate'] as const)
        assert.ok(Math.abs(moved[limit] - shift[limit] - by) < 3e-4, `${limit} of ${by}`);
    }),
  );
});

test('the estimate is the median of all differences, where it is one of them', () => {
  const [canary, baseline] = [
    [5, 9, 14],
    [1, 2, 4],
  ];
  // 1 3 4 5 7 8 10 12 13
  assert.ok(Math.abs(shiftOf(canary, baseline).estimate - 7) < 2e-4);
});

test('too few values prove nothing: the interval is as wide as can be', () => {
  const shift = shiftOf([10, 11], [1, 2]);
  assert.ok(shift.lower <= 8 && shift.upper >= 10);
});

test('one against one is all tied at some shift', () => {
  assert.throws(() => shiftOf([2], [1]), /tied/);
});
