import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { artifactOf, bytesOf, planned } from '../../../test/contracts/artifacts.ts';
import { startArtifactSource } from '../../../test/support/artifact-source.ts';
import { artifactsIn } from '../../../test/support/artifacts.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { until } from '../../../test/support/until.ts';
import { EdgeError } from '../../domain/errors.ts';
import { sha256 } from '../../lib/hash.ts';

const NEVER = new AbortController().signal;
const KEPT = { as: 'kept', signal: NEVER } as const;
const BYTES = randomBytes(4_000_000);
const DIGEST = sha256(BYTES);
const CREDENTIALS = { source: 'env', name: 'NEXUS' } as const;

const opened = perTest(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-bringing-'));
  const [source, other] = [await startArtifactSource(), await startArtifactSource('127.0.0.2')];
  source.files.set('/a.bin', BYTES);
  other.files.set('/moved.bin', BYTES);
  const dispose = async () => {
    await source.close();
    await other.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, source, other, url: `${source.url}/a.bin`, dispose };
});

describe('an artifact of an address', () => {
  test('is read once for all who want it at once, and not again', async () => {
    const { folder, source, url } = await opened();
    const artifact = await planned(artifactsIn(join(folder, 'server')), { url });
    const worker = artifactsIn(join(folder, 'worker'));
    source.asked.length = 0;
    const held = await Promise.all(Array.from({ length: 20 }, () => worker.hold(artifact, KEPT, bytesOf)));
    assert.deepEqual(new Set(held.map(sha256)), new Set([DIGEST]));
    await worker.hold(artifact, KEPT, bytesOf);
    assert.equal(source.asked.length, 1);
  });

  test('that is cut off is gone on with from there', async () => {
    const { folder, source, url } = await opened();
    source.cuts.push(2_000_000, 1_000_000);
    const artifact = await planned(artifactsIn(folder), { url, sha256: DIGEST });
    assert.equal(artifact.sizeBytes, BYTES.length);
    const [first, ...later] = source.asked.map(({ from }) => from);
    assert.equal(first, 0);
    assert.equal(later.length, 2);
    assert.ok(later.every((from) => from > 0));
  });

  test('that a process has brought in part is gone on with by the next one', async () => {
    const { folder, source, url } = await opened();
    source.holdAfter = 2_000_000;
    const end = new AbortController();
    const wanted = artifactOf({ url, sha256: DIGEST });
    const first = artifactsIn(folder).take(wanted, end.signal);
    const parts = join(folder, 'owners/test/parts');
    const have = async () => (await readFile(join(parts, `${DIGEST}.part`)).catch(() => '')).length;
    await until('some of it is there', async () => (await have()) > 0);
    end.abort(new Error('ended'));
    await assert.rejects(first, /ended/);
    source.release();
    await artifactsIn(folder).take(wanted, NEVER);
    const [, second] = source.asked;
    assert.ok(second && second.from > 0, 'it begins behind what is there');
    assert.deepEqual(await readdir(parts), []);
  });

  test('that changes while it is read is read from its beginning, where no digest says what it has to be', async () => {
    const { folder, source, url } = await opened();
    source.ranges = 'changed';
    source.cuts.push(2_000_000);
    const { sha256: digest } = await planned(artifactsIn(folder), { url });
    assert.equal(digest, DIGEST);
    assert.ok(source.asked.length >= 2, 'it was cut off once');
  });

  test('is read from a source without ranges too', async () => {
    const { folder, source, url } = await opened();
    source.ranges = 'ignored';
    source.cuts.push(2_000_000);
    assert.equal((await planned(artifactsIn(folder), { url, sha256: DIGEST })).sha256, DIGEST);
  });

  test('that is something else by now is refused, and what is left of it is not in the way', async () => {
    const { folder, source, url } = await opened();
    const artifact = await planned(artifactsIn(join(folder, 'server')), { url });
    const worker = artifactsIn(join(folder, 'worker'));
    source.files.set('/a.bin', randomBytes(500_000));
    await assert.rejects(worker.hold(artifact, KEPT, bytesOf), {
      code: 'artifact_mismatch',
      message: /a\.bin/,
    });
    source.files.set('/a.bin', BYTES);
    assert.equal(sha256(await worker.hold(artifact, KEPT, bytesOf)), DIGEST);
  });

  test('is looked for without being read, and the one that is gone is named', async () => {
    const { folder, source, url } = await opened();
    const artifact = await planned(artifactsIn(join(folder, 'server')), { url });
    const elsewhere = artifactsIn(join(folder, 'elsewhere'));
    await elsewhere.look(artifact, NEVER);
    source.files.set('/a.bin', BYTES.subarray(1));
    await assert.rejects(elsewhere.look(artifact, NEVER), { code: 'artifact_mismatch' });
    source.files.delete('/a.bin');
    await assert.rejects(elsewhere.look(artifact, NEVER), { code: 'artifact_unreadable', message: /404/ });
    source.failing = 503;
    await assert.rejects(elsewhere.look(artifact, NEVER), { code: 'artifact_unreachable', message: /503/ });
  });

  test('whose source fails for a while is tried again, and then given up with a reason', async () => {
    const { folder, source, url } = await opened();
    source.failing = 503;
    await assert.rejects(planned(artifactsIn(folder), { url }), {
      code: 'artifact_unreachable',
      message: /503/,
    });
    assert.equal(source.asked.length, 5);
  });
});

describe('the same artifact at two places', () => {
  test('comes from the one that has it, also for who asks while the other is tried', async () => {
    const { folder, source, other, url } = await opened();
    const artifact = await planned(artifactsIn(join(folder, 'server')), { url });
    const moved = { ...artifact, url: `${other.url}/moved.bin` };
    source.files.set('/a.bin', randomBytes(BYTES.length));
    source.holdAfter = 1_000;
    const worker = artifactsIn(join(folder, 'worker'));
    const first = worker.hold(artifact, KEPT, bytesOf);
    await until('it is under way', () => source.asked.length > 1);
    const both = [1, 2].map(() => worker.hold(moved, KEPT, bytesOf));
    source.release();
    const held = await Promise.allSettled([first, ...both]);
    assert.deepEqual(
      held.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled'],
    );
    assert.equal(other.asked.length, 1);
  });
});

describe('an artifact that was damaged in the store', () => {
  test('is brought anew for whoever meets that, and named where it cannot be', async () => {
    const { folder, source, url } = await opened();
    const artifacts = artifactsIn(folder);
    const artifact = await planned(artifacts, { url });
    const damage = () => writeFile(join(folder, 'sha256', DIGEST.slice(0, 2), DIGEST), BYTES.toReversed());
    const checked = () =>
      artifacts.hold(artifact, KEPT, async (file) => {
        const bytes = await bytesOf(file);
        if (sha256(bytes) === DIGEST) return bytes;
        throw new EdgeError('artifact_mismatch', 'the host has another digest');
      });
    await damage();
    assert.deepEqual(await Promise.all([1, 2, 3].map(checked)), [BYTES, BYTES, BYTES]);
    assert.equal(source.asked.length, 2, 'once for all');
    await damage();
    source.files.delete('/a.bin');
    await assert.rejects(checked(), { code: 'artifact_unreadable', message: /a\.bin/ });
    source.files.set('/a.bin', BYTES);
    assert.deepEqual(await checked(), BYTES);
  });

  test('is not for what somebody else has found wrong', async () => {
    const { folder, source, url } = await opened();
    const artifacts = artifactsIn(folder);
    const artifact = await planned(artifacts, { url });
    const elsewhere = () => Promise.reject(new EdgeError('artifact_mismatch', 'of something else'));
    await assert.rejects(artifacts.hold(artifact, KEPT, elsewhere), /of something else/);
    assert.equal(source.asked.length, 1);
  });
});

describe('credentials of an artifact', () => {
  test('with a colon are a user and a password, without one a token', async () => {
    const { folder, source, url } = await opened();
    source.authorization = `Basic ${Buffer.from('ann:s3cret:x').toString('base64')}`;
    const basic = artifactsIn(join(folder, 'a'), { environment: { NEXUS: 'ann:s3cret:x' } });
    const { url: at, ...taken } = (await planned(basic, { url, credentials: CREDENTIALS })) as {
      url: string;
    };
    assert.equal(at, url);
    assert.equal(JSON.stringify(taken).includes('s3cret'), false);
    source.authorization = 'Bearer t0ken';
    const bearer = artifactsIn(join(folder, 'b'), { environment: { NEXUS: 't0ken' } });
    assert.equal((await planned(bearer, { url, credentials: CREDENTIALS })).sha256, DIGEST);
  });

  test('that are wrong, or missing, are told as such', async () => {
    const { folder, source, url } = await opened();
    source.authorization = 'Bearer right';
    const wrong = artifactsIn(folder, { environment: { NEXUS: 'wr0ng' } });
    const refused = planned(wrong, { url, credentials: CREDENTIALS });
    await assert.rejects(refused, (error: { code: string; message: string; body: { hint: string } }) => {
      assert.equal(error.code, 'artifact_unreadable');
      assert.match(error.message, /401/);
      assert.match(error.body.hint, /credentials/);
      return !JSON.stringify(error).includes('wr0ng');
    });
    const missing = artifactsIn(folder, { environment: {} });
    await assert.rejects(planned(missing, { url, credentials: CREDENTIALS }), { code: 'secret_unavailable' });
  });

  test('go to the address that they are for, and not to where it redirects', async () => {
    const { folder, source, other, url } = await opened();
    source.redirects.set('/a.bin', '/b.bin');
    source.redirects.set('/b.bin', `${other.url}/moved.bin`);
    const artifacts = artifactsIn(folder, { environment: { NEXUS: 'ann:s3cret' } });
    assert.equal((await planned(artifacts, { url, credentials: CREDENTIALS })).sha256, DIGEST);
    assert.ok(source.asked.every(({ authorization }) => authorization !== undefined));
    assert.deepEqual(
      other.asked.map(({ authorization }) => authorization),
      [undefined],
    );
  });
});

describe('addresses of artifacts', () => {
  test('that are not among those that are allowed are not asked, also not behind a redirect', async () => {
    const { folder, source, other, url } = await opened();
    source.redirects.set('/a.bin', `${other.url}/moved.bin`);
    const artifacts = artifactsIn(folder, { origins: [source.url] });
    const wanted = { code: 'artifact_unreadable', message: /127\.0\.0\.2.*may come from/ };
    await assert.rejects(planned(artifacts, { url }), wanted);
    await assert.rejects(planned(artifacts, { url: `${other.url}/moved.bin` }), wanted);
    assert.equal(other.asked.length, 0);
  });

  test('that redirect for ever are left', async () => {
    const { folder, source, url } = await opened();
    source.redirects.set('/a.bin', '/a.bin');
    await assert.rejects(planned(artifactsIn(folder), { url }), {
      code: 'artifact_unreadable',
      message: /redirects/,
    });
    assert.equal(source.asked.length, 6);
  });
});
