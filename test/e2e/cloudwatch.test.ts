import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { requireService } from '../../scripts/services.ts';
import { createCloudwatchMetrics } from '../../src/adapters/cloudwatch/metrics.ts';
import { systemSecrets } from '../../src/adapters/system/secrets.ts';
import { fillQuery } from '../../src/domain/metric-query.ts';
import {
  type MetricsWorld,
  metricsContract,
  type WorldSample,
  type WorldSettings,
} from '../contracts/metrics.ts';
import { realClock } from '../support/clock.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { startPartialProxy } from '../support/partial-proxy.ts';

const { path = '', skip } = requireService('moto');
const signal = new AbortController().signal;
const secrets = systemSecrets({ KEY: 'secret' });
const REGION = 'eu-central-1';
const NAMESPACE = 'Edge/Test';
const ACCESS = { accessKeyId: 'AKIATEST', secretAccessKey: { source: 'env', name: 'KEY' } } as const;
/** Of the buckets: a sample is put into the one that ends where it was measured. */
const PERIOD_S = 1;

let moto: Promise<Moto> | undefined;
after(async () => (await moto)?.kill());

async function freshMoto(): Promise<Moto> {
  moto ??= startMoto(path);
  const running = await moto;
  await running.reset();
  return running;
}

async function fill(endpoint: string, samples: readonly WorldSample[]): Promise<void> {
  const client = new CloudWatchClient({
    ...{ region: REGION, endpoint },
    credentials: { accessKeyId: ACCESS.accessKeyId, secretAccessKey: 'secret' },
  });
  const MetricData = samples.map(({ name, labels, atMs, value }) => ({
    MetricName: name,
    Dimensions: dimensionsOf(labels),
    Timestamp: new Date(atMs - PERIOD_S * 1_000),
    Value: value,
  }));
  await client.send(new PutMetricDataCommand({ Namespace: NAMESPACE, MetricData }));
  client.destroy();
}

const dimensionsOf = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels).map(([Name, Value]) => ({ Name, Value }));

/** One query for each of these sets of labels; the id of a query is a name. */
const queryText = (name: string, sets: readonly Readonly<Record<string, string>>[]): string =>
  JSON.stringify(
    sets.map((labels, at) => ({
      Id: `q${at}`,
      MetricStat: {
        Metric: { Namespace: NAMESPACE, MetricName: name, Dimensions: dimensionsOf(labels) },
        ...{ Period: PERIOD_S, Stat: 'Average' },
      },
    })),
  );

async function makeWorld(settings: WorldSettings): Promise<MetricsWorld> {
  const { samples, now, timeoutMs, delayMs } = settings;
  const moto = await freshMoto();
  await fill(moto.url, samples);
  const proxy = await startPartialProxy(moto.url);
  const source = createCloudwatchMetrics(
    {
      ...{ region: REGION, endpoint: proxy.url, tls: 'none', credentials: ACCESS },
      ...{ timeoutMs, delayMs, reachMs: 300_000 },
    },
    { clock: { ...realClock, now }, secrets },
  );
  return {
    source,
    select: (name, server) => select(name, server, samples),
    nonsense: '[{"Id":"a"}]',
    setPartial: async (isPartial) => proxy.setPartial(isPartial),
    break: moto.kill,
    mend: async () => {
      await moto.start();
      await fill(moto.url, samples);
    },
    hang: async () => moto.freeze(),
    dispose: async () => {
      await source.close();
      await proxy.stop();
    },
  };
}

function select(name: string, server: string | undefined, samples: readonly WorldSample[]): string {
  const servers = [...new Set(samples.map(({ labels }) => labels.server ?? ''))];
  const labels = (of: string) => ({ server: of, zone: 'a' });
  if (server === undefined) return queryText(name, servers.map(labels));
  const filled = fillQuery(queryText(name, [labels('{{server}}')]), { server }, 'cloudwatch');
  assert.ok(filled.kind === 'filled');
  return filled.text;
}

// CloudWatch takes no number that is none, and moto gives infinity as no JSON.
metricsContract('CloudWatch (moto)', makeWorld, skip, { holds: ({ value }) => Number.isFinite(value) });

const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;
const does = (title: string, body: (moto: Moto) => Promise<void>): void => {
  test(`CloudWatch (moto): ${title}`, { skip: skip ?? false }, async () => body(await freshMoto()));
};

async function answerTo(moto: Moto, queries: unknown, grid = { fromMs: START, toMs: START + 3 * MINUTE }) {
  const source = createCloudwatchMetrics(
    {
      ...{ region: REGION, endpoint: moto.url, tls: 'none', credentials: ACCESS },
      ...{ timeoutMs: 30_000, delayMs: 0 },
    },
    { clock: realClock, secrets },
  );
  const query = { ...grid, stepMs: MINUTE, text: JSON.stringify(queries) };
  return source.query(query, signal).finally(() => source.close());
}

const at = (minute: number, value: number, server = 'web-1'): WorldSample => ({
  ...{ name: 'errors', labels: { server }, atMs: START + minute * MINUTE, value },
});
const metric = (server: string, more: object = {}) => ({
  Metric: { Namespace: NAMESPACE, MetricName: 'errors', Dimensions: dimensionsOf({ server }) },
  ...{ Period: 60, Stat: 'Sum', ...more },
});

does('a bucket is the value of its end, and its parts are one number', async (moto) => {
  await fill(moto.url, [at(0.25, 1), at(0.75, 2), at(1.5, 4), at(2.9, 8)]);
  const answer = await answerTo(moto, [{ Id: 'errors', MetricStat: metric('web-1') }]);
  assert.ok(answer.kind === 'series', answer.kind);
  assert.deepEqual(answer.series, [{ name: 'errors', labels: { server: 'web-1' }, values: [null, 3, 4, 8] }]);
});

does('points between the ends of buckets have the newest one', async (moto) => {
  await fill(moto.url, [at(0.5, 1), at(1.5, 2)]);
  const grid = { fromMs: START + 90_500, toMs: START + 90_500 + 2 * MINUTE };
  const answer = await answerTo(moto, [{ Id: 'errors', MetricStat: metric('web-1') }], grid);
  assert.ok(answer.kind === 'series', answer.kind);
  assert.deepEqual(answer.series[0]?.values, [1, 2, null]);
});

does('an expression has the id of its query and its label, and its parts are not given', async (moto) => {
  await fill(moto.url, [at(0.5, 3)]);
  // Moto knows no expression but the id of a metric.
  const answer = await answerTo(moto, [
    { Id: 'a', MetricStat: metric('web-1'), ReturnData: false },
    { Id: 'same', Expression: 'a', Label: 'all errors' },
  ]);
  assert.ok(answer.kind === 'series', answer.kind);
  assert.deepEqual(answer.series, [
    { labels: { id: 'same', label: 'all errors' }, values: [null, 3, null, null] },
  ]);
});

does('a wrong set of dimensions is empty', async (moto) => {
  await fill(moto.url, [at(0.5, 1)]);
  const wrong = metric('web-1');
  wrong.Metric.Dimensions.push({ Name: 'zone', Value: 'a' });
  assert.equal((await answerTo(moto, [{ Id: 'a', MetricStat: wrong }])).kind, 'empty');
});
