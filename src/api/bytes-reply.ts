import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { GivenFile } from '../operations/serve-worker.ts';

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
  await pipeline(bytesOf(file, from), reply, { signal });
}

const bytesOf = ({ content, localPath }: GivenFile, from: number): Readable =>
  content
    ? Readable.from([content.subarray(from)])
    : createReadStream(localPath, { start: from, highWaterMark: 256 * 1024 });
