import { open } from 'node:fs/promises';

const PIECE_BYTES = 256 * 1024;

/** The bytes of a file, one piece after the other. Each is good until the next one is asked for: all of them lie in one buffer. */
export async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
