import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { until } from '../../test/support/until.ts';
import { EdgeError } from '../domain/errors.ts';
import { HttpClient, type HttpClientOptions, type HttpRequest, type HttpResult } from './http.ts';

const TLS = join(import.meta.dirname, '../../test/fixtures/tls');
const CERT = join(TLS, 'device-cert.pem');
const FINGERPRINT = fingerprintOf(readFileSync(CERT, 'utf8'));
const open: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

test('resolves with status, fields and body of any answer', async () => {
  const { url } = await serve((_, res) => res.writeHead(503, { 'x-a': 'b' }).end('no'));
  const seen = await send({ url });
  assert.equal(seen.kind === 'answer' && `${seen.status} ${seen.headers['x-a']} ${seen.body}`, '503 b no');
});

test('destroys the socket when the deadline has passed', async () => {
  const { url, sockets } = await serve(() => {});
  const seen = await send({ url, timeoutMs: 50 });
  assert.equal(seen.kind === 'nothing' && seen.reason, 'timeout');
  await until(
    'the server sees the end',
    () => sockets.length === 1 && sockets.every((socket) => socket.destroyed),
  );
});

test('counts a body that drips for ever towards the deadline', async () => {
  const { url, sockets } = await serve((_, res) => {
    res.writeHead(200);
    const timer = setInterval(() => res.write('x'), 5);
    res.on('close', () => clearInterval(timer));
  });
  const seen = await send({ url, timeoutMs: 100 });
  assert.equal(seen.kind === 'nothing' && seen.reason, 'timeout');
  await until('the server sees the end', () => sockets.every((socket) => socket.destroyed));
});

test('refuses a body over the limit, or cuts it when told to', async () => {
  const { url } = await serve((_, res) => res.end('x'.repeat(100_000)));
  const refused = await send({ url, maxBytes: 10 });
  assert.equal(refused.kind === 'nothing' && refused.reason, 'too_large');
  const cut = await send({ url, maxBytes: 10, cut: true });
  assert.equal(cut.kind === 'answer' && cut.body, 'xxxxxxxxxx');
});

test('never follows a redirect', async () => {
  let asked = 0;
  const other = await serve((_, res) => {
    asked += 1;
    res.end();
  });
  const { url } = await serve((_, res) => res.writeHead(302, { location: other.url }).end());
  const seen = await send({ url });
  assert.equal(seen.kind === 'answer' && seen.status, 302);
  assert.equal(asked, 0);
});

test('does not ask an origin that is not listed', async () => {
  const { url } = await serve((_, res) => res.end());
  const asking = client({ origins: ['http://127.0.0.1:1'] }).send(
    request({ url }),
    AbortSignal.timeout(1000),
  );
  await assert.rejects(asking, /may not ask/);
});

test('tells a server that is not there from one that hangs up', async () => {
  const { url, server } = await serve((req) => req.socket.destroy());
  const hungUp = await send({ url });
  assert.equal(hungUp.kind === 'nothing' && hungUp.reason, 'lost');
  server.close();
  await once(server, 'close');
  const gone = await send({ url });
  assert.equal(gone.kind === 'nothing' && gone.reason, 'connect');
});

test('rejects with the reason of the signal of the caller', async () => {
  const { url } = await serve(() => {});
  const stop = new AbortController();
  const waiting = client({}).send(request({ url }), stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
});

test('retries as its policy says, and not without one', async () => {
  let asked = 0;
  const { url } = await serve((_, res) => {
    asked += 1;
    res.writeHead(asked < 3 ? 503 : 200).end();
  });
  const again = (seen: HttpResult): boolean => seen.kind === 'answer' && seen.status === 503;
  const once503 = await send({ url });
  assert.equal(once503.kind === 'answer' && once503.status, 503);
  const seen = await send({ url, retry: { backoffMs: [1, 1, 1], again } });
  assert.equal(seen.kind === 'answer' && seen.status, 200);
  assert.equal(asked, 3);
});

test('asks before each try whether it may still be made, and makes none that may not', async () => {
  let tries = 0;
  const { url } = await serve((_, res) => {
    tries += 1;
    res.writeHead(503).end();
  });
  const before = (): void => {
    if (tries === 2) throw new Error('the lease is over');
  };
  const retry = { backoffMs: [1, 1, 1], again: () => true };
  await assert.rejects(send({ url, retry, before }), /the lease is over/);
  assert.equal(tries, 2);
});

test('believes a certificate by its CA file or its fingerprint', async () => {
  const { url } = await serve((_, res) => res.end('safe'), true);
  for (const trust of [
    { ca: CERT },
    { fingerprint: FINGERPRINT },
    { fingerprint: `SHA256:${FINGERPRINT.replaceAll(':', '')}` },
  ]) {
    const seen = await send({ url }, { trust });
    assert.equal(seen.kind === 'answer' && seen.body, 'safe', JSON.stringify(seen));
  }
});

test('sends nothing to a server with another certificate', async () => {
  let asked = 0;
  const { url } = await serve((_, res) => {
    asked += 1;
    res.end();
  }, true);
  for (const trust of ['system', 'none', { fingerprint: FINGERPRINT.replace(/^../, '00') }] as const) {
    const seen = await send({ url }, { trust });
    assert.equal(seen.kind === 'nothing' && seen.reason, 'tls', JSON.stringify(seen));
  }
  assert.equal(asked, 0);
});

test('names a CA file that cannot be read', () => {
  assert.throws(
    () => client({ trust: { ca: '/nowhere/ca.pem' } }),
    (error: unknown) => error instanceof EdgeError && error.code === 'config_unreadable',
  );
});

type Options = Partial<HttpClientOptions>;

function client(options: Options): HttpClient {
  const made = new HttpClient({ trust: 'none', sleep: async () => {}, ...options });
  open.push(() => made.close());
  return made;
}

const request = (given: Partial<HttpRequest> & { url: string }): HttpRequest => ({
  method: 'GET',
  timeoutMs: 10_000,
  maxBytes: 1_000_000,
  ...given,
});

const send = (given: Partial<HttpRequest> & { url: string }, options: Options = {}): Promise<HttpResult> =>
  client(options).send(request(given), new AbortController().signal);

async function serve(
  listener: RequestListener,
  tls = false,
): Promise<{ url: string; server: Server; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = tls
    ? createTlsServer({ key: readFileSync(join(TLS, 'device-key.pem')), cert: readFileSync(CERT) }, listener)
    : createServer(listener);
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const { port } = server.address() as AddressInfo;
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/`, server, sockets };
}

function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}
