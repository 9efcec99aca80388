import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOf, windowsOf } from './schedule.ts';

const MINUTE = 60_000;
const minutes = (windows: ReturnType<typeof windowsOf>) =>
  windows.map(({ from, to }) => [from / MINUTE, to / MINUTE]);

test('judgements look back to the start, after the delay, and what is left of the lifetime is never judged', () => {
  const times = { startAt: 0, lifetimeMs: 35 * MINUTE, intervalMs: 10 * MINUTE, delayMs: 5 * MINUTE };
  assert.deepEqual(minutes(windowsOf(times)), [
    [5, 15],
    [5, 25],
    [5, 35],
  ]);
});

test('with a lookback the window slides', () => {
  const times = { startAt: 0, lifetimeMs: 30 * MINUTE, intervalMs: 10 * MINUTE, lookbackMs: 15 * MINUTE };
  assert.deepEqual(minutes(windowsOf(times)), [
    [-5, 10],
    [5, 20],
    [15, 30],
  ]);
});

test('an interval that is left out, 0 or too long is the lifetime', () => {
  for (const intervalMs of [undefined, 0, 90 * MINUTE]) {
    const interval = intervalMs === undefined ? {} : { intervalMs };
    assert.deepEqual(minutes(windowsOf({ startAt: 0, lifetimeMs: 60 * MINUTE, ...interval })), [[0, 60]]);
  }
});

test('of what is over the delay is not looked at', () => {
  const times = { startAt: 0, endAt: 20 * MINUTE, intervalMs: 10 * MINUTE, delayMs: 5 * MINUTE };
  assert.deepEqual(minutes(windowsOf(times)), [
    [0, 10],
    [0, 20],
  ]);
});

test('without an end and a lifetime there is nothing to judge', () => {
  assert.throws(() => windowsOf({ startAt: 0 }), RangeError);
});

test('a score that is no better than marginal ends a canary at once, and the last one has to pass', () => {
  const thresholds = { pass: 95, marginal: 75 };
  assert.deepEqual(endOf(74, false, thresholds), { passed: false, label: 'Fail' });
  assert.deepEqual(endOf(75, false, thresholds), { passed: false, label: 'Marginal' });
  assert.equal(endOf(80, false, thresholds), null);
  assert.deepEqual(endOf(80, true, thresholds), { passed: false, label: 'Marginal' });
  assert.deepEqual(endOf(95, true, thresholds), { passed: true, label: 'Pass' });
  assert.deepEqual(endOf(0, true, {}), { passed: true, label: 'Pass' });
  assert.deepEqual(endOf(76, true, { marginal: 75 }), { passed: true, label: 'Pass' });
});
