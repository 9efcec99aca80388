import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrying } from './retry.ts';

const run = (results: readonly string[], waits: number[]) => {
  const left = [...results];
  return retrying(async () => left.shift() ?? 'none', {
    backoffMs: [10, 20],
    again: (result) => result === 'busy',
    sleep: async (ms) => void waits.push(ms),
    signal: new AbortController().signal,
  });
};

test('does not wait when the first result is good', async () => {
  const waits: number[] = [];
  assert.equal(await run(['good'], waits), 'good');
  assert.deepEqual(waits, []);
});

test('waits as long as the backoff says, try by try', async () => {
  const waits: number[] = [];
  assert.equal(await run(['busy', 'busy', 'good'], waits), 'good');
  assert.deepEqual(waits, [10, 20]);
});

test('returns the last result when the backoff is used up', async () => {
  const waits: number[] = [];
  assert.equal(await run(['busy', 'busy', 'busy', 'good'], waits), 'busy');
});
