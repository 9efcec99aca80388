import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { EdgeError } from '../domain/errors.ts';
import { fileFault } from '../lib/file-fault.ts';
import { type Connection, errorOf, unreachable } from './client-request.ts';
import { ROUTES } from './contract.ts';

export type UploadOptions = {
  /** Such as `http://127.0.0.1:7070`. */
  readonly server: string;
  readonly token?: string;
};

const PIECE_BYTES = 256 * 1024;

/**
 * Sends a file of this machine to the server, for a release that is made next, and gives its digest. Rejects with
 * `artifact_unreadable`, or as the methods of a client do.
 */
export async function uploadFile(path: string, { server, token }: UploadOptions): Promise<string> {
  const sha256 = await digestOf(path);
  const connection: Connection = { server: server.replace(/\/+$/, ''), token, deadlineMs: 0, fetch };
  const { method, path: route } = ROUTES.uploadArtifact;
  const response = await fetch(`${connection.server}${route.replace(':sha256', sha256)}`, {
    method,
    headers: {
      'content-type': 'application/octet-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    // Read on demand: a web stream made of it throws at nobody when the server refuses in the middle.
    body: createReadStream(path, { highWaterMark: PIECE_BYTES }),
    duplex: 'half',
    redirect: 'error',
  }).catch((cause: unknown) => {
    throw unreachable(connection, cause);
  });
  if (!response.ok) throw await errorOf(connection, response);
  await response.body?.cancel();
  return sha256;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) hash.update(piece);
  } catch (cause) {
    throw new EdgeError('artifact_unreadable', `The file ${path} cannot be read: ${fileFault(cause)}`, {
      hint: 'Check the path: it is of the machine on which this command runs.',
      cause,
    });
  }
  return hash.digest('hex');
}
