import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rejectsWith } from '../../../test/contracts/load-balancer.ts';
import { metricsContract } from '../../../test/contracts/metrics.ts';
import { realClock } from '../../../test/support/clock.ts';
import { type Answer, startListServer } from '../../../test/support/list-server.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { startSeriesServer } from '../../../test/support/series-server.ts';
import { EdgeError } from '../../domain/errors.ts';
import { systemSecrets } from '../system/secrets.ts';
import { createHttpJsonMetrics, type HttpJsonOptions } from './metrics.ts';

const secrets = systemSecrets({ TOKEN: 'correct-horse' });
const signal = new AbortController().signal;

metricsContract('HTTP JSON', async ({ samples, now, timeoutMs, delayMs }) => {
  const server = await startSeriesServer(samples);
  const source = createHttpJsonMetrics(
    {
      ...{ url: server.url, tls: 'none', timeoutMs, delayMs, unit: 'seconds', reachMs: 300_000 },
      paths: {
        series: ['series'],
        name: ['metric'],
        labels: ['tags'],
        times: ['points', '*', 'at'],
        values: ['points', '*', 'value'],
        warnings: ['warnings'],
      },
    },
    { clock: { ...realClock, now }, secrets },
  );
  return {
    source,
    select: (name, server) => (server === undefined ? name : `${name} ${server}`),
    nonsense: '{',
    setPartial: async (isPartial) => server.setPartial(isPartial),
    break: server.break,
    mend: server.mend,
    hang: async () => server.hang(),
    dispose: async () => {
      await source.close();
      await server.break();
    },
  };
});

const worldOf = perTest(async (answer: Answer, options: Partial<HttpJsonOptions> = {}) => {
  const server = await startListServer(answer);
  const paths = { times: ['times'], values: ['values'] };
  const source = createHttpJsonMetrics(
    {
      ...{ url: `${server.url}&q={{query}}`, tls: 'none', timeoutMs: 30_000, delayMs: 0 },
      ...{ unit: 'milliseconds', paths, ...options },
    },
    { clock: realClock, secrets },
  );
  const dispose = async () => {
    await source.close();
    await server.stop();
  };
  const ask = () => source.query({ text: 'x', fromMs: 1_000, toMs: 3_000, stepMs: 1_000 }, signal);
  return { server, source, ask, dispose };
});

async function valuesOf(document: unknown, options: Partial<HttpJsonOptions>) {
  const { ask } = await worldOf({ body: JSON.stringify(document) }, options);
  const answer = await ask();
  assert.ok(answer.kind === 'series', answer.kind);
  return answer.series.map(({ values }) => values);
}

test('times and values may be two lists, pairs or objects, of one series or of many', async () => {
  const lists = { times: [1_000, 2_000, 3_000], values: [1, null, '+Inf'] };
  assert.deepEqual(await valuesOf(lists, {}), [[1, null, Number.POSITIVE_INFINITY]]);
  const graphite = [
    {
      target: 'x',
      datapoints: [
        [5, 1],
        [null, 2],
        [7, 3],
      ],
    },
  ];
  const pairs = { series: [], times: ['datapoints', '*', '1'], values: ['datapoints', '*', '0'] };
  assert.deepEqual(await valuesOf(graphite, { unit: 'seconds', paths: pairs }), [[5, null, 7]]);
  const buckets = { aggregations: { t: { buckets: [{ at: '1970-01-01T00:00:02Z', p: { '99.0': 8 } }] } } };
  const at = ['aggregations', 't', 'buckets', '*'];
  const paths = { times: [...at, 'at'], values: [...at, 'p', '99.0'] };
  assert.deepEqual(await valuesOf(buckets, { paths }), [[null, 8, null]]);
});

test('a sample stands for the points up to the next step of the grid', async () => {
  assert.deepEqual(await valuesOf({ times: [1_001, 2_500], values: [1, 2] }, {}), [[null, 1, 2]]);
});

test('a source that knows up to when its data is complete is believed', async () => {
  const document = { times: [1_000, 2_000, 3_000], values: [1, 2, 3], until: 2_999 };
  const paths = { times: ['times'], values: ['values'], completeTo: ['until'] };
  assert.deepEqual(await valuesOf(document, { paths }), [[1, 2, null]]);
});

for (const [what, document, says] of [
  ['fewer values than times', { times: [1_000, 2_000], values: [1] }, /\[values\] has 1 values for 2 times/],
  ['no times', { values: [1] }, /\[times\] is no list of times/],
  ['a time that is none', { times: ['today'], values: [1] }, /\[times\] has "today" in place of a time/],
  ['a value that is none', { times: [1_000], values: [true] }, /\[values\] has true in place of a number/],
  ['a list', [], /\[times\] is no list/],
] as const)
  test(`an answer with ${what} is refused with the place`, async () => {
    const { ask } = await worldOf({ body: JSON.stringify(document) });
    await assert.rejects(ask(), (error: unknown) => {
      assert.ok(error instanceof EdgeError && error.code === 'metrics_refused', String(error));
      assert.match(error.message, says);
      return true;
    });
  });

test('a warning that is not understood is one', async () => {
  const paths = { times: ['times'], values: ['values'], warnings: ['failed'] };
  for (const [failed, kind] of [
    [{ shards: 1 }, 'partial'],
    [true, 'partial'],
    [['a', ''], 'partial'],
    [[], 'series'],
    ['', 'series'],
    [null, 'series'],
  ] as const) {
    const { ask } = await worldOf(
      { body: JSON.stringify({ times: [1_000], values: [1], failed }) },
      { paths },
    );
    assert.equal((await ask()).kind, kind, JSON.stringify(failed));
  }
});

for (const [status, code] of [
  [301, 'metrics_refused'],
  [401, 'metrics_refused'],
  [404, 'metrics_refused'],
  [413, 'metrics_limit'],
  [429, 'metrics_unreachable'],
  [503, 'metrics_unreachable'],
] as const)
  test(`the status ${status} is ${code}`, async () => {
    const { ask } = await worldOf({ status, body: '<html>' });
    await rejectsWith(code, ask());
  });

test('what is no JSON is refused, and what is too long is too much', async () => {
  await rejectsWith('metrics_refused', (await worldOf({ body: '<html>' })).ask());
  await rejectsWith('metrics_limit', (await worldOf({ body: ' '.repeat(11) }, { maxBytes: 10 })).ask());
});

test('an error bears the words of the source on one line, and no query of its address', async () => {
  const { ask } = await worldOf({ status: 400, body: '{"message":"no\\nsuch \\u001b[31mmetric"}' });
  await assert.rejects(ask(), (error: unknown) => {
    assert.match(String(error), /127\.0\.0\.1:\d+\/hosts: it answers with status 400: no such metric$/);
    return true;
  });
});

test('it is asked with a token where one is given, which no error bears', async () => {
  const credentials = { token: { source: 'env', name: 'TOKEN' } } as const;
  const body = JSON.stringify({ times: [1_000], values: [1] });
  const { ask, server } = await worldOf({ wants: 'Bearer correct-horse', body }, { credentials });
  assert.equal((await ask()).kind, 'series');
  server.answers({ wants: 'Bearer another' });
  await assert.rejects(ask(), (error: unknown) => {
    assert.ok(error instanceof EdgeError && error.code === 'metrics_refused');
    assert.match(error.body.hint, /credentials/);
    assert.ok(!JSON.stringify(error.body).includes('correct-horse'));
    return true;
  });
  const missing = { token: { source: 'env', name: 'NONE' } } as const;
  await rejectsWith('secret_unavailable', (await worldOf({ body }, { credentials: missing })).ask());
});

for (const [url, says] of [
  ['https://{{query}}.example/x', /a host, and a path/],
  ['https://stats.example{{query}}/x', /a host, and a path/],
  ['https://u:p@stats.example/x', /a host, and a path/],
  ['file:///etc/passwd', /a host, and a path/],
  ['https://stats.example/{{form}}', /\{\{form\}\} is not known\. Did you mean "from"\?/],
  ['https://stats.example/{{', /two opening braces/],
] as const)
  test(`an address such as ${url} is refused before anything is asked`, () => {
    const paths = { times: [], values: [] };
    assert.throws(
      () =>
        createHttpJsonMetrics(
          { url, tls: 'system', timeoutMs: 1, delayMs: 0, unit: 'seconds', paths },
          { clock: realClock, secrets },
        ),
      says,
    );
  });

test('it is asked for what reaches the first point too, in its unit', async () => {
  const { source, server } = await worldOf({ body: '{"times":[],"values":[]}' }, { reachMs: 500 });
  const grid = { fromMs: 5_000, toMs: 9_999, stepMs: 2_000 };
  for (const unit of ['milliseconds', 'seconds'] as const) {
    const url = `${server.url}&from={{from}}&to={{to}}&step={{step}}`;
    const paths = { times: ['times'], values: ['values'] };
    const other = createHttpJsonMetrics(
      { url, tls: 'none', timeoutMs: 30_000, delayMs: 0, unit, reachMs: 500, paths },
      { clock: realClock, secrets },
    );
    assert.equal((await other.query({ ...grid, text: 'x' }, signal)).kind, 'empty');
    await other.close();
  }
  await source.close();
  assert.deepEqual(
    server.addresses.map((address) => address.replace(/^.*&from/, 'from')),
    ['from=4500&to=9000&step=2000', 'from=4.5&to=9&step=2'],
  );
});

test('a query stays one piece of the address', async () => {
  const { source, server } = await worldOf({ body: '{"times":[],"values":[]}' });
  const grid = { fromMs: 0, toMs: 0, stepMs: 1 };
  await source.query({ ...grid, text: '/../admin?a=b&c#d' }, signal);
  for (const text of ['.', '..'])
    await rejectsWith('metrics_refused', source.query({ ...grid, text }, signal));
  assert.deepEqual(server.addresses, ['/hosts?key=in-the-query&q=%2F..%2Fadmin%3Fa%3Db%26c%23d']);
});
