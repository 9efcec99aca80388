import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, test } from 'node:test';
import { startMemberServer } from '../../test/support/member-server.ts';
import { HttpClient } from './http.ts';
import { createProbe } from './probe.ts';

const signal = new AbortController().signal;
const client = new HttpClient({ trust: 'system', sleep: async () => {} });
const probe = createProbe(client);
const open: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

test('an unhealthy answer is an answer, and a server that is gone is nothing, on the same port', async () => {
  const server = await startMemberServer('web-1');
  open.push(() => server.kill());
  const look = () =>
    probe.http(
      { url: `http://127.0.0.1:${server.port}/health`, headers: {}, timeoutMs: 5_000, maxBytes: 4 },
      signal,
    );
  const well = await look();
  assert.equal(
    well.kind === 'answer' && `${well.status} ${well.headers['x-app-version']} ${well.body}`,
    '200 v1 web-',
  );
  server.healthy = false;
  const ill = await look();
  assert.equal(ill.kind === 'answer' && ill.status, 503);
  await server.kill();
  assert.equal((await look()).kind, 'nothing');
});

test('a TCP look sees an open port and a closed one', async () => {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(await probe.tcp('127.0.0.1', port, 5_000, signal), { kind: 'open' });
  server.close();
  await once(server, 'close');
  assert.equal((await probe.tcp('127.0.0.1', port, 5_000, signal)).kind, 'nothing');
});

test('a TCP look rejects only with the reason of the signal of the caller', async () => {
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await assert.rejects(probe.tcp('127.0.0.1', 1, 5_000, stop.signal), /enough/);
});
