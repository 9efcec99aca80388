import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type MemberServer, startMemberServer } from '../../test/support/member-server.ts';
import { until } from '../../test/support/until.ts';
import { startLoad } from './load.ts';

const open: MemberServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.kill();
});

async function server(): Promise<MemberServer & { url: string }> {
  const started = await startMemberServer('web-1');
  open.push(started);
  return Object.assign(started, { url: `http://127.0.0.1:${started.port}` });
}

test('counts every answer by the version that gave it', async () => {
  const web = await server();
  const load = startLoad({ url: web.url, ratePerS: 500, slow: { every: 10, path: '/slow?ms=20' } });
  await until('30 answers of v1', () => load.report().total >= 30);
  web.version = 'v2';
  await until('an answer of v2', () => (load.report().byVersion.v2 ?? 0) > 0);
  const report = await load.stop();
  assert.equal(report.failed, 0);
  assert.equal((report.byVersion.v1 ?? 0) + (report.byVersion.v2 ?? 0), report.total);
  assert.equal(web.requests, report.total);
});

test('a request that dies is one failure, and is not tried again', async () => {
  const web = await server();
  web.holding = true;
  const load = startLoad({ url: web.url, ratePerS: 500, slow: { every: 1, path: '/hold' }, concurrency: 4 });
  await until('4 are held', () => web.held === 4);
  const stopping = load.stop();
  await web.kill();
  const report = await stopping;
  assert.equal(report.total, 4);
  assert.equal(report.failed, 4);
  assert.equal(web.requests, 4);
  assert.equal(report.samples.length, 4);
});

test('says how many it could not send when its bound is reached', async () => {
  const web = await server();
  web.holding = true;
  const load = startLoad({ url: web.url, ratePerS: 500, slow: { every: 1, path: '/hold' }, concurrency: 2 });
  await until('some are not sent', () => load.report().notSent > 0);
  web.release();
  web.holding = false;
  const report = await load.stop();
  assert.equal(report.failed, 0);
});

test('an answer that does not come in time is a failure, and so is another status than 2xx', async () => {
  const web = await server();
  web.holding = true;
  const late = startLoad({
    url: web.url,
    ratePerS: 500,
    slow: { every: 1, path: '/hold' },
    concurrency: 1,
    timeoutMs: 30,
  });
  await until('one has timed out', () => late.report().failed > 0);
  assert.match(Object.keys((await late.stop()).failures)[0] ?? '', /within 30 ms/);
  web.healthy = false;
  const ill = startLoad({ url: web.url, ratePerS: 500, slow: { every: 1, path: '/health' } });
  await until('one has failed', () => ill.report().failed > 0);
  assert.ok(((await ill.stop()).failures['status 503'] ?? 0) > 0);
});
