import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { EdgeError } from '../domain/errors.ts';
import type { GivenFile } from '../operations/serve-worker.ts';

const PIECE_BYTES = 256 * 1024;

export type BytesAsked = {
  readonly reply: ServerResponse;
  /** The header `Range` of the request. */
  readonly range: string | undefined;
  readonly signal: AbortSignal;
};

/** Sends a file, from the byte on that a range of the form `bytes=7-` asks for; any other range is answered with all of it. */
export async function giveBytes(file: GivenFile, { reply, range, signal }: BytesAsked): Promise<void> {
  const { sizeBytes, sha256 } = file;
  const from = Number(/^bytes=(\d{1,15})-$/.exec(range ?? '')?.[1] ?? 0);
  if (from > 0 && from >= sizeBytes) {
    reply.writeHead(416, { 'content-range': `bytes */${sizeBytes}` }).end();
    return;
  }
  reply.writeHead(from > 0 ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': sizeBytes - from,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    etag: `"${sha256}"`,
    ...(from > 0 && { 'content-range': `bytes ${from}-${sizeBytes - 1}/${sizeBytes}` }),
  });
  try {
    for await (const piece of bytesOf(file, from)) {
      signal.throwIfAborted();
      await written(reply, piece);
    }
  } catch (thrown) {
    // Whoever gets it must not wait for the rest while it is brought anew.
    reply.destroy();
    throw thrown;
  }
  await ended(reply);
}

/** Resolves when all of it is sent, or the client is gone. */
function ended(reply: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (reply.closed) return resolve();
    reply.once('close', resolve);
    reply.end();
  });
}

/** Resolves when the system has taken the piece, so that its bytes may become others. */
function written(reply: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the client is gone'));
    reply.once('close', gone);
    reply.write(piece, (error) => {
      reply.off('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * Each piece is good until the next one: all of them lie in one buffer. Of a file that is read from its beginning the last one comes only
 * if all of them were the right ones.
 */
async function* bytesOf(
  { content, localPath, sizeBytes, sha256 }: GivenFile,
  from: number,
): AsyncGenerator<Uint8Array> {
  if (content) return yield content.subarray(from);
  const file = await open(localPath);
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  const hash = createHash('sha256');
  try {
    for (let at = from; at < sizeBytes; ) {
      const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, at);
      if (bytesRead === 0) throw damaged();
      at += bytesRead;
      if (from === 0) hash.update(buffer.subarray(0, bytesRead));
      if (from === 0 && at === sizeBytes && hash.digest('hex') !== sha256) throw damaged();
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

const damaged = (): EdgeError =>
  new EdgeError('artifact_mismatch', 'The file is not what it was when it was measured');
