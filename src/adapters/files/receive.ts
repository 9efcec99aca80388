import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { MeasuredFile } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import { givenBack } from '../../outbound/give-back.ts';
import type { SentFile } from '../../ports/artifacts.ts';
import type { ArtifactStore } from './store.ts';
import { writeAll } from './write-all.ts';

/** See `Artifacts.receive`. */
export async function receiveInto(
  store: ArtifactStore,
  { sha256, bytes }: SentFile,
  signal: AbortSignal,
): Promise<MeasuredFile> {
  const path = await store.scratch();
  try {
    const found = await written(path, bytes, { mostBytes: store.limitBytes, signal });
    if (found.sha256 !== sha256)
      throw new EdgeError(
        'artifact_mismatch',
        `What was sent has the digest ${found.sha256}, not ${sha256}`,
        {
          hint: 'It was changed on the way, or while it was read: send it again.',
        },
      );
    await store.add(path, found);
    return found;
  } finally {
    await rm(path, { force: true });
  }
}

type Limits = { readonly mostBytes: number; readonly signal: AbortSignal };

async function written(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  { mostBytes, signal }: Limits,
): Promise<MeasuredFile> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  let sizeBytes = 0;
  try {
    for await (const piece of bytes) {
      signal.throwIfAborted();
      sizeBytes += piece.length;
      if (sizeBytes > mostBytes)
        throw new EdgeError('artifact_store_full', `What is sent has more than ${mostBytes} bytes`);
      await writeAll(file, piece);
      hash.update(piece);
      givenBack(piece.length);
    }
    signal.throwIfAborted();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
