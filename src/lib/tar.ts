export type TarEntry = {
  /** Relative, with `/`; at most 100 bytes, all of them ASCII. */
  readonly path: string;
  /** Permission bits: 0o755, 0o644. */
  readonly mode: number;
  readonly data: Uint8Array;
};

const BLOCK = 512;
/** 2020-01-01; tar programs warn of files from 1970. */
const MODIFIED_S = 1_577_836_800;

/** A .tar of regular files in the ustar format of POSIX.1-1988, in the order that is given. Owner and times are fixed. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBlocks), Buffer.alloc(2 * BLOCK)]);
}

function entryBlocks(entry: TarEntry): readonly Uint8Array[] {
  const padding = (BLOCK - (entry.data.length % BLOCK)) % BLOCK;
  return [header(entry), entry.data, Buffer.alloc(padding)];
}

/** Offsets and widths of ustar's fields: name 0+100, mode 100+8, …, checksum 148+8, type 156+1, magic 257+8. */
function header({ path, mode, data }: TarEntry): Buffer {
  if (path.length > 100) throw new RangeError(`longer than ustar's 100 bytes: ${path}`);
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0, 'latin1');
  block.write(octal(mode, 8), 100, 'latin1');
  block.write(octal(0, 8), 108, 'latin1');
  block.write(octal(0, 8), 116, 'latin1');
  block.write(octal(data.length, 12), 124, 'latin1');
  block.write(octal(MODIFIED_S, 12), 136, 'latin1');
  block.write(' '.repeat(8), 148, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  // The checksum is over the header with the checksum's own field as spaces.
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Octal digits that fill a field of `width` bytes, with its closing NUL. */
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
