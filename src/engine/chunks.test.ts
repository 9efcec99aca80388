import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, chunksOf, replaced } from './chunks.ts';

test('a replaced record changes nothing else, and not the list it came from', () => {
  const before = chunksOf(130, 0);
  const after = replaced(before, 129, 7);
  assert.equal(at(after, 129), 7);
  assert.equal(at(before, 129), 0);
  assert.equal(after[0], before[0]);
  assert.equal(after.flat().length, 130);
});

test('an index outside is a fault', () => {
  assert.throws(() => at(chunksOf(2, 0), 2), RangeError);
  assert.throws(() => replaced(chunksOf(2, 0), 64, 1), RangeError);
});
