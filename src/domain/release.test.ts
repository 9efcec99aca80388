import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRelease, plannedRelease, releaseRequestSchema } from './release.ts';

const file = { sha256: 'a'.repeat(64), sizeBytes: 5 };
const request = (fields = {}) =>
  releaseRequestSchema.parse({
    kind: 'release',
    project: 'web',
    version: '1.0.0',
    artifacts: [{ name: 'web.tar.gz', path: '/tmp/web.tar.gz', unpack: 'tar.gz' }],
    ...fields,
  });

test('the id of a release is its version and the start of its hash', () => {
  const release = makeRelease(request(), [file], 7);
  assert.equal(release.id, `1.0.0-${release.hash.slice(0, 8)}`);
  assert.equal(release.createdAt, 7);
});

test('the hash is over what is deployed, not over where it lies or when it was made', () => {
  const { hash } = makeRelease(request(), [file], 0);
  const elsewhere = request({
    artifacts: [{ name: 'web.tar.gz', path: '/other/web.tar.gz', unpack: 'tar.gz' }],
  });
  assert.equal(makeRelease(elsewhere, [file], 9).hash, hash);
  for (const other of [
    makeRelease(request(), [{ ...file, sha256: 'b'.repeat(64) }], 0),
    makeRelease(request({ version: '1.0.1' }), [file], 0),
    makeRelease(request({ source: { repository: 'r', commit: 'abcdef0' } }), [file], 0),
  ]) {
    assert.notEqual(other.hash, hash);
  }
});

test('a plan holds of a release only what its actions need', () => {
  const { id, version, hash, artifacts } = makeRelease(
    request({ source: { repository: 'r', commit: 'abcdef0' } }),
    [file],
    0,
  );
  assert.deepEqual(plannedRelease({ ...makeRelease(request(), [file], 0), id, version, hash, artifacts }), {
    id,
    version,
    hash,
    artifacts,
  });
  assert.deepEqual(artifacts, [{ name: 'web.tar.gz', path: '/tmp/web.tar.gz', unpack: 'tar.gz', ...file }]);
});

test('a version or an artifact cannot name a place outside of its folder', () => {
  for (const version of ['../1', '1/2', '..', '', '-rf']) assert.throws(() => request({ version }), version);
  assert.throws(() => request({ artifacts: [{ name: '../x', path: '/x' }] }));
});

test('two artifacts of one name are refused', () => {
  const artifact = { name: 'x', path: '/x' };
  assert.throws(() => request({ artifacts: [artifact, artifact] }), /same name/);
});
