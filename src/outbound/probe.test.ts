import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { probeContract } from '../../test/contracts/probe.ts';
import { startMemberServer } from '../../test/support/member-server.ts';
import { servePages } from '../../test/support/pages.ts';
import { HttpClient } from './http.ts';
import { createProbe } from './probe.ts';

const signal = new AbortController().signal;
const client = new HttpClient({ trust: 'system', sleep: async () => {} });
const probe = createProbe(client);
const open: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

probeContract('outbound', async () => {
  const pages = await servePages();
  const client = new HttpClient({ trust: 'system', sleep: async () => {} });
  return {
    probe: createProbe(client),
    ...pages,
    until: (promise) => promise,
    close: async () => {
      await client.close();
      await pages.close();
    },
  };
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
