import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../domain/errors.ts';
import { bodyFor, searchIn } from './search.ts';

const MINUTE = 60_000;
const PART = { fromMs: 600_123, toMs: 720_123, stepMs: MINUTE };

const VALUE = { value: { avg: { field: 'ms' } } };
const histogram = (more: object = {}) => ({
  time: { date_histogram: { field: 'at', ...more }, aggs: VALUE },
});

function bodyOf(search: unknown, reachMs = MINUTE): unknown {
  return JSON.parse(
    bodyFor(searchIn(JSON.stringify(search), false), { part: PART, timeoutMs: 5_000, reachMs }),
  );
}

test('a search is made for the time of the grid, with buckets that end at its points', () => {
  const query = { term: { server: 'a' } };
  assert.deepEqual(bodyOf({ size: 10, query, runtime_mappings: {}, aggs: histogram() }), {
    runtime_mappings: {},
    size: 0,
    track_total_hits: false,
    timeout: '5000ms',
    query: {
      bool: {
        filter: [query, { range: { at: { gt: 480_123, lte: 720_123, format: 'epoch_millis' } } }],
      },
    },
    aggs: {
      time: {
        date_histogram: { field: 'at', fixed_interval: '60000ms', offset: '124ms', min_doc_count: 1 },
        aggs: VALUE,
      },
    },
  });
});

test('buckets may be of another length, whose last one ends where the grid does', () => {
  const body = bodyOf({ aggs: histogram({ fixed_interval: '10s' }) }, 30_000) as Record<string, never>;
  assert.match(JSON.stringify(body), /"fixed_interval":"10000ms","offset":"124ms"/);
  assert.match(JSON.stringify(body), /"gt":560123,"lte":720123/);
});

test('the groups around the histogram are found, whatever word they stand under', () => {
  const server = { terms: { field: 'server' }, aggregations: histogram() };
  const search = { aggs: { all: { filter: {}, aggs: { server, other: { avg: { field: 'x' } } } } } };
  const { groups, time } = searchIn(JSON.stringify(search), false);
  assert.deepEqual([...groups, time], ['all', 'server', 'time']);
  const found = bodyOf(search) as { aggs: { all: { aggs: { other: unknown; server: object } } } };
  assert.deepEqual(found.aggs.all.aggs.other, { avg: { field: 'x' } });
  assert.deepEqual(Object.keys(found.aggs.all.aggs.server), ['terms', 'aggregations']);
});

for (const [what, search, says] of [
  ['no JSON', '{', /no object of JSON/],
  ['a list', '[]', /no object of JSON/],
  ['no histogram', { query: {} }, /0 date_histograms/],
  ['two histograms', { aggs: { a: histogram().time, b: histogram().time } }, /2 date_histograms/],
  ['an offset', { aggs: histogram({ offset: '1h' }) }, /more than a field and a fixed_interval/],
  [
    'a calendar',
    { aggs: histogram({ calendar_interval: 'month' }) },
    /more than a field and a fixed_interval/,
  ],
  ['an interval that is none', { aggs: histogram({ fixed_interval: '1M' }) }, /"1M" is none/],
  ['no value', { aggs: { t: { date_histogram: { field: 'at' } } } }, /is called value/],
] as const)
  test(`a query with ${what} is refused before anything is asked`, () => {
    assert.throws(
      () => searchIn(typeof search === 'string' ? search : JSON.stringify(search), false),
      (error: unknown) => {
        assert.ok(error instanceof EdgeError && error.code === 'metrics_refused');
        assert.match(error.message, says);
        return true;
      },
    );
  });

test('where it is known where the value is, nothing need be called so', () => {
  const search = JSON.stringify({ aggs: { t: { date_histogram: { field: 'at' } } } });
  assert.equal(searchIn(search, true).time, 't');
});
