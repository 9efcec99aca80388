import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STARTED } from '../../../test/support/sample-view.ts';
import { plotSides, sinceStart, timeAxis } from './time-scale.ts';

test('a time that is left of what is shown, or right of it, lies at its edge', () => {
  const { x } = timeAxis({ from: STARTED, to: STARTED + 10_000 }, [100, 600]);
  assert.deepEqual(
    [-1, 0, 5_000, 10_000, 99_999].map((ms) => x(STARTED + ms)),
    [100, 100, 350, 600, 600],
  );
});

test('ticks count from the start, whatever the time of day was', () => {
  for (const from of [STARTED, STARTED + 12_345]) {
    const { ticks } = timeAxis({ from, to: from + 60_000 }, [0, 660]);
    assert.deepEqual(
      ticks.map(({ label }) => label),
      ['0:00', '0:15', '0:30', '0:45', '1:00'],
    );
  }
});

test('what has only begun has a width', () => {
  const { x, ticks } = timeAxis({ from: STARTED, to: STARTED }, [0, 500]);
  assert.equal(x(STARTED), 0);
  assert.ok(ticks.length > 0 && ticks.every((tick) => Number.isFinite(tick.x)));
});

test('times since the start are short and exact', () => {
  assert.deepEqual([0, 500, 65_000, 3_725_000].map(sinceStart), ['0:00', '0:00.5', '1:05', '1:02:05']);
});

test('on a narrow screen names leave room for the picture', () => {
  const [left, right] = plotSides(320);
  assert.ok(right - left > 120);
  assert.deepEqual(plotSides(1_000)[0], 150);
});
