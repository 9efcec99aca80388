import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../domain/errors.ts';
import { MOST_VALUES } from '../../domain/metrics.ts';
import { faultIn } from './fault.ts';
import { parseReply } from './reply.ts';

const GRID = { fromMs: 1_767_606_930_000, toMs: 1_767_607_020_000, stepMs: 30_000 };
const LATER = Number.POSITIVE_INFINITY;
const ALIGNMENT = { reachMs: 30_000, completeToMs: LATER };

const refused = (body: unknown, says: RegExp): void =>
  assert.throws(
    () => parseReply(body, GRID, ALIGNMENT),
    (error: unknown) => {
      assert.ok(error instanceof EdgeError, String(error));
      assert.match(`${error.code}: ${error.message}`, says);
      return true;
    },
  );

// As graphite-web 1.1.8 wrote them.
const TAGGED =
  '[{"target": "errors;server=web-1;zone=a", "tags": {"server": "web-1", "zone": "a", "name": "errors"}, "datapoints": [[null, 1767606930], [1.0, 1767606960], [1e9999, 1767606990], [-1e9999, 1767607020]]}]';
const SUM =
  '[{"target": "sumSeries(seriesByTag(\'name=errors\'))", "tags": {"zone": "a", "name": "errors", "aggregatedBy": "sum"}, "datapoints": [[8.0, 1767606930]]}]';

test('a value comes before its time, and infinity is one', () => {
  const values = [null, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  assert.deepEqual(parseReply(JSON.parse(TAGGED), GRID, ALIGNMENT), {
    kind: 'series',
    series: [{ name: 'errors', labels: { server: 'web-1', zone: 'a' }, values }],
    completeToMs: LATER,
  });
});

test('what a function makes bears its name, and so does a path, which has no tags in old versions', () => {
  for (const [body, name, labels] of [
    [JSON.parse(SUM), "sumSeries(seriesByTag('name=errors'))", { zone: 'a', aggregatedBy: 'sum' }],
    [[{ target: 'a.b', datapoints: [[8, 1_767_606_930]] }], 'a.b', {}],
  ] as const) {
    const answer = parseReply(body, GRID, ALIGNMENT);
    assert.ok(answer.kind === 'series');
    assert.deepEqual(answer.series, [{ name, labels, values: [8, null, null, null] }]);
  }
});

test('no series, and series of nothing, are empty', () => {
  for (const body of [[], [{ target: 'a', datapoints: [] }], [{ target: 'a', datapoints: [[null, 1]] }]])
    assert.equal(parseReply(body, GRID, ALIGNMENT).kind, 'empty');
});

test('what Graphite never says is refused, and too many series are too much', () => {
  for (const body of [null, {}, [{}], [{ target: 'a', datapoints: [['1', 2]] }]])
    refused(body, /^metrics_refused: The answer is none that Graphite gives/);
  const many = Array.from({ length: MOST_VALUES / 4 + 1 }, () => ({ target: 'a', datapoints: [] }));
  refused(many, /^metrics_limit: /);
});

const page = (last: string): string =>
  `<body><pre>\nTraceback (most recent call last):\n  File &quot;x&quot;\n${last}\n\n</pre>`;

test('the last line of a page of an error says what is wrong, and whose fault it is', () => {
  assert.deepEqual(faultIn(page('ValueError: could not convert string to float: &#x27;x&#x27;')), {
    words: "ValueError: could not convert string to float: 'x'",
    code: 'metrics_refused',
  });
  assert.deepEqual(faultIn(page('Exception: All requests failed')), {
    words: 'Exception: All requests failed',
  });
  for (const body of ['', 'Invalid parameters', '<pre>no trace</pre>', '<html>'])
    assert.equal(faultIn(body), undefined);
});
