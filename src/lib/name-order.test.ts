import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byName } from './name-order.ts';

const sorted = (...names: readonly string[]) =>
  names
    .map((name) => ({ name }))
    .toSorted(byName)
    .map(({ name }) => name);

test('numbers in names count as numbers', () => {
  assert.deepEqual(sorted('web-10', 'web-9', 'db-1', 'web-1a', 'web-1'), [
    'db-1',
    'web-1',
    'web-1a',
    'web-9',
    'web-10',
  ]);
});

test('names that differ only in zeros have an order too', () => {
  assert.deepEqual(sorted('web-1', 'web-01', 'web-001'), sorted('web-001', 'web-01', 'web-1'));
});

test('the order does not depend on the order before', () => {
  const names = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', '-', '0', '1', '9'), maxLength: 6 }));
  fc.assert(
    fc.property(names, (all) => {
      assert.deepEqual(sorted(...all), sorted(...all.toReversed()));
    }),
  );
});
