import { open, stat } from 'node:fs/promises';
import type { MeasuredFile } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import { fileFault } from '../../lib/file-fault.ts';
import { digestOf } from './store.ts';

export type LocalFiles = {
  /** Reads the whole file. Rejects with `artifact_unreadable`. */
  measure(path: string): Promise<MeasuredFile>;
  /** See `Artifacts`. */
  readText(path: string, mostBytes: number): Promise<string>;
};

/** So many files are remembered. */
const REMEMBERED = 1_000;

/**
 * Files of this machine. A file whose inode, size and times are those of the last look is not read again: a
 * plan of the same release costs a `stat`.
 */
export function localFiles(): LocalFiles {
  const known = new Map<string, MeasuredFile>();
  return {
    async measure(path) {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
        const key = [path, dev, ino, size, mtimeNs, ctimeNs].join(' ');
        const measured = known.get(key) ?? (await digestOf(path));
        known.delete(key);
        known.set(key, measured);
        for (const oldest of known.keys()) if (known.size > REMEMBERED) known.delete(oldest);
        return measured;
      } catch (cause) {
        throw unreadable(path, cause);
      }
    },
    readText,
  };
}

async function readText(path: string, mostBytes: number): Promise<string> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(mostBytes + 1) });
    if (bytesRead > mostBytes)
      throw new EdgeError('artifact_unreadable', `The file ${path} has more than ${mostBytes} bytes`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, bytesRead));
  } catch (cause) {
    if (cause instanceof EdgeError) throw cause;
    if (cause instanceof TypeError)
      throw new EdgeError('artifact_unreadable', `The file ${path} is not a text in UTF-8`, { cause });
    throw unreadable(path, cause);
  } finally {
    await file.close();
  }
}

function unreadable(path: string, cause: unknown): EdgeError {
  const why = fileFault(cause);
  return new EdgeError('artifact_unreadable', `The file ${path} cannot be read: ${why}`, { cause });
}
