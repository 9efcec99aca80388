import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import {
  createOpensearchMetrics,
  type OpensearchOptions,
} from '../../src/adapters/opensearch-metrics/metrics.ts';
import { systemSecrets } from '../../src/adapters/system/secrets.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { fillQuery } from '../../src/domain/metric-query.ts';
import {
  type MetricsWorld,
  metricsContract,
  type WorldSample,
  type WorldSettings,
} from '../contracts/metrics.ts';
import { realClock } from '../support/clock.ts';
import { type Opensearch, startOpensearch } from '../support/opensearch.ts';
import { perTest } from '../support/per-test.ts';
import { requireNoWidening } from '../support/widening-names.ts';

const { path = '', skip } = requireService('opensearch');
const secrets = systemSecrets({});
const signal = new AbortController().signal;

/** It takes seconds to start, and is one for all tests; each has an index of its own. */
let shared: Opensearch | undefined;
let indices = 0;
before(async () => {
  if (skip === undefined) shared = await startOpensearch(path);
});
after(() => shared?.stop());

async function indexWith(samples: readonly WorldSample[]) {
  assert.ok(shared);
  indices += 1;
  const index = `metrics-${indices}`;
  await shared.fill(index, samples);
  return { opensearch: shared, index };
}

async function makeWorld({ samples, now, timeoutMs, delayMs }: WorldSettings): Promise<MetricsWorld> {
  const { opensearch, index } = await indexWith(samples);
  const spoilt = `${index}-spoilt`;
  const { url } = opensearch;
  const source = createOpensearchMetrics(
    { url, index: `${index},${index}-*`, tls: 'none', timeoutMs, delayMs, reachMs: 300_000 },
    { clock: { ...realClock, now }, secrets },
  );
  return {
    source,
    select,
    nonsense: '{"query":',
    setPartial: (isPartial) => (isPartial ? opensearch.spoil(spoilt) : opensearch.remove(spoilt)),
    break: opensearch.kill,
    mend: opensearch.start,
    hang: async () => opensearch.freeze(),
    dispose: async () => {
      await source.close();
      await opensearch.revive();
      await opensearch.remove(index, spoilt);
    },
  };
}

/** A bucket for each millisecond of which there is a document, as where a source has samples of its own times. */
function select(name: string, server?: string): string {
  const filters = [{ term: { name } }, ...(server === undefined ? [] : [{ term: { server: '{{server}}' } }])];
  const time = {
    date_histogram: { field: '@timestamp', fixed_interval: '1ms' },
    aggs: { value: { avg: { field: 'value' } } },
  };
  const grouped = ['zone', 'server', 'name'].reduce<unknown>(
    (aggs, field) => ({ [field]: { terms: { field }, aggs } }),
    { time },
  );
  const template = JSON.stringify({ query: { bool: { filter: filters } }, aggs: grouped });
  const filled = fillQuery(template, server === undefined ? {} : { server }, 'query-dsl');
  assert.ok(filled.kind === 'filled', JSON.stringify(filled));
  return filled.text;
}

metricsContract('OpenSearch', makeWorld, skip, {
  // It takes no such numbers.
  holds: ({ value }) => Number.isFinite(value),
});

const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;
/** Odd times: buckets of the grid are none that begin at whole minutes. */
const GRID = { fromMs: START + 123, toMs: START + 123 + 3 * MINUTE, stepMs: MINUTE };

const sample = (server: string, ms: number, value: number) => ({
  ...{ name: 'requests', labels: { server }, atMs: START + 123 + ms, value },
});
const REQUESTS = [
  sample('web-1', 0, 1),
  sample('web-1', 1, 2),
  sample('web-1', MINUTE, 4),
  sample('web-1', MINUTE + 1, 8),
  sample('web-2', 3 * MINUTE, 16),
];

const running = perTest(async (options: Partial<OpensearchOptions> = {}) => {
  const { opensearch, index } = await indexWith(REQUESTS);
  const source = createOpensearchMetrics(
    { url: opensearch.url, index, tls: 'none', timeoutMs: 30_000, delayMs: 0, ...options },
    { clock: realClock, secrets },
  );
  const dispose = async () => {
    await source.close();
    await opensearch.remove(index);
  };
  const askText = (text: string) => source.query({ ...GRID, text }, signal);
  return { askText, ask: (search: unknown) => askText(JSON.stringify(search)), dispose };
});

const does = (title: string, body: () => Promise<void>): void => {
  test(`OpenSearch: ${title}`, { skip: skip ?? false }, body);
};

const histogram = (aggs: unknown, more: object = {}) => ({
  time: { date_histogram: { field: '@timestamp', ...more }, aggs },
});
const byServer = (aggs: unknown, terms: object = {}) => ({
  aggs: { server: { terms: { field: 'server', ...terms }, aggs } },
});
const SUM = { value: { sum: { field: 'value' } } };

type Ask = Awaited<ReturnType<typeof running>>['ask'];

async function valuesOf(ask: Ask, search: unknown) {
  const answer = await ask(search);
  assert.ok(answer.kind === 'series', JSON.stringify(answer));
  return Object.fromEntries(answer.series.map(({ labels, values }) => [labels.server ?? '', values]));
}

does('the buckets of the grid end at its points, and a sum of nothing is a gap', async () => {
  const { ask } = await running();
  assert.deepEqual(await valuesOf(ask, byServer(histogram(SUM))), {
    'web-1': [1, 6, 8, null],
    'web-2': [null, null, null, 16],
  });
});

does('what a filter does not find among documents is zero', async () => {
  const { ask } = await running();
  const errors = { value: { filter: { range: { value: { gte: 8 } } } } };
  assert.deepEqual(await valuesOf(ask, byServer(histogram(errors))), {
    'web-1': [0, 0, 1, null],
    'web-2': [null, null, null, 1],
  });
});

does('a percentile, a ratio and what a path leads to are values', async () => {
  const { ask } = await running();
  const percentile = { value: { percentiles: { field: 'value', percents: [99] } } };
  assert.deepEqual((await valuesOf(ask, byServer(histogram(percentile))))['web-1']?.[0], 1);
  const ratio = {
    ...{ sum: { sum: { field: 'value' } }, few: { filter: { range: { value: { gte: 8 } } } } },
    value: {
      bucket_script: {
        buckets_path: { few: 'few>_count', all: '_count' },
        script: 'params.few / params.all',
      },
    },
  };
  assert.deepEqual((await valuesOf(ask, byServer(histogram(ratio))))['web-1'], [0, 0, 1, null]);
  const stats = await running({ valuePath: ['all', 'max'] });
  const all = { all: { stats: { field: 'value' } } };
  assert.deepEqual((await valuesOf(stats.ask, byServer(histogram(all))))['web-1'], [1, 4, 8, null]);
});

does('groups by keys, filters and what is within a filter tell series apart', async () => {
  const { ask } = await running();
  const search = {
    aggs: {
      all: {
        filter: { match_all: {} },
        aggs: {
          server: {
            filters: { filters: { first: { term: { server: 'web-1' } }, none: { term: { server: 'x' } } } },
            aggs: histogram(SUM),
          },
        },
      },
    },
  };
  assert.deepEqual(await valuesOf(ask, search), { first: [1, 6, 8, null] });
});

does('groups that were left out make a part, and indices that are not there nothing', async () => {
  const { ask } = await running();
  const answer = await ask(byServer(histogram(SUM), { size: 1 }));
  assert.ok(answer.kind === 'partial', answer.kind);
  assert.match(String(answer.warnings), /1 documents are in groups that were left out/);
  const nowhere = await running({ index: 'nowhere-*' });
  assert.equal((await nowhere.ask(byServer(histogram(SUM)))).kind, 'empty');
});

does('no name of a server finds another server', async () => {
  const { askText } = await running();
  const searchOf = (query: unknown) => JSON.stringify({ query, ...byServer(histogram(SUM)) });
  const templates = [
    searchOf({ term: { server: '{{server}}' } }),
    searchOf({ bool: { must: [{ terms: { server: ['none', '{{server}}'] } }] } }),
    searchOf({ term: { server: { value: '{{server}}' } } }),
  ];
  await requireNoWidening({ language: 'query-dsl', templates, ask: askText });
});

async function rejects(asked: Promise<unknown>, code: string, says: RegExp): Promise<void> {
  await assert.rejects(asked, (error: unknown) => {
    assert.ok(error instanceof EdgeError && error.code === code, String(error));
    assert.match(error.message, says);
    return true;
  });
}

does('says in its own words what is wrong, and what is too much', async () => {
  const { ask } = await running();
  const sum = byServer(histogram(SUM));
  await rejects(
    ask({ ...sum, query: { nonsense: {} } }),
    'metrics_refused',
    /400: unknown query \[nonsense\]/,
  );
  const number = byServer(histogram({ value: { avg: { field: 'server' } } }));
  await rejects(ask(number), 'metrics_refused', /status 400: .*not supported for aggregation \[avg\]/);
  const nowhere = await running({ index: 'nowhere' });
  await rejects(nowhere.ask(sum), 'metrics_refused', /status 404: no such index \[nowhere\]/);
  const fine = { histogram: { field: 'value', interval: 0.0001, min_doc_count: 0 } };
  const many = { aggs: { fine: { ...fine, aggs: histogram(SUM) } } };
  await rejects(ask(many), 'metrics_limit', /status 503: Trying to create too many buckets/);
});
