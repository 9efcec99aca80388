import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createInfluxdbMetrics, type InfluxdbOptions } from '../../src/adapters/influxdb/metrics.ts';
import { systemSecrets } from '../../src/adapters/system/secrets.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { fillQuery } from '../../src/domain/metric-query.ts';
import { type MetricsWorld, metricsContract, type WorldSettings } from '../contracts/metrics.ts';
import { realClock } from '../support/clock.ts';
import { type InfluxdbSettings, startInfluxdb } from '../support/influxdb.ts';
import { perTest } from '../support/per-test.ts';
import { requireNoWidening } from '../support/widening-names.ts';

const { path = '', skip } = requireService('influxdb');
const secrets = systemSecrets({ PASSWORD: 'correct-horse', WRONG: 'battery' });
const signal = new AbortController().signal;

async function makeWorld({ samples, now, timeoutMs, delayMs }: WorldSettings): Promise<MetricsWorld> {
  const influxdb = await startInfluxdb({ path, samples });
  const source = createInfluxdbMetrics(
    { url: influxdb.url, database: 'edge', tls: 'none', timeoutMs, delayMs, reachMs: 300_000 },
    { clock: { ...realClock, now }, secrets },
  );
  return {
    source,
    select,
    nonsense: 'SELECT FROM "errors" WHERE time > $from AND time <= $to',
    break: influxdb.kill,
    mend: influxdb.start,
    hang: async () => influxdb.freeze(),
    dispose: async () => {
      await source.close();
      await influxdb.stop();
    },
  };
}

function select(name: string, server?: string): string {
  const where = server === undefined ? '' : `"server" = '{{server}}' AND `;
  const template = `SELECT "value" FROM "${name}" WHERE ${where}time > $from AND time <= $to GROUP BY *`;
  const filled = fillQuery(template, server === undefined ? {} : { server }, 'influxql');
  assert.ok(filled.kind === 'filled', JSON.stringify(filled));
  return filled.text;
}

metricsContract('InfluxDB', makeWorld, skip, {
  // Its line protocol has no such numbers, and no new line in a tag.
  holds: ({ value, labels }) => Number.isFinite(value) && !labels.server?.includes('\n'),
  // It does where it cuts an answer off, which is no part that the suite knows.
  neverPartial: true,
});

const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;
/** Odd times: windows of the grid are none that begin at whole minutes. */
const GRID = { fromMs: START + 123, toMs: START + 123 + 3 * MINUTE, stepMs: MINUTE };

const sample = (server: string, ms: number, value: number) => ({
  ...{ name: 'errors', labels: { server }, atMs: START + 123 + ms, value },
});
const ERRORS = [
  sample('web-1', 0, 1),
  sample('web-1', 1, 2),
  sample('web-1', MINUTE, 4),
  sample('web-1', MINUTE + 1, 8),
  sample('web-2', 3 * MINUTE, 16),
];

type Settings = Partial<Pick<InfluxdbSettings, 'reader' | 'settings'>>;
const running = perTest(async (settings: Settings = {}) => {
  const influxdb = await startInfluxdb({ path, samples: ERRORS, ...settings });
  const asked = (text: string, options: Partial<InfluxdbOptions> = {}) => {
    const source = createInfluxdbMetrics(
      { url: influxdb.url, database: 'edge', tls: 'none', timeoutMs: 30_000, delayMs: 0, ...options },
      { clock: realClock, secrets },
    );
    return source.query({ ...GRID, text }, signal).finally(() => source.close());
  };
  return { ask: asked, dispose: influxdb.stop };
});

const does = (title: string, body: () => Promise<void>): void => {
  test(`InfluxDB: ${title}`, { skip: skip ?? false }, body);
};

type Ask = Awaited<ReturnType<typeof running>>['ask'];

async function valuesOf(ask: Ask, text: string) {
  const answer = await ask(text);
  assert.ok(answer.kind === 'series', JSON.stringify(answer));
  return Object.fromEntries(answer.series.map(({ labels, values }) => [labels.server ?? '', values]));
}

async function rejects(asked: Promise<unknown>, code: string, says: RegExp): Promise<void> {
  await assert.rejects(asked, (error: unknown) => {
    assert.ok(error instanceof EdgeError && error.code === code, String(error));
    assert.match(error.message, says);
    return true;
  });
}

const TIMES = 'time > $from AND time <= $to';
const WINDOWS = `${TIMES} GROUP BY time($step, $offset), "server"`;

does('the windows of the grid end at its points, and those without samples are gaps', async () => {
  const { ask } = await running();
  assert.deepEqual(await valuesOf(ask, `SELECT sum("value") FROM "errors" WHERE ${WINDOWS}`), {
    'web-1': [1, 6, 8, null],
    'web-2': [null, null, null, 16],
  });
});

does('a count of nothing is zero, since InfluxDB says so', async () => {
  const { ask } = await running();
  assert.deepEqual(await valuesOf(ask, `SELECT count("value") FROM "errors" WHERE ${WINDOWS}`), {
    'web-1': [1, 2, 1, 0],
    'web-2': [0, 0, 0, 1],
  });
});

does('values of a pattern and of a name are found where they are put', async () => {
  const { ask } = await running();
  const template = `SELECT sum("value") FROM /^{{zone}}$/ WHERE "server" =~ /^{{server}}$/ AND ${WINDOWS}`;
  const filled = fillQuery(template, { server: 'web-1', zone: 'errors' }, 'influxql');
  assert.ok(filled.kind === 'filled');
  assert.deepEqual(Object.keys(await valuesOf(ask, filled.text)), ['web-1']);
});

does('no name of a server finds another server', async () => {
  const { ask } = await running();
  const templates = [
    `"server" = '{{server}}'`,
    '"server" =~ /^{{server}}$/',
    '"server" =~ /^({{server}}|none)$/',
  ].map((where) => `SELECT "value" FROM "errors" WHERE ${where} AND ${TIMES} GROUP BY *`);
  const from = `SELECT "value" FROM "{{server}}" WHERE ${TIMES}`;
  await requireNoWidening({ language: 'influxql', templates: [...templates, from], ask });
});

does('a query without times, or with windows of its own, is not asked', async () => {
  const { ask } = await running();
  for (const [text, says] of [
    ['SELECT "value" FROM "errors"', /does not take its times from \$from and \$to/],
    ['SELECT "value" FROM "errors" WHERE time > $from', /does not take its times/],
    [
      `SELECT sum("value") FROM "errors" WHERE ${TIMES} GROUP BY time(1m)`,
      /windows that are not those of the grid/,
    ],
  ] as const)
    await rejects(ask(text), 'metrics_refused', says);
});

does('says what is wrong in its own words, also where its status is 200', async () => {
  const { ask } = await running();
  for (const [text, says] of [
    [`SELECT FROM "errors" WHERE ${TIMES}`, /status 400: error parsing query: found FROM, expected/],
    [`SELECT nosuch("value") FROM "errors" WHERE ${TIMES}`, /InfluxDB says: undefined function nosuch\(\)/],
    [`SELECT "value" FROM "other".."errors" WHERE ${TIMES}`, /InfluxDB says: database not found: other/],
    [`SELECT "value" FROM "errors" WHERE ${TIMES}; SHOW DATABASES`, /2 statements, and not one/],
    [`SELECT * FROM "errors" WHERE ${TIMES}`, /gives \[time, server, value\], not one value/],
    [`SELECT "server", "value" FROM "errors" WHERE ${TIMES}`, /not one value/],
  ] as const)
    await rejects(ask(text), 'metrics_refused', says);
});

does('what is more than it reads is too much, and what is more than it gives is a part', async () => {
  const limited = await running({ settings: { coordinator: { 'max-select-series': 1 } } });
  await rejects(limited.ask(select('errors')), 'metrics_limit', /max-select-series limit exceeded/);
  const windows = await running({ settings: { coordinator: { 'max-select-buckets': 2 } } });
  const counts = `SELECT count("value") FROM "errors" WHERE ${WINDOWS}`;
  await rejects(windows.ask(counts), 'metrics_limit', /max-select-buckets limit exceeded/);
  const { ask } = await running({ settings: { http: { 'max-row-limit': 2 } } });
  const answer = await ask(select('errors'));
  assert.ok(answer.kind === 'partial', answer.kind);
  assert.match(String(answer.warnings), /left out rows/);
  assert.deepEqual(
    answer.series.map(({ labels }) => labels.server),
    ['web-1'],
  );
});

does('wants a password where it is told to, and lets a reader only read', async () => {
  const { ask } = await running({ reader: { name: 'edge', password: 'correct-horse' } });
  const password = (name: string) => ({
    credentials: { username: 'edge', password: { source: 'env', name } } as const,
  });
  assert.equal((await ask(select('errors'), password('PASSWORD'))).kind, 'series');
  await rejects(ask(select('errors')), 'metrics_refused', /status 401: unable to parse authentication/);
  await rejects(ask(select('errors'), password('WRONG')), 'metrics_refused', /401: authorization failed/);
  const copy = select('errors').replace('FROM', 'INTO "copy" FROM');
  await rejects(ask(copy, password('PASSWORD')), 'metrics_refused', /requires WRITE on edge/);
});
