import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsContract } from '../../../test/contracts/metrics.ts';
import { realClock } from '../../../test/support/clock.ts';
import { DATADOG_KEYS, startDatadogDouble } from '../../../test/support/datadog-double.ts';
import { type JsonReply, startJsonDouble } from '../../../test/support/json-double.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { EdgeError } from '../../domain/errors.ts';
import { fillQuery } from '../../domain/metric-query.ts';
import { systemSecrets } from '../system/secrets.ts';
import { createDatadogMetrics, type DatadogOptions } from './metrics.ts';

const secrets = systemSecrets({ API: DATADOG_KEYS.api, APPLICATION: DATADOG_KEYS.application });
const KEYS = {
  apiKey: { source: 'env', name: 'API' },
  applicationKey: { source: 'env', name: 'APPLICATION' },
} as const;
const signal = new AbortController().signal;

function select(name: string, server?: string): string {
  const scope = server === undefined ? '*' : 'server:{{server}}';
  const template = `avg:${name}{${scope}} by {server,zone}.rollup(avg, {{window}})`;
  const filled = fillQuery(template, { windowMs: 1_000, ...(server !== undefined && { server }) }, 'datadog');
  assert.ok(filled.kind === 'filled', JSON.stringify(filled));
  return filled.text;
}

metricsContract(
  'Datadog',
  async ({ samples, now, timeoutMs, delayMs }) => {
    // A sample is in the bucket that ends where it was measured.
    const double = await startDatadogDouble(samples.map((one) => ({ ...one, atMs: one.atMs - 1_000 })));
    const source = createDatadogMetrics(
      {
        ...{ url: double.origin, tls: 'none', timeoutMs, delayMs },
        ...{ bucketMs: 1_000, reachMs: 300_000, ...KEYS },
      },
      { clock: { ...realClock, now }, secrets },
    );
    return {
      source,
      select,
      nonsense: 'avg:',
      break: double.break,
      mend: double.mend,
      hang: async () => double.hang(),
      dispose: async () => {
        await source.close();
        await double.break();
      },
    };
  },
  undefined,
  {
    holds: ({ value, labels }) => Number.isFinite(value) && /^[\w.:/-]*$/.test(labels.server ?? ''),
    neverPartial: true,
  },
);

const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;

const worldOf = perTest(async (reply: JsonReply, options: Partial<DatadogOptions> = {}) => {
  const double = await startJsonDouble(() => reply);
  const source = createDatadogMetrics(
    { ...{ url: double.origin, tls: 'none', timeoutMs: 30_000, delayMs: 0 }, ...KEYS, ...options },
    { clock: realClock, secrets },
  );
  const dispose = async () => {
    await source.close();
    await double.break();
  };
  const ask = (toMs = START + 2 * MINUTE) =>
    source.query({ text: 'avg:x{*}', fromMs: START, toMs, stepMs: MINUTE }, signal);
  return { double, ask, dispose };
});

const series = (interval: number, pointlist: readonly unknown[], more: object = {}) => ({
  body: { status: 'ok', series: [{ metric: 'x', scope: '*', tag_set: [], interval, pointlist, ...more }] },
});

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    (value) => assert.fail(JSON.stringify(value)),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof EdgeError, String(error));
  return `${error.code}: ${error.message}`;
}

test('a bucket is the value of its end, and null is a gap', async () => {
  const { ask } = await worldOf(
    series(60, [
      [START - MINUTE, 1],
      [START, null],
      [START + MINUTE, 3],
    ]),
  );
  const answer = await ask();
  assert.ok(answer.kind === 'series');
  assert.deepEqual(answer.series, [{ name: 'x', labels: {}, values: [1, null, 3] }]);
});

test('longer buckets than a step are the values of all points up to the next one', async () => {
  const { ask } = await worldOf(
    series(120, [
      [START - 2 * MINUTE, 1],
      [START, 2],
    ]),
  );
  const answer = await ask();
  assert.ok(answer.kind === 'series');
  assert.deepEqual(answer.series[0]?.values, [1, 1, 2]);
});

test('tags are labels, and those that come twice have both values', async () => {
  const tag_set = ['host:web-1', 'url:http://x/', 'role:a', 'role:b', 'alone'];
  const { ask } = await worldOf(series(60, [[START, 1]], { tag_set }));
  const answer = await ask();
  assert.ok(answer.kind === 'series');
  const labels = { host: 'web-1', url: 'http://x/', role: 'a,b', alone: '' };
  assert.deepEqual(answer.series[0]?.labels, labels);
});

test('a long time is asked in pieces, each with the buckets before its first point', async () => {
  const { ask, double } = await worldOf(series(60, []));
  assert.equal((await ask(START + 2_500 * MINUTE)).kind, 'empty');
  const times = double.asked.map(({ url }) => [
    Number(url.searchParams.get('from')) - START / 1_000,
    Number(url.searchParams.get('to')) - START / 1_000,
  ]);
  assert.deepEqual(times, [
    [-120, 999 * 60],
    [998 * 60, 1_999 * 60],
    [1_998 * 60, 2_500 * 60],
  ]);
});

test('more pieces than there is patience for are too much', async () => {
  const { ask, double } = await worldOf(series(60, []), { bucketMs: 1_000 });
  assert.match(await refusal(ask(START + 5_000 * MINUTE)), /^metrics_limit: .*pieces, and 100 is the most/);
  assert.equal(double.asked.length, 0);
});

test('an error beside series is a warning', async () => {
  const body = { status: 'ok', error: 'one\nshard', series: [] };
  const answer = await (await worldOf({ body })).ask();
  assert.ok(answer.kind === 'partial');
  assert.deepEqual(answer.warnings, ['one shard']);
});

for (const [reply, says] of [
  [
    { body: { status: 'error', error: 'Error parsing query' } },
    /^metrics_refused: Datadog says error: Error parsing query/,
  ],
  [{ body: { status: 'error', error: 'Query timed out' } }, /^metrics_unreachable/],
  [{ body: { series: 1 } }, /^metrics_refused: The answer is none that Datadog gives/],
  [{ status: 403, body: { errors: ['Forbidden'] } }, /^metrics_refused: .*status 403: Forbidden/],
  [{ status: 400, body: { errors: ['a', 'b'] } }, /^metrics_refused: .*status 400: a; b/],
  [
    { status: 429, headers: { 'x-ratelimit-reset': '17' }, body: { errors: ['Rate limit'] } },
    /^metrics_unreachable: .*status 429: Rate limit \(again in 17 s\)/,
  ],
] as const)
  test(`${JSON.stringify(reply)} is ${says.source.slice(1, 20)}`, async () => {
    assert.match(await refusal((await worldOf(reply)).ask()), says);
  });

test('wrong keys are refused, with what they are', async () => {
  const double = await startDatadogDouble([]);
  const source = createDatadogMetrics(
    {
      ...{ url: double.origin, tls: 'none', timeoutMs: 30_000, delayMs: 0, ...KEYS },
      apiKey: KEYS.applicationKey,
    },
    { clock: realClock, secrets },
  );
  const query = { text: select('x'), fromMs: START, toMs: START, stepMs: MINUTE };
  assert.match(await refusal(source.query(query, signal)), /^metrics_refused: .*403: Forbidden/);
  await source.close();
  await double.break();
});
