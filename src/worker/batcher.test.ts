import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryClock } from '../adapters/memory/clock.ts';
import { EdgeError } from '../domain/errors.ts';
import { Batcher } from './batcher.ts';

type Item = { readonly key: string; readonly value: number };

function batcher(answer: (items: readonly Item[]) => Promise<void>, max = 10) {
  const clock = new MemoryClock();
  const lots: (readonly Item[])[] = [];
  const over = new AbortController();
  const made = new Batcher<Item, number>({
    send: async (items) => {
      lots.push(items);
      await answer(items);
      return ({ value }) => value * 2;
    },
    keyOf: ({ key }) => key,
    max,
    clock,
    signal: over.signal,
    onFailure: () => undefined,
  });
  return { made, clock, lots, over };
}
const items = (count: number): Item[] =>
  Array.from({ length: count }, (_, n) => ({ key: `k${n}`, value: n }));

test('what is added together is sent together, each with its own answer', async () => {
  const { made, lots } = batcher(async () => undefined);
  assert.deepEqual(await Promise.all(items(3).map((item) => made.add(item))), [0, 2, 4]);
  assert.equal(lots.length, 1);
});

test('a lot has its limit', async () => {
  const { made, lots } = batcher(async () => undefined, 2);
  await Promise.all(items(5).map((item) => made.add(item)));
  assert.deepEqual(
    lots.map(({ length }) => length),
    [2, 2, 1],
  );
});

test('two items of one key go in two lots, in order', async () => {
  const { made, lots } = batcher(async () => undefined);
  await Promise.all([1, 2, 3].map((value) => made.add({ key: 'same', value })));
  assert.deepEqual(
    lots.flat().map(({ value }) => value),
    [1, 2, 3],
  );
  assert.equal(lots.length, 3);
});

test('a board that does not answer is asked again, with growing pauses', async () => {
  let failures = 4;
  const { made, clock } = batcher(async () => {
    failures -= 1;
    if (failures >= 0) throw new EdgeError('store_unavailable', 'down');
  });
  assert.equal(await clock.until(made.add({ key: 'a', value: 1 })), 2);
  assert.equal(clock.monotonicMs(), 200 + 500 + 1_000 + 1_000);
});

test('one item that is refused for good holds up no other', async () => {
  const { made } = batcher(async (lot) => {
    if (lot.some(({ value }) => value === 1)) throw new EdgeError('request_invalid', 'bad');
  });
  const results = await Promise.allSettled(items(3).map((item) => made.add(item)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('after the end nothing is tried again', async () => {
  const { made, clock, over } = batcher(async () => {
    throw new EdgeError('store_unavailable', 'down');
  });
  const added = made.add({ key: 'a', value: 1 });
  added.catch(() => undefined);
  await clock.settle();
  over.abort();
  await assert.rejects(clock.until(added), /down/);
});
