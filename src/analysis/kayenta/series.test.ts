import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PairingError, pairs, type Series } from './series.ts';

const NAN = Number.NaN;
const series = (values: readonly number[], tags: Series['tags'] = {}, name = 'errors'): Series => ({
  ...{ name, tags, values },
});

test('series are paired by their tags, and filled up with NaN', () => {
  const baseline = [series([1, 2], { host: 'a' }), series([3], { host: 'b' })];
  const canary = [series([5, 6, 7], { host: 'b' }), series([4], { host: 'a' })];
  assert.deepEqual(pairs(baseline, canary, 3), [
    { name: 'errors', tags: { host: 'a' }, baseline: [1, 2, NAN], canary: [4, NAN, NAN] },
    { name: 'errors', tags: { host: 'b' }, baseline: [3, NAN, NAN], canary: [5, 6, 7] },
  ]);
});

test('two series without tags are a pair', () => {
  assert.deepEqual(pairs([series([1])], [series([2])], 1), [
    { name: 'errors', tags: {}, baseline: [1], canary: [2] },
  ]);
});

test('what only one side has is paired with nothing but NaN, and so is a side without tags', () => {
  const both = pairs([series([1], { code: '200' })], [series([2], { code: '500' })], 1);
  assert.deepEqual(
    both.map(({ baseline, canary }) => [baseline, canary]),
    [
      [[1], [NAN]],
      [[NAN], [2]],
    ],
  );
  const [untagged] = pairs([series([9])], [series([2], { code: '500' })], 1);
  assert.deepEqual(untagged, { name: 'errors', tags: { code: '500' }, baseline: [NAN], canary: [2] });
});

test('a side without series, other names and other keys of tags are refused, by what they are', () => {
  assert.throws(() => pairs([], [series([1])], 1), /the baseline has no series/);
  assert.throws(() => pairs([series([1])], [], 1), /the canary has no series/);
  assert.throws(() => pairs([series([1])], [series([1], {}, 'other')], 1), /errors, other/);
  assert.throws(() => pairs([series([1], {}, '')], [series([1], {}, '')], 1), PairingError);
  const keys = () => pairs([series([1], { host: 'a' })], [series([1], { pod: 'a' })], 1);
  assert.throws(keys, /tagged by host and by pod/);
});
