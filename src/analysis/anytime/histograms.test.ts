import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boundsOf, histogramOf, slowerOf } from './histograms.ts';

const durations = fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 200 });

test('a duration lies in the bucket of the first bound that it does not exceed', () => {
  const taken = [1, 10, 11, 20, 21, Number.POSITIVE_INFINITY, Number.NaN];
  assert.deepEqual(histogramOf(taken, [10, 20]), [2, 2, 2]);
  assert.deepEqual(histogramOf(taken, []), [6]);
});

test('for each bound it is known how many took longer', () => {
  assert.deepEqual(slowerOf([5, 3, 2], [10, 20]), { all: 10, than: [5, 2] });
  for (const odd of [[], [5, 3], [0, 0, 0], [1, -1, 1], [1, Number.NaN, 1], [1, 1, Number.POSITIVE_INFINITY]])
    assert.equal(slowerOf(odd, [10, 20]), undefined);
  fc.assert(
    fc.property(durations, (taken) => {
      const slower = slowerOf(histogramOf(taken, [100, 5000]), [100, 5000]);
      const count = (bound: number) => taken.filter((duration) => duration > bound).length;
      assert.deepEqual(slower?.than ?? [0, 0], [count(100), count(5000)]);
    }),
  );
});

test('bounds are quantiles, each once, of what is known', () => {
  const thousand = Array.from({ length: 1001 }, (_, at) => at);
  assert.deepEqual(boundsOf([...thousand, Number.NaN]), [500, 750, 900, 950, 990, 995, 999]);
  assert.deepEqual(boundsOf([7, 7, 7]), [7]);
  assert.deepEqual(boundsOf([Number.NaN, Number.POSITIVE_INFINITY]), []);
});

test('the same durations in seconds and in milliseconds make the same histogram', () => {
  const some = fc.uniqueArray(fc.integer({ min: 0, max: 100_000 }), { maxLength: 12 });
  fc.assert(
    fc.property(durations, some, fc.constantFrom(0.001, 1e-6, 1e6), (taken, bounds, unit) => {
      const ascending = bounds.toSorted((a, b) => a - b);
      const inUnit = (of: readonly number[]) => of.map((duration) => duration * unit);
      assert.deepEqual(histogramOf(inUnit(taken), inUnit(ascending)), histogramOf(taken, ascending));
    }),
  );
});

test('bounds have the unit of the durations', () => {
  fc.assert(
    fc.property(durations, fc.constantFrom(1 / 1024, 4096), (taken, unit) => {
      const bounds = boundsOf(taken.map((duration) => duration * unit));
      assert.deepEqual(
        bounds,
        boundsOf(taken).map((bound) => bound * unit),
      );
    }),
  );
});
