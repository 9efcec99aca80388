import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../domain/errors.ts';
import { MOST_VALUES } from '../../domain/metrics.ts';
import { parseReply } from './reply.ts';

const GRID = { fromMs: 1_767_225_600_123, toMs: 1_767_225_601_123, stepMs: 250 };
const LATER = Number.POSITIVE_INFINITY;

const refused = (body: unknown, says: RegExp): void =>
  assert.throws(
    () => parseReply(body, GRID, LATER),
    (error: unknown) => {
      assert.ok(error instanceof EdgeError, String(error));
      assert.match(`${error.code}: ${error.message}`, says);
      return true;
    },
  );

const success = (result: unknown, more: object = {}) => ({
  ...{ status: 'success', data: { resultType: 'matrix', result }, ...more },
});

// As Prometheus 2.42.0 wrote them.
const FINE =
  '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"web","server":"a"},"values":[[1767225600.123,"1"],[1767225600.373,"NaN"],[1767225600.873,"+Inf"],[1767225601.123,"1e-05"]]}]}}';
const WARNED =
  '{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["remote_read: error sending request: Post \\"http://127.0.0.1:9/read\\": dial tcp 127.0.0.1:9: connect: connection refused"]}';

test('values come onto the grid to the millisecond, and what is left out is a gap', () => {
  assert.deepEqual(parseReply(JSON.parse(FINE), GRID, LATER), {
    kind: 'series',
    series: [
      { name: 'web', labels: { server: 'a' }, values: [1, Number.NaN, null, Number.POSITIVE_INFINITY, 1e-5] },
    ],
    completeToMs: LATER,
  });
});

test('nothing with a warning is a part, and with advice it is empty', () => {
  const warned = parseReply(JSON.parse(WARNED), GRID, LATER);
  assert.ok(warned.kind === 'partial');
  assert.match(String(warned.warnings), /remote_read: error/);
  assert.equal(parseReply(success([], { infos: ['might not be a counter'] }), GRID, LATER).kind, 'empty');
});

test('histograms are no numbers, and there is a way to make some of them', () => {
  refused(success([{ metric: {}, histograms: [] }]), /^metrics_refused: The query gives histograms/);
});

test('what Prometheus never says is refused', () => {
  for (const body of [null, [], { status: 'error' }, success({}), success([{ metric: {}, values: [[1]] }])])
    refused(body, /^metrics_refused: The answer is none that Prometheus gives/);
  refused(success([{ metric: {}, values: [[1, 'one']] }]), /"one" in place of a number/);
});

test('more series than there is room for are too much', () => {
  const many = Array.from({ length: MOST_VALUES / 5 + 1 }, () => ({ metric: {}, values: [] }));
  refused(success(many), /^metrics_limit: /);
});
