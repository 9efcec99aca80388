import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { PlannedArtifact } from '../../src/domain/artifact.ts';
import { type ReleaseRequest, releaseRequestSchema } from '../../src/domain/release.ts';
import { sha256 } from '../../src/lib/hash.ts';
import type { Artifacts, HeldFile } from '../../src/ports/artifacts.ts';
import { perTest } from '../support/per-test.ts';

export type ArtifactsBench = {
  readonly artifacts: Artifacts;
  /** Puts a file to where it is had from: a place of each kind that the adapter knows. */
  put(bytes: Uint8Array): Promise<readonly Place[]>;
  /** Puts a text, and gives its path. */
  putText(bytes: Uint8Array): Promise<string>;
  dispose(): Promise<void>;
};
type Place = { readonly path: string } | { readonly url: string };

const NEVER = new AbortController().signal;
const KEPT = { as: 'kept', signal: NEVER } as const;

export const artifactOf = (fields: object): ReleaseRequest['artifacts'][number] => {
  const artifacts = [{ name: 'a.bin', ...fields }];
  const [artifact] = releaseRequestSchema.parse({
    kind: 'release',
    project: 'a',
    version: '1',
    artifacts,
  }).artifacts;
  assert.ok(artifact);
  return artifact;
};

export const bytesOf = async ({ content, localPath }: HeldFile): Promise<Buffer> =>
  content ? Buffer.from(content) : readFile(localPath);

/** What a release would hold of it. */
export async function planned(artifacts: Artifacts, fields: object): Promise<PlannedArtifact> {
  const artifact = artifactOf(fields);
  const { place, ...measured } = await artifacts.take(artifact, NEVER);
  return { name: artifact.name, unpack: artifact.unpack, ...measured, ...place };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
}

/** All that a port `Artifacts` has to do, whatever it is made of. */
export function artifactsContract(name: string, open: () => Promise<ArtifactsBench>): void {
  describe(`artifacts ${name}`, () => {
    const started = perTest(open);

    test('what is taken has the digest and the size of its bytes, and is had from the same place again', async () => {
      const { artifacts, put } = await started();
      const bytes = randomBytes(10_000);
      for (const place of await put(bytes)) {
        const taken = await artifacts.take(artifactOf({ ...place, sha256: sha256(bytes) }), NEVER);
        assert.deepEqual(taken, { sha256: sha256(bytes), sizeBytes: bytes.length, place });
        assert.deepEqual(await artifacts.take(artifactOf(place), NEVER), taken);
      }
    });

    test('what does not have the digest that was given is refused', async () => {
      const { artifacts, put } = await started();
      for (const place of await put(randomBytes(100))) {
        const other = artifactOf({ ...place, sha256: 'a'.repeat(64) });
        await assert.rejects(artifacts.take(other, NEVER), { code: 'artifact_mismatch' });
      }
    });

    test('a place where nothing is, is named', async () => {
      const { artifacts, put } = await started();
      for (const place of await put(Buffer.from('x'))) {
        const gone = 'path' in place ? { path: `${place.path}-gone` } : { url: `${place.url}-gone` };
        await assert.rejects(artifacts.take(artifactOf(gone), NEVER), {
          code: 'artifact_unreadable',
          message: /-gone/,
        });
        const never: PlannedArtifact = {
          ...{ name: 'a.bin', unpack: 'none', sha256: 'a'.repeat(64), sizeBytes: 1 },
          ...gone,
        };
        await assert.rejects(artifacts.look(never, NEVER), { code: 'artifact_unreadable', message: /-gone/ });
        await assert.rejects(artifacts.hold(never, KEPT, bytesOf), { code: 'artifact_unreadable' });
      }
    });

    test('what was taken is there when it is looked for, and is not what another release has', async () => {
      const { artifacts, put } = await started();
      for (const place of await put(randomBytes(100))) {
        const artifact = await planned(artifacts, place);
        await artifacts.look(artifact, NEVER);
        const other = { ...artifact, sizeBytes: 99, sha256: 'b'.repeat(64) };
        await assert.rejects(artifacts.look(other, NEVER), { code: 'artifact_mismatch' });
      }
    });

    test('what is held has the bytes of the release, for all who hold it at the same time', async () => {
      const { artifacts, put } = await started();
      const bytes = randomBytes(300_000);
      for (const place of await put(bytes)) {
        const artifact = await planned(artifacts, place);
        const all = await Promise.all([1, 2, 3].map(() => artifacts.hold(artifact, KEPT, bytesOf)));
        for (const each of all) assert.equal(sha256(each), sha256(bytes));
        const {
          content: _,
          localPath: __,
          ...rest
        } = await artifacts.hold(artifact, { ...KEPT, as: 'sent' }, async (file) => file);
        assert.deepEqual(
          rest,
          { sha256: sha256(bytes), sizeBytes: bytes.length },
          'and nothing of where it is from',
        );
      }
    });

    test('what goes wrong while it is held is told as it is', async () => {
      const { artifacts, put } = await started();
      for (const place of await put(randomBytes(10))) {
        const artifact = await planned(artifacts, place);
        const failing = artifacts.hold(artifact, KEPT, () => Promise.reject(new Error('the host is gone')));
        await assert.rejects(failing, /the host is gone/);
      }
    });

    test('what is sent in is an artifact as any other', async () => {
      const { artifacts } = await started();
      const bytes = randomBytes(20_000);
      const sent = { sha256: sha256(bytes), bytes: inPieces(bytes) };
      assert.deepEqual(await artifacts.receive(sent, NEVER), {
        sha256: sha256(bytes),
        sizeBytes: bytes.length,
      });
      const artifact = await planned(artifacts, { upload: true, sha256: sha256(bytes) });
      assert.deepEqual(artifact, {
        ...{ name: 'a.bin', unpack: 'none', sha256: sha256(bytes), sizeBytes: bytes.length, upload: true },
      });
      await artifacts.look(artifact, NEVER);
      assert.deepEqual(await artifacts.hold(artifact, KEPT, bytesOf), bytes);
    });

    test('what is sent in and is something else, or breaks off, leaves nothing', async () => {
      const { artifacts } = await started();
      const bytes = randomBytes(20_000);
      const digest = sha256(bytes);
      const half = inPieces(bytes.subarray(0, 10_000));
      await assert.rejects(artifacts.receive({ sha256: digest, bytes: half }, NEVER), {
        code: 'artifact_mismatch',
      });
      const broken = async function* () {
        yield bytes.subarray(0, 5_000);
        throw new Error('the client is gone');
      };
      await assert.rejects(
        artifacts.receive({ sha256: digest, bytes: broken() }, NEVER),
        /the client is gone/,
      );
      const upload = artifactOf({ upload: true, sha256: digest });
      await assert.rejects(artifacts.take(upload, NEVER), { code: 'artifact_unreadable' });
    });

    test('nothing is done for somebody who is gone', async () => {
      const { artifacts, put } = await started();
      const gone = AbortSignal.abort(new Error('gone'));
      for (const place of await put(randomBytes(10))) {
        const artifact = await planned(artifacts, place);
        await assert.rejects(artifacts.look(artifact, gone), /gone/);
        await assert.rejects(artifacts.hold(artifact, { ...KEPT, signal: gone }, bytesOf), /gone/);
      }
    });

    test('a text is read whole, and only if it is one', async () => {
      const { artifacts, putText } = await started();
      const path = await putText(Buffer.from('\uFEFFä\r\n'));
      assert.equal(await artifacts.readText(path, 7), '\uFEFFä\r\n');
      await assert.rejects(artifacts.readText(path, 6), {
        code: 'artifact_unreadable',
        message: /more than 6/,
      });
      const odd = await putText(Buffer.from([0x61, 0xff]));
      await assert.rejects(artifacts.readText(odd, 100), { code: 'artifact_unreadable', message: /UTF-8/ });
      await assert.rejects(artifacts.readText(`/${randomUUID()}`, 100), { code: 'artifact_unreadable' });
    });
  });
}
