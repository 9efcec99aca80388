import { crc32, deflateRawSync } from 'node:zlib';

export type ZipEntry = {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** Of a Unix system, type and permissions: 0o100644. Left out: as from another system. */
  readonly mode?: number;
  /** In place of what it has: for archives that lie. */
  readonly says?: { readonly sizeBytes?: number; readonly crc?: number };
  readonly encrypted?: true;
  /** The bytes of that entry, in place of its own: for archives whose entries share them. */
  readonly bytesOf?: number;
};

const MODIFIED = { time: 0, date: ((2026 - 1980) << 9) | (1 << 5) | 1 };

/** A zip with these entries, as they are: also one that no honest program writes. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const offsets: number[] = [];
  const made = entries.map((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return { ...entry, content, packed: deflateRawSync(content) };
  });
  let at = 0;
  for (const [index, entry] of made.entries()) {
    const shared = entry.bytesOf === undefined ? undefined : offsets[entry.bytesOf];
    offsets[index] = shared ?? at;
    if (shared !== undefined) continue;
    const local = Buffer.concat([header(entry, 'local', 0), entry.packed]);
    locals.push(local);
    at += local.length;
  }
  const central = Buffer.concat(
    made.map((entry, index) => {
      const bytes = entry.bytesOf === undefined ? entry : { ...made[entry.bytesOf], name: entry.name };
      return header(bytes as Made, 'central', offsets[index] ?? 0);
    }),
  );
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, central, end]);
}

type Made = ZipEntry & { readonly content: Buffer; readonly packed: Buffer };

/** APPNOTE.TXT 4.3.7 and 4.3.12. */
function header(
  { name, mode, content, packed, says, encrypted }: Made,
  kind: 'local' | 'central',
  offset: number,
): Buffer {
  const path = Buffer.from(name);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(0x0800 | (encrypted ? 1 : 0), 2);
  common.writeUInt16LE(8, 4);
  common.writeUInt16LE(MODIFIED.time, 6);
  common.writeUInt16LE(MODIFIED.date, 8);
  common.writeUInt32LE(says?.crc ?? crc32(content), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(says?.sizeBytes ?? content.length, 18);
  common.writeUInt16LE(path.length, 22);
  if (kind === 'local') return Buffer.concat([Buffer.from('PK\x03\x04'), common, path]);
  const start = Buffer.from([0x50, 0x4b, 1, 2, 20, mode === undefined ? 0 : 3]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((mode ?? 0) << 16) >>> 0, 6);
  rest.writeUInt32LE(offset, 10);
  return Buffer.concat([start, common, rest, path]);
}
