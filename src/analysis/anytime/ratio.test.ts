import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COUNTS } from '../../../test/support/canary-families.ts';
import { Draws } from '../../../test/support/draws.ts';
import type { Counted } from './counts.ts';
import { CountedRatio } from './ratio.ts';

const counted = (canary: number, baseline: number): Counted => ({
  ...{ canary, baseline, canaryExposure: 1, baselineExposure: 1 },
});

test('the interval holds the ratio at every minute of an hour in at least 95 of 100 canaries', () => {
  let missed = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    const [baseline, canary] = COUNTS.poisson6?.(new Draws(seed), 60, () => 1.5) ?? [[], []];
    const ratio = new CountedRatio(1);
    const holds = baseline.every((count, minute) => {
      ratio.add(counted(canary[minute] ?? 0, count));
      const seen = ratio.ratio(0.05);
      return seen === undefined || (seen.least <= 1.5 && seen.most >= 1.5);
    });
    if (!holds) missed += 1;
  }
  assert.ok(missed <= 5, `${missed} of 100`);
});

test('it becomes narrow with time, and is as wide as the doubt where there is little', () => {
  const ratio = new CountedRatio(1);
  assert.equal(ratio.ratio(0.05), undefined);
  ratio.add(counted(0, 0));
  assert.equal(ratio.ratio(0.05), undefined);
  ratio.add(counted(1, 0));
  assert.deepEqual(ratio.ratio(0.05), {
    ratio: Number.POSITIVE_INFINITY,
    least: ratio.ratio(0.05)?.least,
    most: Number.POSITIVE_INFINITY,
  });
  for (let minute = 0; minute < 200; minute += 1) ratio.add(counted(12, 6));
  const seen = ratio.ratio(0.05);
  assert.ok(seen && seen.least > 1.7 && seen.most < 2.35, JSON.stringify(seen));
});

const both = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { minLength: 1, maxLength: 30 });

test('with the sides exchanged it is the inverse, and the unit of exposure does not matter', () => {
  fc.assert(
    fc.property(both, fc.constantFrom(1e-6, 1, 1e6), (steps, unit) => {
      const [one, other] = [new CountedRatio(1), new CountedRatio(1)];
      for (const [canary, baseline] of steps) {
        one.add({ ...counted(canary, baseline), canaryExposure: 2, baselineExposure: 5 });
        other.add({
          canary: baseline,
          baseline: canary,
          canaryExposure: 5 * unit,
          baselineExposure: 2 * unit,
        });
      }
      const [ours, theirs] = [one.ratio(0.05), other.ratio(0.05)];
      if (!ours || !theirs) return assert.equal(ours, theirs);
      assert.ok(near(ours.least, 1 / theirs.most) && near(ours.most, 1 / theirs.least));
    }),
  );
});

test('a dispersion above 1 makes it wider', () => {
  const [sure, doubtful] = [new CountedRatio(1), new CountedRatio(4)];
  for (const ratio of [sure, doubtful])
    for (let minute = 0; minute < 30; minute += 1) ratio.add(counted(9, 6));
  assert.ok(Number(sure.ratio(0.05)?.least) > Number(doubtful.ratio(0.05)?.least));
  assert.ok(Number(sure.ratio(0.05)?.most) < Number(doubtful.ratio(0.05)?.most));
});

const near = (a: number, b: number): boolean => a === b || Math.abs(Math.log(a / b)) < 0.01;
