import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import { withTemporaryFolder } from '../../test/support/temporary-folder.ts';
import { type Page, readPage } from './page.ts';

/** What a build leaves: an index, a file with a digest in its name and its compressed form. */
const page = await withTemporaryFolder(async (folder): Promise<Page> => {
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<h1>Edge</h1>');
  await writeFile(join(folder, 'assets/index-12345678.js'), 'run()');
  await writeFile(join(folder, 'assets/index-12345678.js.gz'), gzipSync('run()'));
  const read = await readPage(folder);
  assert.ok(read);
  return read;
});

const LOOKING = { accept: 'text/html,*/*;q=0.8' };
const get = ({ server }: EdgeApi, url: string, headers = {}) =>
  server.inject({ method: 'GET', url, headers });

describe('the page that the server gives', () => {
  test(
    'every address that a browser looks at is the page, which knows its own; what a program asks for is not',
    withEdgeApi(
      async (edge) => {
        for (const url of ['/', '/environments', '/deployments/d1?x=1', '/nothing'])
          assert.equal((await get(edge, url, LOOKING)).body, '<h1>Edge</h1>', url);
        for (const url of ['/v1/nothing', '/assets/gone.js'])
          assert.equal((await get(edge, url, LOOKING)).json().error.code, 'route_unknown', url);
        assert.equal((await get(edge, '/nothing')).statusCode, 404);
        assert.equal((await get(edge, '/../package.json')).statusCode, 404);
        const answer = await edge.server.inject({ method: 'POST', url: '/', headers: LOOKING });
        assert.equal(answer.statusCode, 404);
      },
      { page },
    ),
  );

  test(
    'it may load nothing but its own files, and nobody may put it into a frame',
    withEdgeApi(
      async (edge) => {
        const { headers } = await get(edge, '/', LOOKING);
        const policy = String(headers['content-security-policy']);
        assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
        assert.match(policy, /frame-ancestors 'none'/);
        assert.doesNotMatch(policy, /unsafe|\*|http/);
        assert.equal(headers['x-content-type-options'], 'nosniff');
        assert.equal(headers['referrer-policy'], 'no-referrer');
      },
      { page },
    ),
  );

  test(
    'a file with its digest in its name is kept for ever, and the page itself asked for anew',
    withEdgeApi(
      async (edge) => {
        const file = await get(edge, '/assets/index-12345678.js', { 'accept-encoding': 'gzip, br' });
        assert.equal(file.headers['cache-control'], 'public, max-age=31536000, immutable');
        assert.equal(file.headers['content-encoding'], 'gzip');
        assert.deepEqual(file.rawPayload, gzipSync('run()'));
        const plain = await get(edge, '/assets/index-12345678.js');
        assert.equal(plain.body, 'run()');
        assert.equal((await get(edge, '/')).headers['cache-control'], 'no-cache');
      },
      { page },
    ),
  );

  test(
    'the API answers as before beside it',
    withEdgeApi(
      async (edge) => {
        assert.equal((await get(edge, '/health', LOOKING)).json().status, 'ok');
        assert.equal((await get(edge, '/v1/status', LOOKING)).json().error.code, 'token_missing');
      },
      { page },
    ),
  );

  test('there is none where nothing was built', async () => {
    await withTemporaryFolder(async (folder) => assert.equal(await readPage(join(folder, 'none')), null));
  });
});
