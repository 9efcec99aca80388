import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { EdgeError } from '../../domain/errors.ts';
import { givenBack } from '../../outbound/give-back.ts';
import type { HostAddress, UploadFile } from '../../ports/hosts.ts';
import type { ConnectionPool } from './pool.ts';
import { openScript, type ScriptChannel, type ScriptRequest } from './script-channel.ts';
import { askAgainIfLost, unreachable } from './transport.ts';

export type UploadRequest = {
  readonly host: HostAddress;
  readonly file: UploadFile;
  readonly signal: AbortSignal;
};

/**
 * Streams a file over the stdin of a script that writes it beside its place, checks size and SHA-256 and renames it. A host
 * that has the file already, or the one that makes it needless, is sent nothing. Memory is bounded by the SSH window; a cut
 * leaves nothing in place. Gives the path as the host has it.
 * Rejects with `artifact_mismatch` if the local file is not the one that is named, with `host_unfit` if the disk is full.
 */
export async function uploadFile(
  pool: ConnectionPool,
  { host, file, signal }: UploadRequest,
): Promise<string> {
  if (!/^(~\/|\/)/.test(file.path))
    throw new EdgeError('request_invalid', `The path ${file.path} on a host must begin with / or ~/`);
  const { bring, ...sent } = file;
  if (bring) {
    const { script, word, path } = await ask(pool, { host, file, signal }, file.sizeBytes ?? 0);
    script.close();
    if (word === 'done') return path;
    return bring((brought) => uploadFile(pool, { host, file: { ...sent, ...brought }, signal }));
  }
  const { script, word, path } = await ask(pool, { host, file, signal }, await sizeOf(file));
  try {
    if (word === 'done') return path;
    await send(script, file, signal);
    const end = await script.expect(signal);
    if (end.word !== 'done')
      throw unreachable(host, `only a part of ${file.localPath} arrived, or it was changed on the way`);
    return path;
  } finally {
    script.close();
  }
}

/** Whether the host needs the file. */
function ask(pool: ConnectionPool, { host, file, signal }: UploadRequest, size: number) {
  const { unless } = file;
  const args = [
    ...[file.path, size, file.sha256, file.mode.toString(8)],
    ...(unless ? [unless.path, unless.sha256] : []),
  ];
  const question = { host, verb: 'upload', id: 'upload', args, sudoUser: file.sudoUser } as const;
  return askAgainIfLost(() => begin(pool, question, signal));
}

/** Up to the host's answer, after the path: `ready` to take the bytes, or `done` if it needs none. */
async function begin(pool: ConnectionPool, request: ScriptRequest, signal: AbortSignal) {
  const script = await openScript(pool, request, signal);
  script.discardOutput();
  try {
    const { values } = await script.expect(signal);
    const { word } = await script.expect(signal);
    return { script, word, path: values.join(' ') };
  } catch (error) {
    script.close();
    throw error;
  }
}

async function sizeOf(file: UploadFile): Promise<number> {
  if (file.content) return file.content.length;
  if (file.sizeBytes !== undefined) return file.sizeBytes;
  try {
    return (await stat(file.localPath)).size;
  } catch (cause) {
    throw new EdgeError('artifact_unreadable', `The artifact ${file.localPath} cannot be read`, { cause });
  }
}

function bytesOf({ localPath, content }: UploadFile): AsyncIterable<Buffer> | Iterable<Uint8Array> {
  return content ? [content] : createReadStream(localPath, { highWaterMark: 64 * 1024 });
}

/** The end of the stream is what makes the host look at the file, so it is sent only if the bytes were the right ones. */
async function send(script: ScriptChannel, file: UploadFile, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of bytesOf(file)) {
    signal.throwIfAborted();
    if (script.isClosed) return;
    hash.update(chunk);
    await script.write(chunk);
    givenBack(chunk.length);
  }
  const digest = hash.digest('hex');
  if (digest !== file.sha256) {
    throw new EdgeError(
      'artifact_mismatch',
      `${file.localPath} has the digest ${digest}; expected is ${file.sha256}`,
    );
  }
  script.endInput();
}
