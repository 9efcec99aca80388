import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueAt } from './json-path.ts';

const DOCUMENT = { data: { '99.0': [[1, 2], [3]], points: [{ at: 1 }, {}, { at: null }] } };

test('a path names fields, places in lists, or the whole', () => {
  assert.equal(valueAt(DOCUMENT, []), DOCUMENT);
  assert.equal(valueAt(DOCUMENT, ['data', '99.0', '0', '1']), 2);
});

test('a star stands for each item, also for one that lacks what is asked', () => {
  assert.deepEqual(valueAt(DOCUMENT, ['data', '99.0', '*', '1']), [2, undefined]);
  assert.deepEqual(valueAt(DOCUMENT, ['data', 'points', '*', 'at']), [1, undefined, null]);
});

test('what is not there is nothing, and so is what every object inherits', () => {
  for (const path of [['none', 'at'], ['data', '*'], ['toString'], ['data', 'points', '9'], ['__proto__']])
    assert.equal(valueAt(DOCUMENT, path), undefined, path.join('.'));
});
