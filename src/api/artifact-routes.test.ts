import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { artifactsContract, bytesOf } from '../../test/contracts/artifacts.ts';
import { startArtifactSource } from '../../test/support/artifact-source.ts';
import { artifactsIn } from '../../test/support/artifacts.ts';
import { type EdgeApi, openEdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import { until } from '../../test/support/until.ts';
import type { EdgeError } from '../domain/errors.ts';
import { sha256 } from '../lib/hash.ts';
import type { Artifacts } from '../ports/artifacts.ts';
import { apiServer } from './server.ts';
import { uploadFile } from './upload.ts';

const BYTES = randomBytes(3_000_000);
const DIGEST = sha256(BYTES);
const KEPT = { as: 'kept', signal: new AbortController().signal } as const;

/** A worker on another machine: it has a cache of its own, and the server by its token. */
const workerOf = async (edge: EdgeApi, folder: string) =>
  artifactsIn(folder, { server: { url: edge.url, token: await edge.token('worker') } });

const releaseOf = (edge: EdgeApi, artifact: { readonly [field: string]: unknown }, version = '3.0.0') =>
  edge.admin.createRelease({
    ...{ kind: 'release', project: 'web', version },
    artifacts: [{ name: 'a.bin', ...artifact }],
  });

const plannedIn = async (edge: EdgeApi, version = '3.0.0') => {
  const { releases } = await edge.admin.releases({ project: 'web' });
  const [artifact] = releases.find((release) => release.version === version)?.artifacts ?? [];
  assert.ok(artifact);
  return artifact;
};

/** A release of a file that lies beside the server, and its artifact. */
async function releasedFromPath(edge: EdgeApi) {
  await edge.configure(1, []);
  const path = join(edge.folder, 'built');
  await writeFile(path, BYTES);
  await releaseOf(edge, { path });
  return plannedIn(edge);
}

/** A release of what a source on the network gives, and its artifact. */
async function releasedFromUrl(edge: EdgeApi) {
  await edge.configure(1, []);
  const source = await startArtifactSource();
  source.files.set('/a.bin', BYTES);
  await releaseOf(edge, { url: `${source.url}/a.bin` });
  return { source, artifact: await plannedIn(edge) };
}

const put = (edge: EdgeApi, token: string, body: Uint8Array, digest = DIGEST) =>
  fetch(`${edge.url}/v1/artifacts/${digest}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: Buffer.from(body),
  });

const left = async (folder: string): Promise<readonly string[]> =>
  (await readdir(join(folder, 'artifacts'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

describe('an upload', () => {
  test(
    'is an artifact of a release that is made after it, and comes to workers',
    withEdgeApi(async (edge) => {
      await edge.configure(1, []);
      const file = join(edge.folder, 'built');
      await writeFile(file, BYTES);
      const token = await edge.token('deploy');
      assert.equal(await uploadFile(file, { server: edge.url, token }), DIGEST);
      await releaseOf(edge, { upload: true, sha256: DIGEST });
      await rm(file);
      const artifact = await plannedIn(edge);
      assert.deepEqual([artifact.sizeBytes, 'upload' in artifact], [BYTES.length, true]);
      const worker = await workerOf(edge, join(edge.folder, 'worker'));
      assert.equal(sha256(await worker.hold(artifact, KEPT, bytesOf)), DIGEST);
      await edge.admin.plan({ project: 'web', environment: 'production', version: '3.0.0' });
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'that is something else than its digest says, or comes from nobody who may, leaves nothing',
    withEdgeApi(async (edge) => {
      const answers = [
        await put(edge, edge.adminToken, BYTES.subarray(1)),
        await put(edge, await edge.token('view'), BYTES),
        await put(edge, 'edge_nobody', BYTES),
        await put(edge, edge.adminToken, BYTES, 'no-digest'),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [422, 403, 401, 400],
      );
      assert.deepEqual(await left(edge.folder), []);
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'that breaks off leaves nothing',
    withEdgeApi(async (edge) => {
      const sending = request(`${edge.url}/v1/artifacts/${DIGEST}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${edge.adminToken}`, 'content-type': 'application/octet-stream' },
      });
      sending.on('error', () => {});
      sending.write(BYTES.subarray(0, 1_000_000));
      await until('some of it is there', async () => (await left(edge.folder).catch(() => [])).length > 0);
      sending.destroy();
      await until('nothing is left', async () => (await left(edge.folder)).length === 0);
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'that is refused in the middle says why',
    withEdgeApi(async (edge) => {
      const artifacts = artifactsIn(join(edge.folder, 'small'), { limitBytes: 5_000_000 });
      const small = apiServer({
        ...{ ports: { ...edge.ports, artifacts }, version: '0', onFault: (fault) => edge.faults.push(fault) },
      });
      const server = await small.listen({ host: '127.0.0.1', port: 0 });
      const file = join(edge.folder, 'built');
      await writeFile(file, '');
      await truncate(file, 30_000_000);
      const upload = (token: string) => uploadFile(file, { server, token });
      for (let tries = 0; tries < 5; tries += 1) {
        await assert.rejects(upload(edge.adminToken), { code: 'artifact_store_full', message: /5000000/ });
        await assert.rejects(upload('edge_nobody'), { code: 'token_invalid' });
      }
      await small.close();
      assert.deepEqual(edge.faults, []);
    }),
  );

  for (const [what, tokenOf] of [
    ['that nobody reads', async () => 'edge_nobody'],
    ['that falls silent', async (edge: EdgeApi) => edge.adminToken],
  ] as const)
    test(
      `${what} holds no connection open`,
      withEdgeApi(
        async (edge) => {
          const sending = request(`${edge.url}/v1/artifacts/${DIGEST}`, {
            method: 'PUT',
            headers: {
              authorization: `Bearer ${await tokenOf(edge)}`,
              'content-type': 'application/octet-stream',
            },
          });
          const closed = new Promise((resolve) => sending.once('socket', (it) => it.once('close', resolve)));
          sending.on('error', () => {});
          sending.on('response', (answer) => answer.resume());
          sending.write('something, and then nothing');
          await closed;
          assert.deepEqual(edge.faults, []);
        },
        { arrivalMs: 50 },
      ),
    );

  test(
    'is not asked of a release that names none',
    withEdgeApi(async (edge) => {
      await edge.configure(1, []);
      const missing = releaseOf(edge, { upload: true, sha256: DIGEST });
      await assert.rejects(missing, { code: 'artifact_unreadable', message: /Nothing was uploaded/ });
      await assert.rejects(releaseOf(edge, { upload: true }), { code: 'request_invalid' });
    }),
  );
});

describe('what a worker is given by the server', () => {
  test(
    'is an artifact of a release, from the byte on that it asks for, and no other file',
    withEdgeApi(async (edge) => {
      await edge.configure(1, []);
      await writeFile(join(edge.folder, 'built'), BYTES);
      await releaseOf(edge, { path: join(edge.folder, 'built') });
      const token = await edge.token('worker');
      const get = (digest: string, headers = {}) =>
        fetch(`${edge.url}/v1/worker/artifacts/${digest}`, {
          headers: { authorization: `Bearer ${token}`, ...headers },
        });
      const whole = await get(DIGEST);
      assert.equal(sha256(new Uint8Array(await whole.arrayBuffer())), DIGEST);
      const rest = await get(DIGEST, { range: 'bytes=2999990-' });
      assert.deepEqual(
        [rest.status, rest.headers.get('content-range')],
        [206, 'bytes 2999990-2999999/3000000'],
      );
      assert.deepEqual(Buffer.from(await rest.arrayBuffer()), BYTES.subarray(2_999_990));
      assert.equal((await get(DIGEST, { range: 'bytes=3000000-' })).status, 416);
      assert.equal((await get(sha256('of no release'))).status, 422);
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'is what the source of the artifact does not give it',
    withEdgeApi(async (edge) => {
      const { source, artifact } = await releasedFromUrl(edge);
      source.failing = 403;
      const worker = await workerOf(edge, join(edge.folder, 'worker'));
      assert.equal(sha256(await worker.hold(artifact, KEPT, bytesOf)), DIGEST);
      await source.close();
    }),
  );

  test(
    'is nothing to a worker whose token is not good any more, which is told so',
    withEdgeApi(async (edge) => {
      const artifact = await releasedFromPath(edge);
      const worker = artifactsIn(join(edge.folder, 'worker'), {
        server: { url: edge.url, token: 'edge_old' },
      });
      const elsewhere = { ...artifact, path: '/nowhere/built' };
      await assert.rejects(worker.hold(elsewhere, KEPT, bytesOf), (error: EdgeError) => {
        assert.equal(error.code, 'artifact_unreadable');
        return /token of the worker/.test(error.body.hint);
      });
    }),
  );

  test(
    'is gone on with where the server was cut off',
    withEdgeApi(async (edge) => {
      const artifact = await releasedFromPath(edge);
      const folder = join(edge.folder, 'worker');
      const parts = join(folder, 'owners/test/parts');
      await mkdir(parts, { recursive: true });
      await writeFile(join(parts, `${DIGEST}.part`), BYTES.subarray(0, 1_000_000));
      const worker = await workerOf(edge, folder);
      // A worker that has no such file of its own.
      const elsewhere = { ...artifact, path: '/nowhere/built' };
      assert.equal(sha256(await worker.hold(elsewhere, KEPT, bytesOf)), DIGEST);
    }),
  );

  test(
    'is brought anew where it was damaged in the store of the server',
    withEdgeApi(async (edge) => {
      const { source, artifact } = await releasedFromUrl(edge);
      const stored = join(edge.folder, 'artifacts/sha256', DIGEST.slice(0, 2), DIGEST);
      await writeFile(stored, Buffer.from(BYTES).fill(0, 1_000, 1_010));
      const worker = await workerOf(edge, join(edge.folder, 'worker'));
      const elsewhere = { ...artifact, url: 'http://127.0.0.1:9/a.bin' };
      assert.equal(sha256(await worker.hold(elsewhere, KEPT, bytesOf)), DIGEST);
      assert.deepEqual(edge.faults, []);
      await source.close();
    }),
  );

  test(
    'needs credentials of nobody who may only release',
    withEdgeApi(async (edge) => {
      await edge.configure(1, []);
      const deployer = edge.client(await edge.token('deploy'));
      const credentials = { source: 'env', name: 'HOME' } as const;
      const asked = deployer.createRelease({
        ...{ kind: 'release', project: 'web', version: '3.0.0' },
        artifacts: [{ name: 'a', url: 'http://127.0.0.1:9/a', credentials }],
      });
      await assert.rejects(asked, { code: 'permission_denied', message: /configuration\.write/ });
    }),
  );
});

/** Made on the server, and held by a worker of another machine. */
artifactsContract('of a worker, over a server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-worker-artifacts-'));
  const edge = await openEdgeApi(folder);
  await edge.configure(1, []);
  const worker = await workerOf(edge, join(folder, 'worker'));
  let count = 0;
  const on = edge.ports.artifacts;
  const artifacts: Artifacts = {
    take: async (artifact, signal) => {
      const taken = await on.take(artifact, signal);
      count += 1;
      const { name, unpack } = artifact;
      const release = { name, unpack, sha256: taken.sha256, sizeBytes: taken.sizeBytes, ...taken.place };
      const value = {
        kind: 'release',
        project: 'web',
        version: `v${count}`,
        id: `v${count}`,
        artifacts: [release],
      };
      await edge.store.records.apply([{ kind: 'release', key: `web/v${count}`, value: value as never }]);
      return taken;
    },
    look: (artifact, signal) => on.look(artifact, signal),
    receive: (file, signal) => on.receive(file, signal),
    readText: (path, mostBytes) => on.readText(path, mostBytes),
    hold: (artifact, asked, use) =>
      worker.hold(
        'path' in artifact ? { ...artifact, path: `/nowhere${artifact.path}` } : artifact,
        asked,
        use,
      ),
  };
  return {
    artifacts,
    put: async (bytes) => {
      count += 1;
      const path = join(folder, `file-${count}`);
      await writeFile(path, bytes);
      return [{ path }];
    },
    putText: async (bytes) => {
      count += 1;
      const path = join(folder, `text-${count}`);
      await writeFile(path, bytes);
      return path;
    },
    dispose: async () => {
      await edge.server.close();
      await edge.store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
