import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sha256 } from '../lib/hash.ts';
import { buildReleases } from './releases.ts';
import { tarGz } from './tar-gz.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-releases-'));
});
after(() => rm(folder, { recursive: true }));

test('tar unpacks an artifact with its modes and content', async () => {
  const [v1] = await buildReleases(join(folder, 'unpack'));
  assert.ok(v1);
  const run = spawnSync('tar', ['-xzvf', v1.path, '-C', folder], { encoding: 'utf8' });
  assert.equal(run.stderr, '');
  assert.deepEqual(run.stdout.trim().split('\n'), [
    'app.json',
    'bin/common',
    'bin/start',
    'bin/stop',
    'server.mjs',
  ]);
  assert.equal((await stat(join(folder, 'bin/start'))).mode & 0o777, 0o755);
  assert.equal((await stat(join(folder, 'server.mjs'))).mode & 0o777, 0o644);
  const source = await readFile(join(import.meta.dirname, 'app/server.mjs'));
  assert.ok(source.equals(await readFile(join(folder, 'server.mjs'))));
  assert.equal(JSON.parse(await readFile(join(folder, 'app.json'), 'utf8')).version, 'v1');
});

test('the digests are those of the files, differ by version, and are the same when built again', async () => {
  const first = await buildReleases(join(folder, 'first'));
  const second = await buildReleases(join(folder, 'second'));
  assert.deepEqual(
    first.map((release) => release.version),
    ['v1', 'v2', 'v3', 'v4'],
  );
  for (const release of first) assert.equal(sha256(await readFile(release.path)), release.sha256);
  assert.equal(new Set(first.map((release) => release.sha256)).size, 4);
  assert.deepEqual(
    second.map((release) => release.sha256),
    first.map((release) => release.sha256),
  );
});

test('files of every length round the block size unpack as they were', () => {
  const lengths = [0, 1, 511, 512, 513, 1024];
  const entries = lengths.map((length) => ({
    path: `length-${length}`,
    mode: 0o644,
    data: Buffer.alloc(length, 'x'),
  }));
  const unpacked = spawnSync('tar', ['-xzf', '-', '-C', folder], { input: tarGz(entries) });
  assert.equal(unpacked.status, 0, unpacked.stderr.toString());
  const sizes = spawnSync('sh', ['-c', 'wc -c length-* | grep -v total'], { cwd: folder, encoding: 'utf8' });
  const found = sizes.stdout
    .trim()
    .split('\n')
    .map((line) => Number.parseInt(line, 10));
  assert.deepEqual(
    found.toSorted((a, b) => a - b),
    lengths,
  );
});

test('a path that ustar cannot hold is refused', () => {
  assert.throws(() => tarGz([{ path: 'x'.repeat(101), mode: 0o644, data: Buffer.alloc(0) }]), RangeError);
});
