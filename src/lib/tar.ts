export type TarEntry = {
  /** Relative, with `/`; at most 100 bytes, all of them ASCII. */
  readonly path: string;
  /** Permission bits: 0o755, 0o644. */
  readonly mode: number;
  readonly data: Uint8Array;
};

/** What stands before the bytes of an entry; links and folders have none. */
export type TarHead = {
  /** Relative, with `/`, of any length. */
  readonly path: string;
  readonly mode: number;
  readonly kind: 'file' | 'folder' | 'link';
  readonly sizeBytes: number;
  /** Where a link leads. */
  readonly to?: string;
  /** In seconds since the epoch. */
  readonly modifiedS: number;
};

const BLOCK = 512;
/** 2020-01-01; tar programs warn of files from 1970. */
const MODIFIED_S = 1_577_836_800;
const KINDS = { file: '0', link: '2', folder: '5' } as const;
const NAME_BYTES = 100;

/** A .tar of regular files in the ustar format of POSIX.1-1988, in the order that is given. Owner and times are fixed. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBlocks), TAR_END]);
}

/** What ends a .tar. */
export const TAR_END: Uint8Array = Buffer.alloc(2 * BLOCK);

function entryBlocks({ path, mode, data }: TarEntry): readonly Uint8Array[] {
  if (path.length > NAME_BYTES) throw new RangeError(`longer than ustar's ${NAME_BYTES} bytes: ${path}`);
  const head = tarHead({ path, mode, kind: 'file', sizeBytes: data.length, modifiedS: MODIFIED_S });
  return [head, data, tarPadding(data.length)];
}

/** What fills up the last block of an entry of so many bytes. */
export const tarPadding = (sizeBytes: number): Uint8Array =>
  Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK);

/** Names that do not fit stand before it as GNU tar writes them, which the tar of busybox reads too. */
export function tarHead(head: TarHead): Buffer {
  const [path, to] = [Buffer.from(head.path), Buffer.from(head.to ?? '')];
  return Buffer.concat([
    ...(path.length > NAME_BYTES ? longName('L', path) : []),
    ...(to.length > NAME_BYTES ? longName('K', to) : []),
    block({ ...head, type: KINDS[head.kind], path, to }),
  ]);
}

function longName(type: string, name: Buffer): readonly Uint8Array[] {
  const data = Buffer.concat([name, Buffer.alloc(1)]);
  const path = Buffer.from('././@LongLink');
  const head = block({ path, to: Buffer.alloc(0), type, mode: 0, sizeBytes: data.length, modifiedS: 0 });
  return [head, data, tarPadding(data.length)];
}

type Block = Pick<TarHead, 'mode' | 'sizeBytes' | 'modifiedS'> & {
  readonly path: Buffer;
  readonly to: Buffer;
  readonly type: string;
};

/** Offsets and widths of ustar's fields: name 0+100, mode 100+8, …, checksum 148+8, type 156+1, link 157+100, magic 257+8. */
function block({ path, to, type, mode, sizeBytes, modifiedS }: Block): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  path.copy(bytes, 0, 0, NAME_BYTES);
  bytes.write(octal(mode, 8), 100, 'latin1');
  bytes.write(octal(0, 8), 108, 'latin1');
  bytes.write(octal(0, 8), 116, 'latin1');
  bytes.write(octal(sizeBytes, 12), 124, 'latin1');
  bytes.write(octal(modifiedS, 12), 136, 'latin1');
  bytes.write(' '.repeat(8), 148, 'latin1');
  bytes.write(type, 156, 'latin1');
  to.copy(bytes, 157, 0, NAME_BYTES);
  bytes.write('ustar\x0000', 257, 'latin1');
  // The checksum is over the header with the checksum's own field as spaces.
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** Octal digits that fill a field of `width` bytes, with its closing NUL. */
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
