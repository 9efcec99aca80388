import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, nearest } from './nearest.ts';

test('the nearest name is found over a changed, lost, added or swapped letter', () => {
  const names = ['production', 'staging', 'test'];
  for (const typo of ['prodution', 'productoin', 'producttion', 'Production', 'stagging']) {
    assert.ok(names.includes(nearest(typo, names) ?? ''), typo);
  }
});

test('a name that is like none has no nearest', () => {
  assert.equal(nearest('canary', ['production', 'staging']), undefined);
});

test('without a near name those that exist are told, ten at most', () => {
  assert.equal(didYouMean('x', ['alpha', 'beta']), 'There is: alpha, beta.');
  assert.equal(didYouMean('x', []), 'There is none yet.');
  assert.match(
    didYouMean(
      'x',
      Array.from({ length: 12 }, (_, index) => `name-${index}`),
    ),
    /and 2 more\.$/,
  );
});
