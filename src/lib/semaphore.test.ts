import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semaphore } from './semaphore.ts';

const never = new AbortController().signal;

test('a semaphore lets in no more than its limit', async () => {
  const semaphore = new Semaphore(2);
  let inside = 0;
  let most = 0;
  const visit = async () => {
    const release = await semaphore.acquire(never);
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
    release();
  };
  await Promise.all(Array.from({ length: 10 }, visit));
  assert.equal(most, 2);
});

test('those who wait are served in the order in which they came', async () => {
  const semaphore = new Semaphore(1);
  const order: number[] = [];
  const visits = [1, 2, 3].map(async (n) => {
    const release = await semaphore.acquire(never);
    order.push(n);
    release();
  });
  await Promise.all(visits);
  assert.deepEqual(order, [1, 2, 3]);
});

test('one who gives up while waiting takes no place', async () => {
  const semaphore = new Semaphore(1);
  const release = await semaphore.acquire(never);
  const impatient = new AbortController();
  const waiting = semaphore.acquire(impatient.signal);
  impatient.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  release();
  (await semaphore.acquire(never))();
  assert.equal(semaphore.waiting, 0);
});

test('giving a place back twice frees it once', async () => {
  const semaphore = new Semaphore(1);
  const release = await semaphore.acquire(never);
  release();
  release();
  await semaphore.acquire(never);
  const second = semaphore.acquire(AbortSignal.timeout(5));
  await assert.rejects(second);
});
