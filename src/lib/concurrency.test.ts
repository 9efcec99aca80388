import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachLimited } from './concurrency.ts';

test('no more than the limit run at once, and all are done', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await forEachLimited([0, 1, 2, 3, 4, 5], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    done.push(item);
  });
  assert.equal(most, 2);
  assert.deepEqual(done.sort(), [0, 1, 2, 3, 4, 5]);
});

test('a rejection is thrown after the others have ended', async () => {
  const done: number[] = [];
  const work = async (item: number) => {
    if (item === 0) throw new Error('no');
    done.push(item);
  };
  await assert.rejects(forEachLimited([0, 1, 2], 2, work), /no/);
  assert.deepEqual(done, [1, 2]);
});
