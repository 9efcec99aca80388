import type { FileHandle } from 'node:fs/promises';
import { EdgeError } from '../../domain/errors.ts';

/** Writes all of a piece: a file may take a part of it at a time. Rejects with `artifact_store_full` where the disk is. */
export async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < piece.length; ) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT'))
      throw new EdgeError('artifact_store_full', 'The disk of the artifact store is full', { cause });
    throw cause;
  }
}
