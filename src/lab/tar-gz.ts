import { gzipSync } from 'node:zlib';
import { type TarEntry, tar } from '../lib/tar.ts';

const GZIP_OS_BYTE = 9;
const UNKNOWN_OS = 255;

/**
 * A .tar.gz of regular files. Owner, times and order are fixed, so that equal content gives equal bytes on every machine
 * with the same zlib.
 */
export function tarGz(entries: readonly TarEntry[]): Buffer {
  const packed = gzipSync(tar(entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))), { level: 9 });
  packed[GZIP_OS_BYTE] = UNKNOWN_OS;
  return packed;
}
