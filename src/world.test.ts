import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { METRIC_SOURCES } from '../test/fixtures/metric-sources.ts';
import { startSeriesServer } from '../test/support/series-server.ts';
import { metricSourceSchema } from './domain/metric-source.ts';
import { worldOf } from './world.ts';

const MINUTE = 60_000;
const signal = new AbortController().signal;

test('sources of metrics are what their configuration says, one for each, and close with the world', async () => {
  const atMs = Math.floor(Date.now() / MINUTE) * MINUTE - MINUTE;
  const server = await startSeriesServer([{ name: 'load', labels: { server: 'web-1' }, atMs, value: 3 }]);
  const world = worldOf({}, { folder: join(tmpdir(), 'edge-world-test'), owner: 'test', limitBytes: 1 });
  const paths = { series: 'series', labels: 'tags', times: 'points.*.at', values: 'points.*.value' };
  // `tls` is left out, and the address has none.
  const config = () => metricSourceSchema.parse({ kind: 'http-json', url: server.url, paths });
  const source = await world.metrics(config());
  assert.equal(await world.metrics(config()), source);
  const grid = { fromMs: atMs, toMs: atMs, stepMs: MINUTE };
  const answer = await source.query({ ...grid, text: 'load' }, signal);
  assert.partialDeepStrictEqual(answer, {
    kind: 'series',
    series: [{ labels: { server: 'web-1' }, values: [3] }],
  });
  const other = await world.metrics(
    metricSourceSchema.parse({ kind: 'prometheus', url: 'http://127.0.0.1:9' }),
  );
  assert.notEqual(other, source);
  await assert.rejects(other.query({ ...grid, text: 'load' }, signal), { code: 'metrics_unreachable' });
  await world.close();
  await assert.rejects(source.query({ ...grid, text: 'load' }, signal));
  await server.break();
});

test('a source whose address cannot be filled says so', async () => {
  const world = worldOf({}, { folder: join(tmpdir(), 'edge-world-test'), owner: 'test', limitBytes: 1 });
  const paths = { times: 'at', values: 'value' };
  const url = 'https://stats.example.net/series?q={{qery}}';
  const made = world.metrics(metricSourceSchema.parse({ kind: 'http-json', url, paths }));
  await assert.rejects(made, { code: 'config_invalid', message: /Did you mean "query"\?/ });
  await world.close();
});

for (const [kind, { config, filled }] of Object.entries(METRIC_SOURCES))
  test(`a source of the kind ${kind} is made, and asked in its own language`, async () => {
    const store = { folder: join(tmpdir(), 'edge-world-test'), owner: 'test', limitBytes: 1 };
    const world = worldOf({ KEY: 'secret' }, store);
    const source = await world.metrics(metricSourceSchema.parse(config));
    const atMs = Math.floor(Date.now() / MINUTE) * MINUTE - 10 * MINUTE;
    const asked = source.query({ fromMs: atMs, toMs: atMs, stepMs: MINUTE, text: filled }, signal);
    await assert.rejects(asked, { code: 'metrics_unreachable' });
    await world.close();
  });

test('what a balancer counts is asked of HAProxy, and unknown of the others', async () => {
  const world = worldOf({}, { folder: join(tmpdir(), 'edge-world-test'), owner: 'test', limitBytes: 1 });
  const members = { pool: 'web', members: ['web-1'] };
  const haproxy = await world.statistics({ kind: 'haproxy', socket: '/nowhere/haproxy.sock' });
  await assert.rejects(haproxy.read(members, signal), { code: 'balancer_unreachable' });
  const ssh = { user: 'deploy', port: 22, identityFile: '/key' };
  const files = { file: '/upstreams', pidFile: '/pid', test: ['true'], reload: ['true'] };
  const nginx = await world.statistics({ kind: 'nginx', hosts: [{ address: '10.0.0.1' }], ssh, ...files });
  assert.deepEqual(await nginx.read(members, signal), {
    kind: 'unknown',
    why: 'nginx counts no errors of its members',
  });
  await world.close();
});
