import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../domain/errors.ts';
import { MOST_VALUES } from '../../domain/metrics.ts';
import type { JsonPath } from '../../lib/json-path.ts';
import { faultIn } from './fault.ts';
import { parseReply } from './reply.ts';
import type { Search } from './search.ts';

const GRID = { fromMs: 1_000, toMs: 4_000, stepMs: 1_000 };
const LATER = Number.POSITIVE_INFINITY;
const SEARCH: Search = { body: {}, groups: ['server'], time: 'time', field: 'at' };

const read = (body: unknown, search: Partial<Search> = {}, valuePath?: JsonPath) =>
  parseReply(body, GRID, {
    ...{ search: { ...SEARCH, ...search }, valuePath, reachMs: 1_000, completeToMs: LATER },
  });

function refused(body: unknown, says: RegExp): void {
  assert.throws(
    () => read(body),
    (error: unknown) => {
      assert.ok(error instanceof EdgeError, String(error));
      assert.match(`${error.code}: ${error.message}`, says);
      return true;
    },
  );
}

const SHARDS = { total: 2, successful: 2, skipped: 0, failed: 0 };
const replyOf = (aggregations: unknown, more: object = {}) => ({
  ...{ took: 1, timed_out: false, _shards: SHARDS, hits: { hits: [] }, aggregations, ...more },
});
const bucket = (key: number, value: unknown, doc_count = 1) => ({ key, doc_count, value });
const serverOf = (...buckets: readonly unknown[]) => ({
  server: { sum_other_doc_count: 0, buckets: [{ key: 'a', doc_count: 9, time: { buckets } }] },
});

function valuesIn(...buckets: readonly unknown[]) {
  const answer = read(replyOf(serverOf(...buckets)));
  assert.ok(answer.kind === 'series', answer.kind);
  return answer.series.map(({ values }) => values);
}

// As OpenSearch 2.19.1 wrote it.
const FINE =
  '{"took":798,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"max_score":null,"hits":[]},"aggregations":{"server":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"web-1","doc_count":2,"time":{"buckets":[{"key_as_string":"1970-01-01T00:00:00.001Z","key":1,"doc_count":1,"value":{"value":1.0},"bs":{"value":null}},{"key_as_string":"1970-01-01T00:00:02.001Z","key":2001,"doc_count":1,"value":{"value":-1.0E-9}}]}}]}}}';

test('a bucket is a value of its end, and one that is not given is a gap', () => {
  assert.deepEqual(read(JSON.parse(FINE)), {
    kind: 'series',
    series: [{ labels: { server: 'web-1' }, values: [1, null, -1e-9, null] }],
    completeToMs: LATER,
  });
});

test('values, percentiles and counts are numbers, and null, or nothing, is a gap', () => {
  const buckets = [{ value: 1.5 }, { values: { '99.0': 2.5 } }, { doc_count: 0 }, { value: 'NaN' }];
  assert.deepEqual(valuesIn(...buckets.map((value, index) => bucket(index * 1_000 + 1, value))), [
    [1.5, 2.5, 0, Number.NaN],
  ]);
  const gaps = [{ value: 7 }, { value: null }, undefined, { values: { '99.0': null } }];
  assert.deepEqual(valuesIn(...gaps.map((value, index) => bucket(index * 1_000 + 1, value))), [
    [7, null, null, null],
  ]);
});

test('a bucket without documents is a gap, whatever it says', () => {
  assert.deepEqual(valuesIn(bucket(1, { value: 0 }, 0), bucket(1_001, { value: 0 })), [
    [null, 0, null, null],
  ]);
});

test('a group called name is the name, and keys of all kinds are labels', () => {
  const time = { buckets: [{ key: 1, doc_count: 3 }] };
  const ok = { buckets: [{ key: 1, key_as_string: 'true', doc_count: 1, time }] };
  const aggregations = { name: { buckets: { up: { doc_count: 1, in: { doc_count: 1, ok } } } } };
  const answer = read(replyOf(aggregations), { groups: ['name', 'in', 'ok'] }, ['doc_count']);
  assert.ok(answer.kind === 'series');
  assert.deepEqual(answer.series, [{ name: 'up', labels: { ok: 'true' }, values: [3, null, null, null] }]);
});

test('whatever may lack something is a part, and says why', () => {
  const failures = [{ shard: 0, reason: { type: 'x', reason: 'the disk is gone' } }];
  const away = { total: 2, successful: 1, skipped: 1 };
  for (const [more, says] of [
    [{ timed_out: true }, /has taken too long/],
    [{ terminated_early: true }, /before it had read all/],
    [{ _shards: { ...SHARDS, failed: 1, failures } }, /1 of 2 shards have failed,the disk is gone/],
    [{ _clusters: away }, /1 of 2 clusters/],
    [{ aggregations: { server: { sum_other_doc_count: 5, buckets: [] } } }, /5 documents are in groups/],
  ] as const) {
    const answer = read(replyOf(serverOf(bucket(1, { value: 1 })), more));
    assert.ok(answer.kind === 'partial', answer.kind);
    assert.match(String(answer.warnings), says);
  }
});

test('no groups, and no indices, are empty', () => {
  assert.equal(read(replyOf({ server: { buckets: [] } })).kind, 'empty');
  assert.equal(read(replyOf(undefined, { _shards: { ...SHARDS, total: 0 } })).kind, 'empty');
});

test('what OpenSearch never says is refused, and so is what is no number', () => {
  for (const body of [null, [], {}, replyOf(undefined), replyOf({}, { timed_out: undefined })])
    refused(body, /^metrics_refused: The answer is none that OpenSearch gives/);
  for (const value of [{ value: 'up' }, { values: { a: 1, b: 2 } }, { min: 1 }, 'up'])
    refused(replyOf(serverOf(bucket(1, value))), /^metrics_refused: The answer has .* in place of a number/);
  refused(replyOf(serverOf({ key: 'a', doc_count: 1 })), /buckets that are none of times/);
  refused(replyOf({ server: { buckets: [{ key: { a: 1 } }] } }), /no single key/);
  refused(replyOf({ server: { buckets: [{ key: 'a', time: { buckets: {} } }] } }), /no buckets of times/);
});

test('more series than there is room for are too much', () => {
  const time = { buckets: [] };
  const buckets = Array.from({ length: MOST_VALUES / 4 + 1 }, (_, key) => ({ key, time }));
  refused(replyOf({ server: { buckets } }), /^metrics_limit: /);
});

// As OpenSearch 2.19.1 wrote them.
const UNKNOWN =
  '{"error":{"root_cause":[{"type":"parsing_exception","reason":"unknown query [nonsense]","line":1,"col":22}],"type":"parsing_exception","reason":"unknown query [nonsense]"},"status":400}';
const BUCKETS =
  '{"error":{"root_cause":[],"type":"search_phase_execution_exception","reason":"","phase":"fetch","grouped":true,"failed_shards":[],"caused_by":{"type":"too_many_buckets_exception","reason":"Trying to create too many buckets.","max_buckets":65535}},"status":503}';

test('a fault has the words of its root, and too many buckets are too much', () => {
  assert.deepEqual(faultIn(UNKNOWN), { words: 'unknown query [nonsense]' });
  assert.deepEqual(faultIn(BUCKETS), { words: 'Trying to create too many buckets.', code: 'metrics_limit' });
  for (const body of ['', '<html>', '{"error":"no"}', '{}']) assert.equal(faultIn(body), undefined);
});
