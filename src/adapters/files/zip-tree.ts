import { posix } from 'node:path';
import type { Entry } from 'yauzl';

/** What an archive may be. A zip of 42 KB can unpack to petabytes. */
export const ZIP_LIMITS = {
  entries: 200_000,
  unpackedBytes: 7 * 1024 ** 3,
  /** Above `freeBytes` no archive that unpacks to more than so many times its own size. */
  ratio: 100,
  freeBytes: 256 * 1024 ** 2,
  linkBytes: 4_096,
} as const;

/** One that is refused: `why` ends a sentence that begins with the name of the archive. */
export class ZipRefused extends Error {}

export type ZipItem = {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly mode: number;
};

/** Of the mode that Unix systems put into the upper half of the attributes. */
const TYPES = 0o170000;
const KINDS = new Map<number, ZipItem['kind']>([
  [0, 'file'],
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
]);
const MADE_BY_UNIX = 3;

/**
 * What an archive puts below one folder, seen entry by entry. Refused is all that could write elsewhere or be read in two ways:
 * names and links that lead out, entries below a link, the same name twice, devices.
 */
export class ZipTree {
  readonly #folders = new Set<string>();
  readonly #others = new Set<string>();
  readonly #archiveBytes: number;
  #entries = 0;
  #bytes = 0;

  constructor(archiveBytes: number) {
    this.#archiveBytes = archiveBytes;
  }

  /** `null`: nothing is to be put for it. Throws `ZipRefused`. */
  add(entry: Entry): ZipItem | null {
    this.#count(entry);
    const path = pathOf(entry.fileName);
    const { kind, mode } = kindOf(entry);
    if (path === '') return null;
    this.#place(path, kind);
    return { path, kind, mode };
  }

  /** Where a link of this path may lead. Throws `ZipRefused`. */
  checkLink(path: string, to: string): void {
    const shown = JSON.stringify(to);
    if (to === '' || /[\p{Cc}\\]/u.test(to) || to.startsWith('/'))
      throw new ZipRefused(`has a link ${path} to ${shown}`);
    const parts = to.split('/').filter((part) => part !== '' && part !== '.');
    const down = parts.findIndex((part) => part !== '..');
    // Up behind a name that may be a link itself leads nobody knows where.
    const turns = down !== -1 && parts.slice(down).includes('..');
    const up = down === -1 ? parts.length : down;
    if (turns || up > path.split('/').length - 1)
      throw new ZipRefused(`has a link ${path} that leads out, to ${shown}`);
  }

  #count({ uncompressedSize }: Entry): void {
    this.#entries += 1;
    this.#bytes += uncompressedSize;
    if (this.#entries > ZIP_LIMITS.entries)
      throw new ZipRefused(`has more than ${ZIP_LIMITS.entries} entries`);
    const most = Math.min(
      ZIP_LIMITS.unpackedBytes,
      Math.max(ZIP_LIMITS.freeBytes, this.#archiveBytes * ZIP_LIMITS.ratio),
    );
    if (this.#bytes > most) throw new ZipRefused(`unpacks to more than ${most} bytes`);
  }

  #place(path: string, kind: ZipItem['kind']): void {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const above = parts.slice(0, depth).join('/');
      if (this.#others.has(above)) throw new ZipRefused(`has ${path} below ${above}, which is no folder`);
      this.#folders.add(above);
    }
    if (this.#others.has(path) || (kind !== 'folder' && this.#folders.has(path)))
      throw new ZipRefused(`has ${path} twice`);
    (kind === 'folder' ? this.#folders : this.#others).add(path);
  }
}

/** Below the folder, without `.` and doubled slashes; empty for the folder itself. */
function pathOf(name: string): string {
  const shown = JSON.stringify(name);
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name) || name.split('/').includes('..'))
    throw new ZipRefused(`has an entry that leads out: ${shown}`);
  if (/[\p{Cc}\\]/u.test(name)) throw new ZipRefused(`has an entry with an odd name: ${shown}`);
  const path = posix.normalize(name).replace(/\/+$/, '');
  if (path.startsWith('.edge-')) throw new ZipRefused(`has an entry ${shown}; such names are those of Edge`);
  return path === '.' ? '' : path;
}

function kindOf(entry: Entry): Pick<ZipItem, 'kind' | 'mode'> {
  const unix = entry.versionMadeBy >>> 8 === MADE_BY_UNIX ? entry.externalFileAttributes >>> 16 : 0;
  const kind = KINDS.get(unix & TYPES);
  const shown = JSON.stringify(entry.fileName);
  if (kind === undefined)
    throw new ZipRefused(`has an entry that is neither file, folder nor link: ${shown}`);
  if (entry.isEncrypted()) throw new ZipRefused(`is encrypted: ${shown}`);
  if (!entry.canDecodeFileData())
    throw new ZipRefused(`is compressed in a way that Edge does not know: ${shown}`);
  const rights = unix & 0o777;
  if (kind === 'folder' || (kind === 'file' && entry.fileName.endsWith('/')))
    return { kind: 'folder', mode: (rights || 0o755) | 0o700 };
  return { kind, mode: kind === 'link' ? 0o777 : (rights || 0o644) | 0o600 };
}
