import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../domain/errors.ts';
import { MOST_VALUES } from '../../domain/metrics.ts';
import { parseReply } from './reply.ts';

const GRID = { fromMs: 1_767_607_200_000, toMs: 1_767_609_000_000, stepMs: 600_000 };
const LATER = Number.POSITIVE_INFINITY;
const READING = { reachMs: 600_000, completeToMs: LATER, laterMs: 0 };

const refused = (body: unknown, says: RegExp): void =>
  assert.throws(
    () => parseReply(body, GRID, READING),
    (error: unknown) => {
      assert.ok(error instanceof EdgeError, String(error));
      assert.match(`${error.code}: ${error.message}`, says);
      return true;
    },
  );

// As InfluxDB 1.6.7 wrote them.
const WINDOWS =
  '{"results":[{"statement_id":0,"series":[{"name":"errors","tags":{"server":"web-1","zone":"a"},"columns":["time","mean"],"values":[[1767606600001,1],[1767607200001,2.5],[1767607800001,null],[1767608400001,0]]}]}]}';
const NOTHING = '{"results":[{"statement_id":0}]}';

const resultOf = (result: unknown) => ({ results: [result] });
const seriesOf = (values: unknown, columns = ['time', 'value']) =>
  resultOf({ series: [{ name: 'a', columns, values }] });

test('a window is a value of its end, and one of nothing is none', () => {
  assert.deepEqual(parseReply(JSON.parse(WINDOWS), GRID, { ...READING, laterMs: 599_999 }), {
    kind: 'series',
    series: [{ name: 'errors', labels: { server: 'web-1', zone: 'a' }, values: [1, 2.5, null, 0] }],
    completeToMs: LATER,
  });
});

test('no series are empty, and rows that were left out or words make a part', () => {
  assert.equal(parseReply(JSON.parse(NOTHING), GRID, READING).kind, 'empty');
  const series = [{ name: 'a', columns: ['time', 'value'], values: [], partial: true }];
  for (const result of [{ partial: true }, { series }, { messages: [{ level: 'warning', text: 'old' }] }])
    assert.equal(parseReply(resultOf(result), GRID, READING).kind, 'partial', JSON.stringify(result));
});

test('an error within is what its words say', () => {
  for (const [words, code] of [
    ['database not found: edge', 'metrics_refused'],
    ['max-select-point limit exceeed: (9/8)', 'metrics_limit'],
    ['max-concurrent-queries limit exceeded(1, 1)', 'metrics_unreachable'],
    ['query-timeout limit exceeded', 'metrics_unreachable'],
    ['timeout', 'metrics_unreachable'],
  ] as const) {
    refused(resultOf({ error: words }), new RegExp(`^${code}: InfluxDB says: `));
    refused({ error: words }, new RegExp(`^${code}: InfluxDB says: `));
  }
});

test('what InfluxDB never says is refused, and so is what is no number, or more than one', () => {
  for (const body of [null, [], resultOf(1), resultOf({ series: [{}] })])
    refused(body, /^metrics_refused: The answer is none that InfluxDB gives/);
  refused({ results: [] }, /^metrics_refused: The query is 0 statements/);
  refused(seriesOf([[1, 'up']]), /^metrics_refused: .*"up" in place of a number/);
  refused(seriesOf([['2026', 1]]), /^metrics_refused: /);
  refused(seriesOf([[1, 1, 2]], ['time', 'a', 'b']), /gives \[time, a, b\], not one value/);
});

test('more series than there is room for are too much', () => {
  const series = Array.from({ length: MOST_VALUES / 4 + 1 }, () => ({ name: 'a', columns: ['time', 'a'] }));
  refused(resultOf({ series }), /^metrics_limit: /);
});
