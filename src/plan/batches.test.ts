import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Amount } from '../domain/fields.ts';
import { countOf } from './amounts.ts';
import { cutLane } from './batches.ts';

const indexes = (count: number) => Array.from({ length: count }, (_, index) => index);
const sizes = (count: number, canary: Amount, batches: Parameters<typeof cutLane>[2]) =>
  cutLane(indexes(count), canary, batches).map(({ name, targets }) => `${name}:${targets.length}`);

test('growing shares are cumulative, rounded up and count the canary in', () => {
  assert.deepEqual(sizes(20, 1, ['10%', '25%', '50%', '100%']), [
    'canary:1',
    '10%:1',
    '25%:3',
    '50%:5',
    '100%:10',
  ]);
});

test('an empty batch is dropped', () => {
  assert.deepEqual(sizes(4, 1, ['10%', '25%', '50%', '100%']), ['canary:1', '50%:1', '100%:2']);
});

test('what a growing list leaves over comes last', () => {
  assert.deepEqual(sizes(10, 0, [1, '50%']), ['up to 1:1', '50%:4', 'rest:5']);
});

test('one amount is the size of every batch after the canary', () => {
  assert.deepEqual(sizes(10, 1, 4), ['canary:1', 'batch 1:4', 'batch 2:4', 'batch 3:1']);
  assert.deepEqual(sizes(10, 0, '25%'), ['batch 1:3', 'batch 2:3', 'batch 3:3', 'batch 4:1']);
});

test('a canary of the whole lane leaves no batch', () => {
  assert.deepEqual(sizes(2, '100%', ['50%']), ['canary:2']);
});

test('a lane without targets has no batch', () => {
  assert.deepEqual(sizes(0, 1, ['100%']), []);
});

const percent = fc.integer({ min: 1, max: 100 }).map((share): Amount => `${share}%`);
const amount = fc.oneof(fc.integer({ min: 1, max: 40 }), percent);

test('every target of a lane is in exactly one batch, in order, and no batch is empty', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 200 }),
      fc.oneof(amount, fc.constant(0)),
      fc.oneof(amount, fc.array(amount, { minLength: 1, maxLength: 8 })),
      (count, canary, batches) => {
        const slots = cutLane(indexes(count), canary, batches);
        assert.deepEqual(
          slots.flatMap(({ targets }) => targets),
          indexes(count),
        );
        assert.ok(slots.every(({ targets }) => targets.length > 0));
      },
    ),
  );
});

test('after each share of a list at least that share is done', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(percent, { minLength: 1, maxLength: 6 }),
      (count, shares) => {
        const slots = cutLane(indexes(count), 1, shares);
        for (const share of shares) {
          const upTo = slots.slice(0, slots.findLastIndex(({ name }) => name === share) + 1);
          const done = upTo.reduce((sum, { targets }) => sum + targets.length, 0);
          if (upTo.length > 0) assert.ok(done >= countOf(share, count));
        }
      },
    ),
  );
});
