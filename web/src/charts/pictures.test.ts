import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { STARTED, sampleView } from '../../../test/support/sample-view.ts';
import { Lanes } from '../live/lanes.ts';
import { batchTimelineOf } from './batch-timeline.ts';
import { capacityOf } from './capacity.ts';
import { swimLanesOf, timesOf } from './swim-lanes.ts';
import { plotSides } from './time-scale.ts';

const WIDTH = 800;
const [LEFT, RIGHT] = plotSides(WIDTH);
const view = sampleView({
  batches: [
    { name: 'canary', targets: '+' },
    { name: 'rest', targets: '>x.' },
  ],
});

/** The canary took 10 s; the rest began then, and one of it failed after 5 s. */
function lanes(): Lanes {
  const made = new Lanes();
  const attempt = { group: 0, attempt: 1, worker: null, startedAt: null };
  const error = { code: 'health_failed', message: 'no', cause: 'health' } as const;
  const add = (s: number, event: Parameters<Lanes['add']>[0]['event']) =>
    made.add({ at: STARTED + s * 1_000, event });
  add(0, { kind: 'stage.opened', stage: 0 });
  add(0, { kind: 'batch.opened', lane: 0, batch: 0 });
  add(0, { kind: 'tasks.granted', targets: [0], steps: [0] });
  add(10, { kind: 'task.succeeded', target: 0, step: 0, ...attempt, outputs: {} });
  add(10, { kind: 'batch.ended', lane: 0, batch: 0 });
  add(10, { kind: 'batch.opened', lane: 0, batch: 1 });
  add(10, { kind: 'tasks.granted', targets: [1, 2], steps: [0, 5] });
  add(15, { kind: 'task.failed', target: 2, step: 5, ...attempt, error });
  return made;
}
const now = STARTED + 20_000;
const times = timesOf({ view, lanes: lanes(), now, leftMs: 20_000 });
const x = (s: number) => LEFT + ((RIGHT - LEFT) * s) / 40;

describe('swim lanes', () => {
  const whole = { from: 0, count: 40 };
  const chart = swimLanesOf({ view, lanes: lanes(), now, times, width: WIDTH, window: whole });

  test('a lane for each target that has begun, a bar for each step, where its times are', () => {
    assert.deepEqual(
      chart.rows.map(({ target, bars }) => [
        target.name,
        ...bars.map(({ step, outcome }) => `${step} ${outcome}`),
      ]),
      [
        [view.targets[0]?.name, 'guard succeeded'],
        [view.targets[1]?.name, 'guard running'],
        [view.targets[2]?.name, 'verify failed'],
      ],
    );
    assert.deepEqual(
      chart.rows.flatMap(({ bars }) => bars.map(({ x: left, width }) => [left, left + width])),
      [
        [x(0), x(10)],
        [x(10), x(20)],
        [x(10), x(15)],
      ],
    );
  });

  test('only the rows that are looked at are made', () => {
    const window = { from: 1, count: 1 };
    const { rows, height } = swimLanesOf({ view, lanes: lanes(), now, times, width: WIDTH, window });
    assert.deepEqual(
      rows.map(({ target }) => target.index),
      [1],
    );
    assert.ok(height < chart.height);
  });

  test('a step of no time can be seen', () => {
    const made = new Lanes();
    made.add({ at: STARTED, event: { kind: 'tasks.granted', targets: [0], steps: [0] } });
    const { rows } = swimLanesOf({ view, lanes: made, now: STARTED, times, width: WIDTH, window: whole });
    assert.ok((rows[0]?.bars[0]?.width ?? 0) >= 1);
  });
});

describe('the timeline of batches', () => {
  const left = { p50Ms: 10_000, p90Ms: 20_000 };
  const chart = batchTimelineOf({ view, lanes: lanes(), now, times, width: WIDTH, left });

  test('each batch stands where it was worked on, filled as far as it is', () => {
    const [canary, rest] = chart.rows;
    assert.deepEqual(canary?.bar, { x: x(0), width: x(10) - x(0), doneWidth: x(10) - x(0) });
    assert.equal(rest?.bar?.x, x(10));
    assert.ok(Math.abs((rest?.bar?.doneWidth ?? 0) - (x(20) - x(10)) / 3) < 0.001);
    assert.equal(rest?.done, '1/3');
  });

  test('this moment, and when it mostly ends, lie on the same scale', () => {
    assert.equal(chart.nowX, x(20));
    assert.deepEqual(chart.expected, { x: x(30), lateX: x(40) });
  });

  test('one that has ended has neither, and a batch that never began no bar', () => {
    const ended = sampleView({
      batches: [{ name: 'all', targets: '.' }],
      overall: { status: 'aborted', endedAt: STARTED + 1_000 },
    });
    const { nowX, expected, rows } = batchTimelineOf({
      ...{ view: ended, lanes: new Lanes(), now, times, width: WIDTH, left: null },
    });
    assert.deepEqual([nowX, expected, rows[0]?.bar], [null, null, null]);
  });
});

describe('capacity', () => {
  const taken = [
    { at: STARTED + 5_000, out: 2 },
    { at: STARTED + 10_000, out: 0 },
  ];

  test('the line goes down where members are taken, up where they are given, and says how far', () => {
    const chart = capacityOf({ taken, members: 8, floor: 6, times, now, width: WIDTH });
    assert.equal(chart.lowest, 6);
    const [top, bottom] = [chart.levels[0]?.y ?? 0, chart.levels[1]?.y ?? 0];
    assert.ok(top < bottom);
    assert.equal(chart.floorY, bottom);
    const points = [...chart.linePath.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([, a, b]) => [
      Number(a),
      Number(b),
    ]);
    assert.ok(points.some(([a, b]) => a === x(5) && Math.abs((b ?? 0) - bottom) < 0.01));
    assert.deepEqual(points.at(-1)?.[0], x(20));
    assert.ok(Math.abs((points.at(-1)?.[1] ?? 0) - top) < 0.01);
  });

  test('without a floor that is known none is drawn', () => {
    const chart = capacityOf({ taken: [], members: 8, floor: null, times, now, width: WIDTH });
    assert.equal(chart.floorY, null);
    assert.deepEqual(
      chart.levels.map(({ label }) => label),
      ['8'],
    );
  });
});
