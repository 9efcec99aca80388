import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryClock } from './clock.ts';

const never = new AbortController().signal;

test('sleepers wake in the order of their times, and those of one time in their order', async () => {
  const clock = new MemoryClock();
  const woken: string[] = [];
  for (const [name, ms] of [
    ['c', 20],
    ['a', 10],
    ['b', 10],
  ] as const) {
    void clock.sleep(ms, never).then(() => woken.push(`${name} at ${clock.monotonicMs()}`));
  }
  await clock.advance(15);
  assert.deepEqual(woken, ['a at 10', 'b at 10']);
  await clock.advance(15);
  assert.deepEqual(woken, ['a at 10', 'b at 10', 'c at 20']);
  assert.equal(clock.monotonicMs(), 30);
});

test('a sleeper that sleeps again within the time is woken again', async () => {
  const clock = new MemoryClock();
  let beats = 0;
  void (async () => {
    for (; beats < 10; beats += 1) await clock.sleep(10, never);
  })();
  await clock.advance(55);
  assert.equal(beats, 5);
});

test('a sleep ends with the reason of its signal, and time has not passed', async () => {
  const clock = new MemoryClock();
  const stop = new AbortController();
  const sleep = clock.sleep(1_000, stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(sleep, /enough/);
  await assert.rejects(clock.sleep(0, stop.signal), /enough/);
  assert.equal(clock.monotonicMs(), 0);
});

test('what never settles is given up', async () => {
  await assert.rejects(new MemoryClock().until(new Promise(() => undefined), 1_000), /not settled/);
});
