import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { withEdgeApi } from '../../test/support/edge-api.ts';
import { httpsGet } from '../../test/support/https-get.ts';
import { EdgeError } from '../domain/errors.ts';
import { deploymentId } from '../domain/ids.ts';
import { edgeClient } from './client.ts';
import { apiServer } from './server.ts';

/** A server that answers everything in one way, or not at all. */
async function withServer(
  answer: { readonly status: number; readonly body: string } | null,
  body: (server: string) => Promise<void>,
): Promise<void> {
  const server = createServer((_, response) => {
    if (answer) response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  try {
    await body(`http://127.0.0.1:${address.port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the client', () => {
  test(
    'throws the error of the server with all that it says',
    withEdgeApi(async ({ client, token }) => {
      const viewer = client(await token('view'));
      const thrown = await viewer.tokens().catch((error: unknown) => error);
      assert.ok(thrown instanceof EdgeError);
      assert.equal(thrown.code, 'permission_denied');
      assert.match(thrown.message, /lacks the permission token.manage/);
      assert.match(thrown.body.hint, /role/);
    }),
  );

  test('without a server, and with one that says nothing in time, it is server_unreachable', async () => {
    const nobody = edgeClient({ server: 'http://127.0.0.1:9' });
    await assert.rejects(nobody.health(), {
      code: 'server_unreachable',
      message: /127\.0\.0\.1:9.*ECONNREFUSED|bad port/,
    });
    await withServer(null, async (server) => {
      const slow = edgeClient({ server, deadlineMs: 30 });
      await assert.rejects(slow.health(), { code: 'server_unreachable', message: /within 30 ms/ });
    });
  });

  test('something that is not Edge is not taken for it', async () => {
    for (const answer of [
      { status: 200, body: '<html>' },
      { status: 200, body: '{"status":"fine"}' },
      { status: 502, body: 'Bad Gateway' },
      { status: 404, body: '{"error":"no"}' },
    ])
      await withServer(answer, async (server) => {
        await assert.rejects(edgeClient({ server }).health(), { code: 'server_unreachable' });
      });
  });

  test('a token is never sent on to where a redirect leads', async () => {
    await withServer({ status: 302, body: '' }, async (server) => {
      await assert.rejects(edgeClient({ server, token: 'edge_x' }).status(), { code: 'server_unreachable' });
    });
  });

  test('what the caller gives up rejects with the reason of the caller', async () => {
    await withServer(null, async (server) => {
      const stop = new AbortController();
      const asked = edgeClient({ server }).health({}, { signal: stop.signal });
      stop.abort(new Error('enough'));
      await assert.rejects(asked, /enough/);
    });
  });

  test(
    'names in a path are quoted, so that no name leads to another route',
    withEdgeApi(async ({ admin }) => {
      const deployment = deploymentId('../tokens?x=');
      await assert.rejects(admin.deployment({ deployment }), { code: 'request_invalid' });
    }),
  );

  test(
    'a server with a key and a certificate speaks HTTPS',
    withEdgeApi(async ({ ports }) => {
      const folder = join(import.meta.dirname, '../../test/fixtures/tls');
      const [key, cert] = await Promise.all(
        ['device-key.pem', 'device-cert.pem'].map((name) => readFile(join(folder, name), 'utf8')),
      );
      assert.ok(key && cert);
      const server = apiServer({ ports, version: '1', onFault: () => {}, tls: { key, cert } });
      const url = await server.listen({ host: '127.0.0.1', port: 0 });
      assert.match(url, /^https:/);
      assert.deepEqual(JSON.parse(await httpsGet(`${url}/health`, cert)), { status: 'ok', version: '1' });
      await server.close();
    }),
  );
});
