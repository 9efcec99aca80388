import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rejectsWith } from '../../test/contracts/load-balancer.ts';
import {
  aligned,
  answerOf,
  completePart,
  MOST_POINTS,
  MOST_VALUES,
  numberFrom,
  piecesOf,
  pointsOf,
  requireFewSamples,
  requireGrid,
  requireRoom,
} from './metrics.ts';

const grid = { fromMs: 1_000, toMs: 1_050, stepMs: 10 };
const all = { reachMs: 10, completeToMs: Number.POSITIVE_INFINITY };

test('a grid has its first point, and its last where the steps meet it', () => {
  assert.equal(pointsOf(grid), 6);
  assert.equal(pointsOf({ ...grid, toMs: 1_059 }), 6);
  assert.equal(pointsOf({ ...grid, toMs: 1_000 }), 1);
});

test('what is no grid is refused, and one of too many points is too much', async () => {
  for (const wrong of [{ stepMs: 0 }, { stepMs: -1 }, { stepMs: 0.5 }, { toMs: 999 }, { fromMs: Number.NaN }])
    await rejectsWith('metrics_refused', (async () => requireGrid({ ...grid, ...wrong }))());
  const most = { fromMs: 0, toMs: MOST_POINTS - 1, stepMs: 1 };
  requireGrid(most);
  await rejectsWith('metrics_limit', (async () => requireGrid({ ...most, toMs: MOST_POINTS }))());
});

test('series that would fill the memory are too much', async () => {
  const thousand = { fromMs: 0, toMs: 999, stepMs: 1 };
  requireRoom(thousand, MOST_VALUES / 1_000);
  await rejectsWith('metrics_limit', (async () => requireRoom(thousand, MOST_VALUES / 1_000 + 1))());
});

test('so many samples that they would fill the memory are too much', async () => {
  const samples = Array.from({ length: MOST_VALUES / 2 }, () => ({ atMs: 0, value: 0 }));
  requireFewSamples([{ samples }, { samples }]);
  const more = [{ samples }, { samples }, { samples: samples.slice(0, 1) }];
  await rejectsWith('metrics_limit', (async () => requireFewSamples(more))());
});

test('the complete part of a grid ends at its last point that is complete', () => {
  assert.deepEqual(completePart(grid, 1_029), { ...grid, toMs: 1_020 });
  assert.deepEqual(completePart(grid, 1_030), { ...grid, toMs: 1_030 });
  assert.deepEqual(completePart(grid, 9_999), grid);
  assert.equal(completePart(grid, 999), undefined);
});

test('a grid in pieces has each of its points once', () => {
  for (const points of [1, 2, 4, 5, 6, 7]) {
    const pieces = piecesOf(grid, points);
    assert.ok(pieces.every((piece) => pointsOf(piece) <= points));
    const times = pieces.flatMap((piece) =>
      Array.from({ length: pointsOf(piece) }, (_, at) => piece.fromMs + at * piece.stepMs),
    );
    assert.deepEqual(times, [1_000, 1_010, 1_020, 1_030, 1_040, 1_050]);
  }
});

test('a sample is the value of the points that it reaches, and of none before it', () => {
  const samples = [{ atMs: 1_011, value: 5 }];
  assert.deepEqual(aligned(samples, grid, all), [null, null, 5, null, null, null]);
  assert.deepEqual(aligned(samples, grid, { ...all, reachMs: 20 }), [null, null, 5, 5, null, null]);
  assert.deepEqual(aligned([{ atMs: 1_010, value: 5 }], grid, all), [null, 5, null, null, null, null]);
});

test('the newest sample that reaches a point is its value, in whatever order they came', () => {
  const samples = [3, 1, 2].map((value) => ({ atMs: 1_000 + value, value }));
  assert.deepEqual(aligned(samples, grid, all), [null, 3, null, null, null, null]);
});

test('a sample that says that there is none ends the reach of the one before', () => {
  const samples = [
    { atMs: 1_000, value: 5 },
    { atMs: 1_010, value: null },
  ];
  assert.deepEqual(aligned(samples, grid, { ...all, reachMs: 50 }), [5, null, null, null, null, null]);
});

test('what is not complete yet has no value, whatever is there', () => {
  const samples = [1_000, 1_020, 1_030].map((atMs) => ({ atMs, value: Number.NaN }));
  const seen = aligned(samples, grid, { ...all, completeToMs: 1_029 });
  assert.deepEqual(seen, [Number.NaN, null, Number.NaN, null, null, null]);
});

test('a source that warns gives a part, even of nothing', () => {
  const found = { series: [], warnings: [], completeToMs: 1 };
  assert.deepEqual(answerOf(found), { kind: 'empty', completeToMs: 1 });
  assert.equal(answerOf({ ...found, warnings: ['slow'] }).kind, 'partial');
  const series = [{ labels: {}, values: [null, Number.NaN] }];
  assert.equal(answerOf({ ...found, series }).kind, 'series');
  assert.equal(answerOf({ ...found, series, warnings: ['slow'] }).kind, 'partial');
});

test('a series without a value is none', () => {
  const series = [{ labels: {}, values: [null, null] }];
  assert.equal(answerOf({ series, warnings: [], completeToMs: 1 }).kind, 'empty');
});

test('numbers are read as sources write them, and other texts are none', () => {
  const read = ['1', '-0.5', '1e-05', '1.7976931348623157e+308', 'NaN', '+Inf', '-Inf'].map(numberFrom);
  assert.deepEqual(read, [
    ...[1, -0.5, 1e-5, Number.MAX_VALUE, Number.NaN],
    ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ]);
  for (const text of ['', ' ', 'null', '0x10', '1,5', 'toString', '1 '])
    assert.equal(numberFrom(text), undefined, text);
});
