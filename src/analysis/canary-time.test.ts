import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MOST_POINTS, pointsOf } from '../domain/metrics.ts';
import { canaryTimeOf, gridAt, startOf, stepsUntil, untilNextStep } from './canary-time.ts';

const MINUTE = 60_000;
const BEGAN = Date.UTC(2026, 0, 5, 10);
const lengths = { stepMs: MINUTE, historyMs: 240 * MINUTE, mostMs: 60 * MINUTE };
const timeSince = (sinceMs: number | null) => canaryTimeOf(lengths, { beganMs: BEGAN, sinceMs });

test('steps between the first change and the beginning are neither history nor canary', () => {
  const time = timeSince(BEGAN - 2.5 * MINUTE);
  assert.deepEqual([time.history, time.before, time.most], [240, 243, 60]);
  assert.equal(startOf(time, time.before), BEGAN);
  // The last step of the history ends before anything changed.
  assert.ok(startOf(time, time.history) <= BEGAN - 2.5 * MINUTE);
});

test('where nobody knows when servers began to change nothing is history', () => {
  assert.deepEqual([timeSince(null).history, timeSince(null).before], [0, 0]);
});

test('after a week of change there is no history either', () => {
  const long = canaryTimeOf(
    { ...lengths, stepMs: 1_000 },
    { beganMs: BEGAN, sinceMs: BEGAN - 7 * 24 * 60 * MINUTE },
  );
  assert.deepEqual([long.history, long.before], [0, 0]);
});

test('no point lies in the future', () => {
  const time = timeSince(BEGAN - MINUTE);
  assert.equal(gridAt(time, BEGAN + 90_000)?.toMs, BEGAN + MINUTE);
  assert.equal(gridAt(time, BEGAN - 1)?.toMs, BEGAN - MINUTE);
  assert.equal(gridAt(timeSince(null), BEGAN + MINUTE - 1), undefined);
  assert.equal(gridAt(time, BEGAN + 1_000 * MINUTE)?.toMs, BEGAN + 60 * MINUTE);
});

test('the next look comes when the next step is complete, and the first one after the first step', () => {
  const time = timeSince(null);
  assert.equal(untilNextStep(time, BEGAN - 10 * MINUTE, { delayMs: 20_000 }), 11 * MINUTE + 20_000);
  assert.equal(untilNextStep(time, BEGAN + MINUTE + 20_000, { delayMs: 20_000 }), MINUTE);
  assert.equal(untilNextStep(time, BEGAN + MINUTE + 19_999, { delayMs: 20_000 }), 1);
});

test('whatever the lengths are, a source is never asked for more points than it gives', () => {
  const ms = fc.integer({ min: 1_000, max: 7 * 24 * 60 * MINUTE });
  fc.assert(
    fc.property(ms, ms, ms, ms, (stepMs, historyMs, wantedMs, sinceMs) => {
      const mostMs = Math.min(wantedMs, 10_000 * stepMs);
      const time = canaryTimeOf({ stepMs, historyMs, mostMs }, { beganMs: BEGAN, sinceMs: BEGAN - sinceMs });
      const grid = gridAt(time, BEGAN + mostMs);
      assert.ok(!grid || pointsOf(grid) <= MOST_POINTS);
      assert.ok(!grid || pointsOf(grid) === time.before + stepsUntil(time, BEGAN + mostMs));
    }),
  );
});
