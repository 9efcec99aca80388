import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../test/support/clock.ts';
import { type CloudwatchReply, startCloudwatchDouble } from '../../../test/support/cloudwatch-double.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { EdgeError } from '../../domain/errors.ts';
import { systemSecrets } from '../system/secrets.ts';
import { type CloudwatchOptions, createCloudwatchMetrics } from './metrics.ts';

const signal = new AbortController().signal;
const START = Date.UTC(2026, 0, 5, 10) / 1_000;
const KEYS = { accessKeyId: 'AKIATEST', secretAccessKey: { source: 'env', name: 'KEY' } } as const;
const QUERIES = [
  {
    Id: 'errors',
    MetricStat: {
      Metric: {
        ...{ Namespace: 'N', MetricName: 'errors' },
        Dimensions: [{ Name: 'server', Value: 'web-1' }],
      },
      ...{ Period: 60, Stat: 'Sum' },
    },
  },
];

const worldOf = perTest(
  async (replies: readonly CloudwatchReply[], options: Partial<CloudwatchOptions> = {}) => {
    const double = await startCloudwatchDouble(replies);
    const source = createCloudwatchMetrics(
      {
        ...{ region: 'eu-central-1', endpoint: double.url, tls: 'none', credentials: KEYS },
        ...{ timeoutMs: 30_000, delayMs: 0, ...options },
      },
      { clock: realClock, secrets: systemSecrets({ KEY: 'secret' }) },
    );
    const dispose = async () => {
      await source.close();
      await double.stop();
    };
    const grid = { fromMs: START * 1_000 + 60_000, toMs: START * 1_000 + 180_000, stepMs: 60_000 };
    const ask = (queries: unknown = QUERIES) =>
      source.query({ ...grid, text: JSON.stringify(queries) }, signal);
    return { double, source, ask, dispose };
  },
);

/** Buckets begin at the first point's minute before, and go on from there. */
const result = (minutes: readonly number[], values: readonly unknown[], more: object = {}) => ({
  ...{ Id: 'errors', Label: 'errors', StatusCode: 'Complete' },
  ...{ Timestamps: minutes.map((minute) => START + minute * 60), Values: values, ...more },
});
const page = (results: readonly object[], more: object = {}): CloudwatchReply => ({
  body: { MetricDataResults: results, ...more },
});

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    (value) => assert.fail(JSON.stringify(value)),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof EdgeError, String(error));
  return `${error.code}: ${error.message}`;
}

test('pages are one answer, and a part within them is none of the whole', async () => {
  const { ask, double } = await worldOf([
    page([result([2, 1], [3, 2], { StatusCode: 'PartialData' })], { NextToken: 'more' }),
    page([result([0], [1])]),
  ]);
  const answer = await ask();
  assert.ok(answer.kind === 'series', answer.kind);
  assert.deepEqual(answer.series, [{ name: 'errors', labels: { server: 'web-1' }, values: [1, 2, 3] }]);
  assert.deepEqual(
    double.asked.map(({ body }) => body.NextToken),
    [undefined, 'more'],
  );
});

test('it is asked for whole buckets, signed, and once', async () => {
  const { ask, double } = await worldOf([page([])]);
  assert.equal((await ask()).kind, 'empty');
  const [{ headers, body } = { headers: {}, body: {} }] = double.asked;
  assert.equal(headers['x-amz-target'], 'GraniteServiceVersion20100801.GetMetricData');
  assert.match(
    headers.authorization ?? '',
    /AWS4-HMAC-SHA256 Credential=AKIATEST\/\d+\/eu-central-1\/monitoring/,
  );
  assert.deepEqual([body.StartTime, body.EndTime], [START - 60, START + 180]);
  assert.deepEqual(body.MetricDataQueries, QUERIES);
});

for (const status of ['PartialData', 'InternalError'])
  test(`a result that ends as ${status} is a part`, async () => {
    const { ask } = await worldOf([page([result([0], [1], { StatusCode: status })])]);
    const answer = await ask();
    assert.ok(answer.kind === 'partial', answer.kind);
    assert.deepEqual(answer.warnings, [`errors: ${status}`]);
    assert.deepEqual(answer.series[0]?.values, [1, null, null]);
  });

test('what CloudWatch says of a result or of all is a warning', async () => {
  const messages = [{ Code: 'ArithmeticError', Value: 'dropped a value' }];
  const { ask } = await worldOf([
    page([result([0], [1], { Messages: messages })], { Messages: [{ Value: 'too many metrics' }] }),
  ]);
  const answer = await ask();
  assert.ok(answer.kind === 'partial', answer.kind);
  assert.deepEqual(answer.warnings, ['too many metrics', 'errors: ArithmeticError: dropped a value']);
});

test('a result that is forbidden is refused, and says what to allow', async () => {
  const { ask } = await worldOf([page([result([], [], { StatusCode: 'Forbidden' })])]);
  assert.match(await refusal(ask()), /^metrics_refused: CloudWatch gives nothing of errors: Forbidden/);
});

test('NaN and infinity are what they are', async () => {
  const { ask } = await worldOf([page([result([0, 1, 2], ['NaN', 'Infinity', '-Infinity'])])]);
  const answer = await ask();
  assert.ok(answer.kind === 'series');
  assert.deepEqual(answer.series[0]?.values, [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
});

test('several results of a search, with labels alike or not, are several series', async () => {
  const search = [{ Id: 'all', Expression: 'SEARCH(...)', Period: 60 }];
  const one = (Label: string, value: number) => result([0], [value], { Id: 'all', Label });
  const { ask } = await worldOf([page([one('web-1', 1), one('web-2', 2), one('web-2', 3)])]);
  const answer = await ask(search);
  assert.ok(answer.kind === 'series');
  assert.deepEqual(
    answer.series.map(({ labels, values }) => [labels.label, values[0]]),
    [
      ['web-1', 1],
      ['web-2', 2],
      ['web-2', 3],
    ],
  );
});

for (const [reply, says] of [
  [{ type: 'ThrottlingException', message: 'Rate exceeded' }, /^metrics_unreachable: .*Rate exceeded/],
  [{ status: 503, body: '<html>' }, /^metrics_unreachable/],
  [{ type: 'InternalServiceFault', status: 500 }, /^metrics_unreachable/],
  [
    { type: 'AccessDeniedException', status: 403, message: 'not authorized' },
    /^metrics_refused: .*not authorized/,
  ],
  [{ type: 'ValidationError', message: 'Invalid\nexpression' }, /^metrics_refused: .*Invalid expression/],
  [{ body: 'no JSON' }, /^metrics_refused/],
] as const)
  test(`${JSON.stringify(reply)} is ${says.source.slice(1, 19)}`, async () => {
    const { ask, double } = await worldOf([reply]);
    assert.match(await refusal(ask()), says);
    assert.equal(double.asked.length, 1);
  });

test('what cannot be a query is asked of nobody', async () => {
  const { ask, double, source } = await worldOf([page([])]);
  for (const wrong of [{}, [], [{ Id: 'a', Query: 'x' }], [{ Id: 'a', MetricStat: { Period: '60' } }]])
    assert.match(await refusal(ask(wrong)), /^metrics_refused: The query is no list of MetricDataQueries/);
  const query = { fromMs: 0, toMs: 1, stepMs: 1, text: '{' };
  assert.match(await refusal(source.query(query, signal)), /^metrics_refused: The query is no JSON/);
  assert.equal(double.asked.length, 0);
});

test('pages without an end, and a page that is too long, are too much', async () => {
  const endless = await worldOf([page([], { NextToken: 'again' })]);
  assert.match(await refusal(endless.ask()), /^metrics_limit: .*500 pages/);
  const long = await worldOf([page([result([0], [1])])], { maxBytes: 50 });
  assert.match(await refusal(long.ask()), /^metrics_limit/);
});

test('the time is for all pages together', async () => {
  const replies = [page([], { NextToken: 'more' }), { silent: true }];
  const { ask } = await worldOf(replies, { timeoutMs: 500 });
  assert.match(await refusal(ask()), /^metrics_unreachable: .*no answer within 500 ms/);
});

test('a key that is not there is a secret that is not there', async () => {
  const credentials = { accessKeyId: 'A', secretAccessKey: { source: 'env', name: 'NONE' } } as const;
  const { ask } = await worldOf([page([])], { credentials });
  assert.match(await refusal(ask()), /^secret_unavailable/);
});
