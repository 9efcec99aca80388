import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createPrometheusMetrics, type PrometheusOptions } from '../../src/adapters/prometheus/metrics.ts';
import { systemSecrets } from '../../src/adapters/system/secrets.ts';
import type { EdgeError } from '../../src/domain/errors.ts';
import { fillQuery } from '../../src/domain/metric-query.ts';
import type { HttpCredentials } from '../../src/outbound/authorization.ts';
import type { MetricsSource } from '../../src/ports/metrics.ts';
import { rejectsWith } from '../contracts/load-balancer.ts';
import { type MetricsWorld, metricsContract, type WorldSettings } from '../contracts/metrics.ts';
import { realClock } from '../support/clock.ts';
import { perTest } from '../support/per-test.ts';
import { type Prometheus, type PrometheusSettings, startPrometheus } from '../support/prometheus.ts';
import { startRemoteRead } from '../support/remote-read.ts';

const { path = '', skip } = requireService('prometheus');
const signal = new AbortController().signal;
const secrets = systemSecrets({ PASSWORD: 'correct-horse', WRONG: 'battery' });

async function makeWorld({ samples, now, timeoutMs, delayMs }: WorldSettings): Promise<MetricsWorld> {
  const remote = await startRemoteRead();
  const prometheus = await startPrometheus({ path, samples, remoteRead: remote.url });
  const source = createPrometheusMetrics(
    { url: prometheus.url, tls: 'none', timeoutMs, delayMs },
    { clock: { ...realClock, now }, secrets },
  );
  return {
    source,
    select,
    nonsense: 'errors{',
    setPartial: async (isPartial) => remote.setFailing(isPartial),
    break: prometheus.kill,
    mend: prometheus.start,
    hang: async () => prometheus.freeze(),
    dispose: async () => {
      await source.close();
      await prometheus.stop();
      await remote.stop();
    },
  };
}

function select(name: string, server?: string): string {
  if (server === undefined) return name;
  const filled = fillQuery(`${name}{server="{{server}}"}`, { server }, 'promql');
  assert.ok(filled.kind === 'filled');
  return filled.text;
}

metricsContract('Prometheus', makeWorld, skip);

const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;

/** A counter of two servers, looked at every 15 s for an hour: the second makes errors at twice the rate, and is away for 10 minutes. */
const COUNTERS = [1, 2].flatMap((rate) =>
  Array.from({ length: 240 }, (_, index) => ({
    ...{ name: 'errors_total', labels: { server: `web-${rate}.example` } },
    atMs: START + index * 15_000,
    value: index * 15 * rate,
  })).filter(({ atMs }) => rate === 1 || atMs < START + 20 * MINUTE || atMs >= START + 30 * MINUTE),
);
const HOUR = { fromMs: START, toMs: START + 60 * MINUTE, stepMs: MINUTE };

type Running = { readonly prometheus: Prometheus; readonly source: MetricsSource };
const running = perTest(
  async (settings: Partial<PrometheusSettings> = {}, options: Partial<PrometheusOptions> = {}) => {
    const prometheus = await startPrometheus({ path, samples: COUNTERS, ...settings });
    const source = createPrometheusMetrics(
      { url: prometheus.url, tls: 'none', timeoutMs: 30_000, delayMs: 0, ...options },
      { clock: realClock, secrets },
    );
    const dispose = async () => {
      await source.close();
      await prometheus.stop();
    };
    return { prometheus, source, dispose };
  },
);

const does = (title: string, body: () => Promise<void>): void => {
  test(`Prometheus: ${title}`, { skip: skip ?? false }, body);
};

async function valuesOf({ source }: Running, text: string, grid = HOUR) {
  const answer = await source.query({ ...grid, text }, signal);
  assert.ok(answer.kind === 'series', JSON.stringify(answer));
  return answer.series.map(({ values }) => values);
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = (await promise.catch((thrown: unknown) => thrown)) as EdgeError;
  return `${error.code}: ${error.message}`;
}

does('rates of a window are per second, and a server that was away has a gap', async () => {
  const world = await running();
  const filled = fillQuery(
    'rate(errors_total{server=~"{{server}}"}[{{window}}])',
    { server: 'web-2.example', windowMs: 2 * MINUTE },
    'promql',
  );
  assert.ok(filled.kind === 'filled');
  const [values = []] = await valuesOf(world, filled.text);
  // A window that has samples on one side only is worth less than its length: Prometheus extrapolates.
  for (const minute of [3, 10, 19, 33, 59])
    assert.ok(Math.abs((values[minute] ?? 0) - 2) < 1e-6, `${minute}`);
  assert.deepEqual(values.slice(22, 31), Array(9).fill(null));
});

does('a value stands for 5 minutes where scrapes are missing, and no longer', async () => {
  const [values = []] = await valuesOf(await running(), select('errors_total', 'web-2.example'));
  const last = (20 * 60 - 15) * 2;
  assert.deepEqual(values.slice(19, 31), [19 * 120, ...Array(5).fill(last), ...Array(5).fill(null), 3_600]);
});

does('sums and numbers have no name, and no labels', async () => {
  const { source } = await running();
  const answer = await source.query({ ...HOUR, toMs: START, text: 'sum(errors_total)' }, signal);
  assert.ok(answer.kind === 'series');
  assert.deepEqual(answer.series, [{ labels: {}, values: [0] }]);
});

does('NaN is what a division by zero gives', async () => {
  const values = await valuesOf(await running(), 'sum(errors_total) * 0 / 0', { ...HOUR, toMs: START });
  assert.deepEqual(values, [[Number.NaN]]);
});

does('says where a query is wrong, in its own words', async () => {
  const { source } = await running();
  for (const [text, says] of [
    ['errors_total{', /status 400: 1:14: parse error: unexpected end of input/],
    ['rate(errors_total)', /status 400: .*expected type range vector/],
    ['', /status 400: .*no expression found/],
    ['errors_total * on() errors_total', /status 422: .*many-to-many/],
  ] as const) {
    const message = await messageOf(source.query({ ...HOUR, text }, signal));
    assert.match(message, /^metrics_refused: http:\/\/127\.0\.0\.1:\d+\/api\/v1\/query_range: it answers/);
    assert.match(message, says);
  }
});

does('a query that loads more samples than it may is too much', async () => {
  const { source } = await running({ options: ['--query.max-samples=100'] });
  const message = await messageOf(source.query({ ...HOUR, text: 'errors_total' }, signal));
  assert.match(message, /^metrics_limit: .*status 422: query processing would load too many samples/);
});

does('a query that takes it too long is tried again later', async () => {
  const { source } = await running({ options: ['--query.timeout=1ms'] });
  const text = 'sum(sum_over_time(errors_total[1h:100ms]))';
  const message = await messageOf(source.query({ ...HOUR, text }, signal));
  assert.match(message, /^metrics_unreachable: .*status 503: query timed out/);
});

does('an answer that is too long is too much', async () => {
  const { source } = await running({}, { maxBytes: 1_000 });
  await rejectsWith('metrics_limit', source.query({ ...HOUR, text: 'errors_total' }, signal));
});

does('takes as many points as Edge asks for, and Edge asks for fewer than it takes', async () => {
  const { prometheus } = await running();
  const statusFor = async (steps: number) => {
    const start = START / 1_000;
    const form = { query: '1', start: `${start}`, end: `${start + steps}`, step: '1' };
    const answer = await fetch(`${prometheus.url}/api/v1/query_range?${new URLSearchParams(form)}`);
    await answer.body?.cancel();
    return answer.status;
  };
  assert.deepEqual(await Promise.all([10_999, 11_000, 11_001].map(statusFor)), [200, 200, 400]);
});

does('is never asked for what is to come, for which it would give what it has last', async () => {
  const now = Date.now();
  const soon = { name: 'up', labels: {}, atMs: now - MINUTE, value: 1 };
  const world = await running({ samples: [soon] });
  const grid = { fromMs: now - MINUTE, toMs: now + 3 * MINUTE, stepMs: MINUTE };
  const form = { query: 'up', start: `${now / 1_000}`, end: `${now / 1_000 + 120}`, step: '60' };
  const direct = await fetch(`${world.prometheus.url}/api/v1/query_range?${new URLSearchParams(form)}`);
  assert.match(await direct.text(), /"values":\[\[[\d.]+,"1"\],\[[\d.]+,"1"\],\[[\d.]+,"1"\]\]/);
  assert.deepEqual(await valuesOf(world, 'up', grid), [[1, 1, null, null, null]]);
});

/** bcrypt of `correct-horse`, at its lowest cost. */
const HASH = '$2b$04$abcdefghijklmnopqrstuuPoaPXzWjiVz4HaNq2LJXksWbO79E.S6';

does('wants a password where it is told to, and a wrong one is refused', async () => {
  const user = { name: 'edge', password: 'correct-horse', hash: HASH };
  const password = (name: string): HttpCredentials => ({
    username: 'edge',
    password: { source: 'env', name },
  });
  const query = { ...HOUR, text: 'errors_total' };
  const right = await running({ user }, { credentials: password('PASSWORD') });
  assert.equal((await right.source.query(query, signal)).kind, 'series');
  const { url } = right.prometheus;
  for (const credentials of [undefined, password('WRONG')]) {
    const options = { url, tls: 'none', timeoutMs: 30_000, delayMs: 0 } as const;
    const source = createPrometheusMetrics(
      { ...options, ...(credentials && { credentials }) },
      { clock: realClock, secrets },
    );
    const message = await messageOf(source.query(query, signal));
    assert.match(message, /^metrics_refused: .*status 401: Unauthorized/);
    await source.close();
  }
});
