import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HttpProbe, HttpSeen, Probe, TcpSeen } from '../../src/ports/probe.ts';

/** A server that answers this, in full, to a request for its path. */
export type Page = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** A server with pages, and an address where nothing listens. */
export type ProbeWorld = {
  readonly probe: Probe;
  readonly address: string;
  /** HTTP is served here: the pages, and at `/silence` a connection that is taken and never answered. */
  readonly port: number;
  readonly closedPort: number;
  /** The headers that the last request for a page had, names in small letters. */
  lastHeaders(): Readonly<Record<string, string>>;
  /** Lets time pass until the promise is settled. */
  until<T>(promise: Promise<T>): Promise<T>;
  close(): Promise<void>;
};

export const PAGES: Readonly<Record<string, Page>> = {
  '/well': { status: 200, headers: { 'X-App-Version': 'V1', 'Content-Type': 'text/plain' }, body: 'é ok' },
  '/ill': { status: 503, headers: {}, body: 'starting' },
  '/moved': { status: 302, headers: { Location: '/well' }, body: '' },
  '/long': { status: 200, headers: {}, body: 'x'.repeat(100_000) },
};

const never = new AbortController().signal;

/** What every `Probe` does: what was seen is a value, and only the caller's own signal rejects. */
export function probeContract(name: string, open: () => Promise<ProbeWorld>): void {
  describe(`probe: ${name}`, () => {
    let world: ProbeWorld;
    before(async () => {
      world = await open();
    });
    after(() => world.close());

    const look = (path: string, more: Partial<HttpProbe> = {}, signal = never): Promise<HttpSeen> => {
      const url = `http://${world.address}:${world.port}${path}`;
      const request = { url, headers: {}, timeoutMs: 10_000, maxBytes: 1_000, ...more };
      return world.until(world.probe.http(request, signal));
    };
    const knock = (port: number, signal = never): Promise<TcpSeen> =>
      world.until(world.probe.tcp(world.address, port, 10_000, signal));

    test('an answer is seen with its status, its body, and its headers by their names in small letters', async () => {
      const seen = await look('/well');
      assert.ok(seen.kind === 'answer');
      const { status, body, headers } = seen;
      assert.deepEqual({ status, body }, { status: 200, body: 'é ok' });
      assert.equal(headers['x-app-version'], 'V1');
      assert.deepEqual(
        Object.keys(headers),
        Object.keys(headers).map((key) => key.toLowerCase()),
      );
    });

    test('an unhealthy answer is an answer', async () => {
      const seen = await look('/ill');
      assert.equal(seen.kind === 'answer' && `${seen.status} ${seen.body}`, '503 starting');
    });

    test('a redirect is an answer, and is not followed', async () => {
      const seen = await look('/moved');
      assert.equal(seen.kind === 'answer' && `${seen.status} ${seen.headers.location}`, '302 /well');
    });

    test('the headers of the look reach the server', async () => {
      await look('/well', { headers: { 'X-Asked-By': 'Edge' } });
      assert.equal(world.lastHeaders()['x-asked-by'], 'Edge');
    });

    test('a body is read up to the limit, and one of just that length is whole', async () => {
      const cut = await look('/long');
      assert.equal(cut.kind === 'answer' && cut.body, 'x'.repeat(1_000));
      const whole = await look('/ill', { maxBytes: 8 });
      assert.equal(whole.kind === 'answer' && whole.body, 'starting');
    });

    test('a server that does not answer in time is nothing', async () => {
      assert.deepEqual(await look('/silence', { timeoutMs: 50 }), {
        kind: 'nothing',
        why: 'no answer within 50 ms',
      });
    });

    test('a connection that is refused is nothing', async () => {
      const seen = await look('/', { url: `http://${world.address}:${world.closedPort}/` });
      assert.ok(seen.kind === 'nothing' && seen.why.length > 0);
    });

    test('the signal of the caller ends a look with its reason', async () => {
      const stop = new AbortController();
      const looking = assert.rejects(look('/silence', {}, stop.signal), /enough/);
      stop.abort(new Error('enough'));
      await looking;
      await assert.rejects(look('/well', {}, stop.signal), /enough/);
    });

    test('an open port is open, and a closed one is nothing', async () => {
      assert.deepEqual(await knock(world.port), { kind: 'open' });
      const seen = await knock(world.closedPort);
      assert.ok(seen.kind === 'nothing' && seen.why.length > 0);
    });

    test('the signal of the caller ends a look at a port with its reason', async () => {
      await assert.rejects(knock(world.port, AbortSignal.abort(new Error('enough'))), /enough/);
    });

    test('looks at the same time each see their own', async () => {
      const seen = await Promise.all(['/well', '/ill', '/moved'].map((path) => look(path)));
      assert.deepEqual(
        seen.map((one) => one.kind === 'answer' && one.status),
        [200, 503, 302],
      );
    });
  });
}
