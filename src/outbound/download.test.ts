import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { startArtifactSource } from '../../test/support/artifact-source.ts';
import { openDownload } from './download.ts';
import { HttpClient } from './http.ts';

const TLS = join(import.meta.dirname, '../../test/fixtures/tls');
const NEVER = new AbortController().signal;
const BYTES = Buffer.from('0123456789');
const open: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const client = (): HttpClient => {
  const made = new HttpClient({ trust: { ca: join(TLS, 'device-cert.pem') }, sleep: async () => {} });
  open.push(() => made.close());
  return made;
};

async function sourceOf() {
  const source = await startArtifactSource();
  open.push(() => source.close());
  source.files.set('/a', BYTES);
  return source;
}

async function textOf(opened: Awaited<ReturnType<typeof openDownload>>): Promise<string> {
  assert.ok(opened.kind === 'bytes');
  const pieces: Buffer[] = [];
  for await (const piece of opened.body) pieces.push(piece);
  return `${opened.from}/${opened.totalBytes} ${Buffer.concat(pieces)}`;
}

describe('a download', () => {
  test('gives what is there, and from a byte on', async () => {
    const { url } = await sourceOf();
    const http = client();
    assert.equal(
      await textOf(await openDownload(http, { url: `${url}/a`, from: 0 }, NEVER)),
      '0/10 0123456789',
    );
    assert.equal(await textOf(await openDownload(http, { url: `${url}/a`, from: 7 }, NEVER)), '7/10 789');
  });

  test('begins anew where the ETag is another one, and where the source knows no ranges', async () => {
    const source = await sourceOf();
    const http = client();
    const url = `${source.url}/a`;
    const changed = await openDownload(http, { url, from: 7, etag: '"other"' }, NEVER);
    assert.equal(await textOf(changed), '0/10 0123456789');
    source.ranges = 'ignored';
    assert.equal(await textOf(await openDownload(http, { url, from: 7 }, NEVER)), '0/10 0123456789');
  });

  test('that is refused says whether it is worth another try', async () => {
    const source = await sourceOf();
    const http = client();
    const lasting: boolean[] = [];
    for (const status of [401, 403, 404, 410, 429, 500, 503]) {
      source.failing = status;
      const seen = await openDownload(http, { url: `${source.url}/a`, from: 0 }, NEVER);
      assert.ok(seen.kind === 'refused' && seen.status === status);
      lasting.push(seen.lasting);
    }
    assert.deepEqual(lasting, [true, true, true, true, false, false, false]);
    const nobody = await openDownload(http, { url: 'http://127.0.0.1:9/a', from: 0 }, NEVER);
    assert.ok(nobody.kind === 'refused' && !nobody.lasting);
  });

  test('is never led from https to http', async () => {
    const source = await sourceOf();
    const [key, cert] = ['device-key.pem', 'device-cert.pem'].map((name) => readFileSync(join(TLS, name)));
    const secure = createTlsServer({ key, cert } as object, (_, response) => {
      response.writeHead(302, { location: `${source.url}/a` }).end();
    }).listen(0, '127.0.0.1');
    await once(secure, 'listening');
    open.push(() => secure.close());
    const { port } = secure.address() as AddressInfo;
    const seen = await openDownload(client(), { url: `https://127.0.0.1:${port}/a`, from: 0 }, NEVER);
    assert.ok(seen.kind === 'refused' && seen.lasting);
    assert.match(seen.why, /less safe/);
    assert.equal(source.asked.length, 0);
  });
});
