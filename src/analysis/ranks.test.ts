import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantileOf } from './quantile.ts';
import { ranksOf } from './ranks.ts';

test('equal values share the mean of their ranks, and are counted together', () => {
  const { ranks, ties } = ranksOf(Float64Array.of(3, 1, 3, 2, 3));
  assert.deepEqual([...ranks], [4, 1, 4, 2, 4]);
  assert.deepEqual(ties, [1, 1, 3]);
});

test('a quantile lies between the order statistics beside it', () => {
  assert.equal(quantileOf([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(quantileOf([1, 2, 3, 4], 1), 4);
  assert.equal(quantileOf([7], 0.3), 7);
  assert.ok(Number.isNaN(quantileOf([], 0.5)));
});
