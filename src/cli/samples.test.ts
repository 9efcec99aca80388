import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asEdgeError } from '../domain/errors.ts';
import { samplesIn, stepsOf, timeOf } from './samples.ts';

const HEAD = 'time,metric,side,server,value,of\n';
const minutesOf = (began: string, stepMs = 60_000) => ({ stepMs, beganMs: timeOf(began) ?? Number.NaN });
const at = (minute: number) => `2026-03-01T10:${String(minute).padStart(2, '0')}:00Z`;

test('samples of servers become pairs, in the order of their names, and counts are added up', () => {
  const rows = [
    `${at(0)},cpu,canary,web-2,4,`,
    `${at(0)},cpu,canary,web-1,2,`,
    `${at(0)},cpu,baseline,web-9,1,`,
    `${at(0)},cpu,baseline,web-8,3,`,
    `${at(2)},cpu,canary,web-1,5,`,
    `${at(0)},errors,canary,web-1,1,100`,
    `${at(0)},errors,canary,web-2,2,50`,
    `${at(0)},errors,baseline,web-8,0,200`,
  ];
  const { history, metrics } = stepsOf(samplesIn(HEAD + rows.join('\n'), 'a.csv'), minutesOf(at(1)));
  assert.equal(history, 1);
  const none = { canary: Number.NaN, baseline: Number.NaN };
  const nothing = { kind: 'counts', canary: 0, baseline: 0, canaryExposure: 0, baselineExposure: 0 };
  assert.deepEqual(metrics, [
    {
      ...{ name: 'cpu', kind: 'gauge' },
      steps: [
        {
          kind: 'gauge',
          pairs: [
            { canary: 2, baseline: 3 },
            { canary: 4, baseline: 1 },
          ],
        },
        { kind: 'gauge', pairs: [none, none] },
        { kind: 'gauge', pairs: [{ canary: 5, baseline: Number.NaN }, none] },
      ],
    },
    {
      ...{ name: 'errors', kind: 'counts' },
      steps: [
        { kind: 'counts', canary: 3, baseline: 0, canaryExposure: 150, baselineExposure: 200 },
        ...[nothing, nothing],
      ],
    },
  ]);
});

test('columns may stand in any order, servers may be left out, and several values of a step are their mean', () => {
  const text = `side,value,metric,time\ncanary,1,load,1772359200\ncanary,2,load,1772359230.5\nbaseline,NaN,load,1772359200\n`;
  const { metrics } = stepsOf(samplesIn(text, 'a.csv'), minutesOf('1772359200'));
  assert.deepEqual(metrics[0]?.steps, [{ kind: 'gauge', pairs: [{ canary: 1.5, baseline: Number.NaN }] }]);
});

test('no step is history and canary at once, and all of it is canary where nothing lies before', () => {
  const rows = [0, 1, 2].map((minute) => `${at(minute)},load,canary,,${minute},`);
  const samples = samplesIn(HEAD + rows.join('\n'), 'a.csv');
  const began = '2026-03-01T10:01:30Z';
  const { history, steps, metrics } = stepsOf(samples, minutesOf(began));
  assert.deepEqual([history, steps], [2, 3]);
  const values = metrics[0]?.steps.map((step) => (step.kind === 'gauge' ? step.pairs[0]?.canary : undefined));
  assert.deepEqual(values, [0, 1, 2]);
  assert.deepEqual(stepsOf(samples, minutesOf('2026-03-01T09:00:00Z')).history, 0);
});

test('a row that says nothing that can be used is named by its line', () => {
  const refused = (row: string, message: RegExp, line?: number) => {
    const isSo = (thrown: unknown) => {
      const { code, message: said, where } = asEdgeError(thrown).body;
      assert.deepEqual([code, where], ['samples_invalid', { file: 'a.csv', ...(line && { line }) }]);
      assert.match(said, message);
      return true;
    };
    assert.throws(() => samplesIn(HEAD + row, 'a.csv'), isSo);
  };
  refused('today,cpu,canary,,1,', /"today" is no time; write it as/, 2);
  refused(`${at(0)},,canary,,1,`, /It names no metric/, 2);
  refused(`${at(0)},cpu,new,,1,`, /"new" is no side/, 2);
  refused(`${at(0)},cpu,canary,,1,\n${at(1)},cpu,canary,,1 %,`, /"1 %" is no number/, 3);
  refused(`${at(0)},cpu`, /not valid CSV: CSV_RECORD_INCONSISTENT_COLUMNS/, 2);
  refused('', /There is no sample in it/);
  assert.throws(() => samplesIn('time,metric,value\n1,2,3\n', 'a.csv'), {
    message: /none of them is "side"/,
  });
  assert.throws(
    () =>
      stepsOf(
        samplesIn(`${HEAD}1000000000,a,canary,,1,\n1900000000,a,canary,,1,`, 'a.csv'),
        minutesOf('1000000000', 1_000),
      ),
    {
      code: 'samples_invalid',
      message: /900000001 steps lie between/,
    },
  );
});

test('a time has its zone, or is in seconds', () => {
  assert.equal(timeOf('2026-03-01T10:00:00+01:00'), Date.UTC(2026, 2, 1, 9));
  assert.equal(timeOf('1772359200'), 1_772_359_200_000);
  for (const none of ['2026-03-01T10:00:00', '2026-03-01', '17', '', '2026-13-01T10:00:00Z'])
    assert.equal(timeOf(none), undefined, none);
});
