import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsContract } from '../../../test/contracts/metrics.ts';
import { realClock } from '../../../test/support/clock.ts';
import { type JsonReply, startJsonDouble } from '../../../test/support/json-double.ts';
import { NEW_RELIC_KEY, startNewRelicDouble } from '../../../test/support/new-relic-double.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { EdgeError } from '../../domain/errors.ts';
import { fillQuery } from '../../domain/metric-query.ts';
import { systemSecrets } from '../system/secrets.ts';
import { createNewRelicMetrics, type NewRelicOptions } from './metrics.ts';

const secrets = systemSecrets({ KEY: NEW_RELIC_KEY, WRONG: 'battery' });
const KEY = { accountId: 7, apiKey: { source: 'env', name: 'KEY' } } as const;
const signal = new AbortController().signal;

function select(name: string, server?: string): string {
  const where = server === undefined ? '' : ` WHERE server = '{{server}}'`;
  const template = `SELECT average(${name}) AS '${name}' FROM Sample${where} FACET server, zone LIMIT MAX`;
  const filled = fillQuery(template, server === undefined ? {} : { server }, 'nrql');
  assert.ok(filled.kind === 'filled', JSON.stringify(filled));
  return filled.text;
}

metricsContract(
  'New Relic',
  async ({ samples, now, timeoutMs, delayMs }) => {
    // A sample is in the bucket that ends where it was measured.
    const double = await startNewRelicDouble(samples.map((one) => ({ ...one, atMs: one.atMs - 1_000 })));
    const source = createNewRelicMetrics(
      {
        ...{ url: `${double.origin}/graphql`, tls: 'none', timeoutMs, delayMs },
        ...{ bucketMs: 1_000, reachMs: 300_000, ...KEY },
      },
      { clock: { ...realClock, now }, secrets },
    );
    return {
      source,
      select,
      nonsense: 'SELECT',
      setPartial: async (isPartial) => double.setPartial(isPartial),
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
    holds: ({ value, labels }) => Number.isFinite(value) && !/['\\\p{Cc}]/u.test(labels.server ?? ''),
  },
);

const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;

const worldOf = perTest(async (reply: JsonReply, options: Partial<NewRelicOptions> = {}) => {
  const double = await startJsonDouble(() => reply);
  const source = createNewRelicMetrics(
    {
      ...{ url: `${double.origin}/graphql`, tls: 'none', timeoutMs: 30_000, delayMs: 0 },
      ...KEY,
      ...options,
    },
    { clock: realClock, secrets },
  );
  const dispose = async () => {
    await source.close();
    await double.break();
  };
  const ask = (toMs = START + 2 * MINUTE) =>
    source.query({ text: 'SELECT count(*) FROM x', fromMs: START, toMs, stepMs: MINUTE }, signal);
  return { double, ask, dispose };
});

/** `minute`: that in which the bucket ends, counted from the first point. */
const row = (minute: number, more: object) => ({
  ...{ beginTimeSeconds: START / 1_000 + (minute - 1) * 60, endTimeSeconds: START / 1_000 + minute * 60 },
  ...more,
});
const nrql = (results: readonly object[], metadata: object = {}, more: object = {}): JsonReply => ({
  body: { data: { actor: { account: { nrql: { results, metadata } } } }, ...more },
});
const failed = (message: string, extensions: object = {}): JsonReply => ({
  body: { data: { actor: { account: { nrql: null } } }, errors: [{ message, extensions }] },
});

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    (value) => assert.fail(JSON.stringify(value)),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof EdgeError, String(error));
  return `${error.code}: ${error.message}`;
}

test('the times stand behind the query, which stays whole, and the account and the key are told', async () => {
  const { ask, double } = await worldOf(nrql([]));
  assert.equal((await ask()).kind, 'empty');
  const [asked] = double.asked;
  assert.equal(asked?.headers['api-key'], NEW_RELIC_KEY);
  assert.deepEqual(JSON.parse(asked?.body ?? '').variables, {
    account: 7,
    nrql: `SELECT count(*) FROM x\nSINCE ${START - MINUTE} UNTIL ${START + 2 * MINUTE} TIMESERIES 60 seconds`,
    timeout: 30,
  });
});

test('each number of a row is a series, and its facets are its labels', async () => {
  const rows = [0, 1, 2].map((minute) =>
    row(minute, {
      facet: ['web-1', 'a'],
      ...{
        host: 'web-1',
        count: minute,
        'percentile.duration': { '95': minute / 10, '99': null },
        note: 'x',
      },
    }),
  );
  const answer = await (await worldOf(nrql(rows, { facets: ['host', 'zone'] }))).ask();
  assert.ok(answer.kind === 'series');
  const labels = { host: 'web-1', zone: 'a' };
  assert.deepEqual(answer.series, [
    { name: 'count', labels, values: [0, 1, 2] },
    { name: 'percentile.duration.95', labels, values: [0, 0.1, 0.2] },
  ]);
});

test('one facet stands alone, and null is a gap', async () => {
  const rows = [
    row(0, { facet: 'web-1', host: 'web-1', average: null }),
    row(1, { facet: 'web-1', average: 2 }),
  ];
  const answer = await (await worldOf(nrql(rows, { facets: ['host'] }))).ask();
  assert.ok(answer.kind === 'series');
  assert.deepEqual(answer.series, [{ name: 'average', labels: { host: 'web-1' }, values: [null, 2, null] }]);
});

test('a long time is asked in pieces of 366 buckets at the most', async () => {
  const { ask, double } = await worldOf(nrql([]));
  await ask(START + 1_000 * MINUTE);
  const buckets = double.asked.map(({ body }) => {
    const [, since, until] = /SINCE (\d+) UNTIL (\d+)/.exec(JSON.parse(body).variables.nrql) ?? [];
    return (Number(until) - Number(since)) / MINUTE;
  });
  assert.deepEqual(buckets, [365, 365, 271]);
});

test('what it says beside results, and as many rows as it can give, are warnings', async () => {
  const results = Array.from({ length: 5_000 }, (_, at) => row(0, { facet: `web-${at}`, count: 1 }));
  const errors = [{ message: 'one\nfailed' }];
  const reply = nrql(results, { facets: ['host'], messages: ['data was sampled'] }, { errors });
  const answer = await (await worldOf(reply)).ask();
  assert.ok(answer.kind === 'partial');
  assert.equal(answer.series.length, 5_000);
  const rows = 'as many rows as New Relic gives, 5000';
  assert.deepEqual(answer.warnings, ['one failed', 'data was sampled', rows]);
});

for (const [reply, says] of [
  [failed('NRQL Syntax Error: Error at line 1'), /^metrics_refused: New Relic: NRQL Syntax Error/],
  [failed('Not authorized to query account 7'), /^metrics_refused: .*Not authorized/],
  [failed('x', { errorClass: 'TIMEOUT' }), /^metrics_unreachable/],
  [failed('x', { errorClass: 'SERVER_ERROR' }), /^metrics_unreachable/],
  [failed('The query timed out or is overloaded'), /^metrics_unreachable/],
  [failed('Rate limit of the account exceeded'), /^metrics_unreachable/],
  [{ body: { data: null } }, /^metrics_refused: New Relic: no results, and no error/],
  [{ body: [] }, /^metrics_refused: The answer is none that New Relic gives/],
  [{ status: 429, body: '' }, /^metrics_unreachable/],
] as const)
  test(`${JSON.stringify(reply.body).slice(0, 110)} is ${says.source.slice(1, 20)}`, async () => {
    assert.match(await refusal((await worldOf(reply)).ask()), says);
  });

test('a wrong key is refused, with what it says', async () => {
  const double = await startNewRelicDouble([]);
  const source = createNewRelicMetrics(
    {
      ...{ url: `${double.origin}/graphql`, tls: 'none', timeoutMs: 30_000, delayMs: 0, ...KEY },
      apiKey: { source: 'env', name: 'WRONG' },
    },
    { clock: realClock, secrets },
  );
  const query = { text: select('x'), fromMs: START, toMs: START, stepMs: MINUTE };
  assert.match(await refusal(source.query(query, signal)), /^metrics_refused: .*401: Invalid API key/);
  await source.close();
  await double.break();
});
