import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dateAndTime, duration, moment, roughly, table, timeOfDay, took } from './format.ts';

test('lengths of time have their two largest units', () => {
  const texts = [-5, 999, 8_000, 72_000, 7_380_000, 273_600_000].map(duration);
  assert.deepEqual(texts, ['0s', '0s', '8s', '1m 12s', '2h 03m', '3d 4h']);
});

test('a short time that is over has tenths of a second', () => {
  assert.deepEqual([-5, 40, 340, 2_000, 2_460, 12_900].map(took), ['0s', '0s', '0.3s', '2s', '2.5s', '12s']);
});

test('a moment of another day has its date', () => {
  const now = Date.UTC(2026, 2, 1, 23, 59, 0);
  assert.deepEqual([moment(now, now), moment(now + 60_000, now)], ['23:59:00Z', '2026-03-02 00:00Z']);
});

test('a guess is no more precise than it can be', () => {
  assert.deepEqual([1, 31_000, 200_000, 7_000_000].map(roughly), [
    'about 5s',
    'about 35s',
    'about 3m',
    'about 2h',
  ]);
});

test('moments are in UTC and say so', () => {
  const at = Date.UTC(2026, 2, 1, 12, 3, 4);
  assert.deepEqual([timeOfDay(at), dateAndTime(at)], ['12:03:04Z', '2026-03-01 12:03Z']);
});

test('columns of a table are as wide as their widest cell', () => {
  assert.deepEqual(
    table(
      ['a', 'b'],
      [
        ['long', 'x'],
        ['', ''],
      ],
    ),
    ['a     b', 'long  x', ''],
  );
});
