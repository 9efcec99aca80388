import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'ssh2';
import { connect, exec, loginOf } from '../../test/support/ssh-exec.ts';
import { until } from '../../test/support/until.ts';
import { Lab, type LabHost } from './lab.ts';
import { buildReleases } from './releases.ts';
import { processesOf } from './ssh-host-processes.ts';

let folder: string;
let lab: Lab;
let host: LabHost;
let client: Client;

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'edge-app-')));
  lab = await Lab.start({ folder, hosts: 1, zones: ['a'] });
  host = lab.hosts[0] ?? assert.fail('no host');
  client = await connect(await loginOf(host));
  const slow = { version: 'slow', startupDelayMs: 60_000, broken: false };
  const releases = await buildReleases(join(folder, 'releases'));
  for (const release of [...releases, ...(await buildReleases(join(folder, 'releases'), [slow]))]) {
    const archive = join(host.folder, 'artifact.tar.gz');
    await copyFile(release.path, archive);
    await run(
      `mkdir -p releases/${release.version} && tar -xzf artifact.tar.gz -C releases/${release.version}`,
    );
  }
});

after(async () => {
  client.end();
  await lab.stop();
  await rm(folder, { recursive: true });
});

async function run(command: string) {
  const { code, stdout, stderr } = await exec(client, command);
  return { code, output: stdout.toString() + stderr.toString() };
}

const start = (version: string) => run(`releases/${version}/bin/start`);
const stop = () => run('releases/v1/bin/stop');

type Answer = {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
};

async function ask(path: string, agent?: Agent): Promise<Answer> {
  const request = get(`${host.appUrl}${path}`, agent ? { agent } : {});
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await text(response), headers: response.headers };
}

async function untilHealth(status: number): Promise<Answer> {
  let seen = await ask('/health');
  await until(`health answers ${status}`, async () => {
    seen = await ask('/health');
    return seen.status === status;
  });
  return seen;
}

test('start waits until the application listens; it then answers with its version', async () => {
  const { code, output } = await start('v1');
  assert.equal(code, 0, output);
  assert.match(output, /^started v1 as process \d+ on 127\.0\.0\.\d+:\d+\n$/);
  const health = await untilHealth(200);
  assert.deepEqual(JSON.parse(health.body), { status: 'ok', version: 'v1' });
  const page = await ask('/');
  assert.deepEqual([page.status, page.body, page.headers['x-app-version']], [200, 'hello from v1\n', 'v1']);
  assert.equal((await ask('/nowhere')).status, 404);
  await stop();
});

test('start and stop do nothing the second time, and say so', async () => {
  await start('v1');
  const pid = await readFile(join(host.folder, 'app.pid'), 'utf8');
  const again = await start('v1');
  assert.deepEqual(again, { code: 0, output: `runs already as process ${pid}` });
  assert.deepEqual(await stop(), { code: 0, output: `process ${pid.trim()}: stopped\n` });
  assert.deepEqual(await stop(), { code: 0, output: 'nothing runs\n' });
});

test('start refuses while another release runs', async () => {
  await start('v1');
  const { code, output } = await start('v2');
  assert.equal(code, 1);
  assert.match(output, /another release runs as process \d+: stop it first/);
  assert.match((await ask('/')).headers['x-app-version'] as string, /v1/);
  await stop();
});

test('a process id that another program has got is left alone', async () => {
  await run('sleep 100 >/dev/null 2>&1 </dev/null & echo $! >app.pid; cp app.pid other.pid');
  assert.deepEqual(await stop(), { code: 0, output: 'nothing runs\n' });
  assert.equal((await run('kill -0 $(cat other.pid) && kill $(cat other.pid)')).code, 0);
});

test('start fails with the log when the application cannot listen', async () => {
  await start('v1');
  await run('mv app.pid kept.pid');
  const { code, output } = await start('v1');
  await run('mv kept.pid app.pid');
  assert.equal(code, 1);
  assert.match(output, /v1 did not start.*EADDRINUSE/s);
  await stop();
});

test('while it starts the health page answers 503', async () => {
  await start('slow');
  const { status, body } = await ask('/health');
  assert.deepEqual([status, JSON.parse(body).status], [503, 'starting']);
  assert.equal((await ask('/')).status, 503);
  await stop();
});

test('the bad release starts, fails its health check and its requests', async () => {
  assert.equal((await start('v3')).code, 0);
  const { body } = await untilHealth(500);
  assert.deepEqual(JSON.parse(body), { status: 'broken', version: 'v3' });
  assert.equal((await ask('/')).status, 500);
  await stop();
});

test('a request in flight is finished while the application stops, and new connections are refused', async () => {
  await start('v1');
  await untilHealth(200);
  const slow = ask('/slow?ms=1500');
  await sleep(100);
  const stopping = stop();
  await until('it stopped accepting', async () => !(await accepts()));
  const answer = await slow;
  assert.deepEqual([answer.status, answer.headers.connection], [200, 'close']);
  assert.match((await stopping).output, /: stopped$/m);
});

test('a kept connection is answered while the application stops, and then closed', async () => {
  await start('v1');
  await untilHealth(200);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  assert.equal((await ask('/', agent)).headers.connection, 'keep-alive');
  // One request goes on, so that the second finds the application stopping and its connection open.
  const other = ask('/slow?ms=1000');
  await sleep(100);
  const [pid] = (await readFile(join(host.folder, 'app.pid'), 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGTERM');
  await until('it stopped accepting', async () => !(await accepts()));
  const last = await ask('/health', agent);
  assert.deepEqual([last.status, last.headers.connection], [503, 'close']);
  assert.equal((await other).status, 200);
  await stop();
  agent.destroy();
});

test('a connection that never asked anything does not hold up the stop', async () => {
  await start('v1');
  const silent = connectTcp(host.appPort, host.address);
  await once(silent, 'connect');
  const { output } = await stop();
  silent.destroy();
  assert.match(output, /: stopped$/m);
});

test('stop kills an application that does not end within the grace', async () => {
  await start('v1');
  await untilHealth(200);
  const slow = ask('/slow?ms=60000');
  slow.catch(() => {});
  await sleep(100);
  const { code, output } = await run('STOP_GRACE_S=1 releases/v1/bin/stop');
  assert.deepEqual([code, /killed after the grace/.test(output)], [0, true]);
  await assert.rejects(slow, /socket hang up|ECONNRESET/);
});

test('the metrics page counts requests by code and path, and their time', async () => {
  await start('v1');
  await untilHealth(200);
  for (const path of ['/', '/', '/slow?ms=30', '/nowhere']) await ask(path);
  const { body, headers } = await ask('/metrics');
  assert.match(headers['content-type'] ?? '', /version=0\.0\.4/);
  assert.match(body, /^http_requests_total\{code="200",path="\/",version="v1"\} 2$/m);
  assert.match(body, /^http_requests_total\{code="404",path="other",version="v1"\} 1$/m);
  assert.match(body, /^http_request_duration_seconds_bucket\{le="0\.025"\} [0-3]$/m);
  assert.match(body, /^http_request_duration_seconds_bucket\{le="\+Inf"\} 4$/m);
  assert.match(body, /^http_request_duration_seconds_count 4$/m);
  await stop();
});

test('the application outlives the connection that started it', async () => {
  await start('v1');
  lab.cutConnections();
  client = await connect(await loginOf(host));
  assert.equal((await untilHealth(200)).status, 200);
  await stop();
});

test('no process is left when the lab stops with its application running', {
  skip: process.platform !== 'linux',
}, async () => {
  await start('v1');
  await lab.stop();
  assert.deepEqual(processesOf(host.folder), []);
});

async function accepts(): Promise<boolean> {
  const socket = connectTcp(host.appPort, host.address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
