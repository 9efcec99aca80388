import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MeasuredFile } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import { piecesOf } from './pieces.ts';

export type StoreOptions = {
  readonly folder: string;
  /** Names this process among all that live and share the folder. One that has ended hands on what it left. */
  readonly owner: string;
  readonly limitBytes: number;
};

/**
 * Files by their digest, in a folder that several processes may share. A file comes in whole or not at all. Where there is no room those
 * that were used longest ago go, but none that somebody holds: who holds a file has a second link to it, which says so to every
 * process, and keeps the bytes whatever happens to the first.
 */
export class ArtifactStore {
  readonly folder: string;
  readonly limitBytes: number;
  readonly #own: string;
  readonly #seenWhole = new Map<string, string>();
  #opening: Promise<void> | undefined;

  /** Touches nothing before the first file comes. */
  constructor({ folder, owner, limitBytes }: StoreOptions) {
    this.folder = folder;
    this.#own = join(folder, 'owners', owner);
    this.limitBytes = limitBytes;
  }

  /** Where what is not whole yet of a digest is written. It stays for the next try, also of the next process. */
  async part(sha256: string): Promise<string> {
    await this.#opened();
    return join(this.#own, 'parts', `${sha256}.part`);
  }

  /** For a file whose digest nobody knows yet; whoever asks removes it. */
  async scratch(): Promise<string> {
    await this.#opened();
    return join(this.#own, 'new', randomUUID());
  }

  /** Moves a file into its place. The caller has read its digest from these very bytes. */
  async add(path: string, { sha256, sizeBytes }: MeasuredFile): Promise<void> {
    const place = this.#placeOf(sha256);
    const { size } = await stat(path);
    if (size !== sizeBytes) throw new Error(`${path} has ${size} bytes in place of ${sizeBytes}`);
    await this.makeRoom(0, path);
    await sync(path);
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    await rename(path, place);
    await sync(dirname(place));
    this.#seenWhole.set(sha256, await markOf(place));
    if ((await sizeOf(this.#keptAt(sha256))) !== null) await this.#keepAnew(sha256);
  }

  /** Whether it is here; nothing is said of its bytes. */
  async has(sha256: string): Promise<boolean> {
    return (await sizeOf(this.#placeOf(sha256))) !== null || (await this.#relink(sha256));
  }

  /** Digest and size of what is here; `null` where there is nothing. Read once by each process. */
  async measured(sha256: string): Promise<MeasuredFile | null> {
    if (!(await this.has(sha256))) return null;
    return this.hold(sha256, async (path) => {
      const { size: sizeBytes } = await stat(path);
      const mark = await markOf(path);
      if (this.#seenWhole.get(sha256) === mark) return { sha256, sizeBytes };
      const found = await digestOf(path);
      if (found.sha256 === sha256) this.#seenWhole.set(sha256, mark);
      return found;
    });
  }

  /** It is read again before it is taken for whole: somebody has found it damaged. */
  distrust(sha256: string): void {
    this.#seenWhole.delete(sha256);
  }

  /** Runs `use` with a path of the file that is good until it ends. `null` where it is not here. */
  async hold<T>(sha256: string, use: (path: string) => Promise<T>): Promise<T | null> {
    await this.#opened();
    const held = join(this.#own, 'held', `${sha256}-${randomUUID()}`);
    if (!(await linked(this.#placeOf(sha256), held))) {
      if (!(await this.#relink(sha256)) || !(await linked(this.#placeOf(sha256), held))) return null;
    }
    try {
      const now = new Date();
      await utimes(held, now, now);
      return await use(held);
    } finally {
      await rm(held, { force: true });
    }
  }

  /** Takes away what turned out to be something else than its name says. */
  async drop(sha256: string): Promise<void> {
    this.#seenWhole.delete(sha256);
    await rm(this.#placeOf(sha256), { force: true });
  }

  /** From now on it is never removed to make room: no source has it but this store. `false` where it is not here. */
  async keep(sha256: string): Promise<boolean> {
    const kept = this.#keptAt(sha256);
    await mkdir(dirname(kept), { recursive: true, mode: 0o700 });
    if ((await sizeOf(kept)) !== null) return true;
    if (!(await linked(this.#placeOf(sha256), kept))) return false;
    await sync(dirname(kept));
    return true;
  }

  /**
   * Sees to it that so many bytes more fit, with what is under way. Rejects with `artifact_store_full`, having removed nothing that
   * somebody needs. `coming`: a file of this file system that has its bytes already.
   */
  async makeRoom(bytes: number, coming?: string): Promise<void> {
    const more = bytes + (coming === undefined ? 0 : ((await sizeOf(coming)) ?? 0));
    const found = [...(await this.#files()), ...(await this.#unfinished())];
    const files = found.filter(({ path }) => path !== coming);
    let used = files.reduce((sum, { size }) => sum + size, 0);
    const oldestFirst = files.filter(({ isFree }) => isFree).toSorted((a, b) => a.usedMs - b.usedMs);
    const removable = oldestFirst.reduce((sum, { size }) => sum + size, 0);
    if (used - removable + more > this.limitBytes) throw full(more, used - removable, this.limitBytes);
    for (const { path, size } of oldestFirst) {
      if (used + more <= this.limitBytes) return;
      await rm(path, { recursive: true, force: true });
      used -= size;
    }
  }

  /** Clears away what its predecessor held, and keeps what that had not brought to its end. */
  #opened(): Promise<void> {
    this.#opening ??= this.#open().catch((thrown: unknown) => {
      this.#opening = undefined;
      throw thrown;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    for (const leftover of ['held', 'new'])
      await rm(join(this.#own, leftover), { recursive: true, force: true });
    for (const place of OWNED) await mkdir(join(this.#own, place), { recursive: true, mode: 0o700 });
    // Also of those that never come back.
    for (const { path, usedMs } of await this.#leftBy(OWNED))
      if (isOlder(usedMs, LEFT_MS)) await rm(path, { recursive: true, force: true });
  }

  async #files(): Promise<readonly StoredFile[]> {
    const root = join(this.folder, 'sha256');
    const found: StoredFile[] = [];
    for (const name of await namesIn(root)) {
      for (const file of await namesIn(join(root, name))) {
        const path = join(root, name, file);
        const seen = await stat(path).catch(() => null);
        if (seen) found.push({ path, size: seen.size, usedMs: seen.mtimeMs, isFree: seen.nlink === 1 });
      }
    }
    return found;
  }

  /** What is not whole yet, of all processes. */
  async #unfinished(): Promise<readonly StoredFile[]> {
    const left = await this.#leftBy(['new', 'parts']);
    return left.map((file) => ({ ...file, isFree: isOlder(file.usedMs, IDLE_MS) }));
  }

  async #leftBy(places: readonly string[]): Promise<readonly Omit<StoredFile, 'isFree'>[]> {
    const owners = join(this.folder, 'owners');
    const found: Omit<StoredFile, 'isFree'>[] = [];
    for (const owner of await namesIn(owners))
      for (const place of places)
        for (const name of await namesIn(join(owners, owner, place))) {
          const path = join(owners, owner, place, name);
          found.push({ path, ...(await measuredAll(path)) });
        }
    return found;
  }

  /** What was kept may have been damaged. */
  async #keepAnew(sha256: string): Promise<void> {
    const fresh = await this.scratch();
    if (await linked(this.#placeOf(sha256), fresh)) await rename(fresh, this.#keptAt(sha256));
    // A rename onto another link of the same file does nothing.
    await rm(fresh, { force: true });
  }

  /** A kept file whose place was cleared at the moment in which it was kept. */
  #relink(sha256: string): Promise<boolean> {
    return linked(this.#keptAt(sha256), this.#placeOf(sha256));
  }

  #placeOf(sha256: string): string {
    return join(this.folder, 'sha256', sha256.slice(0, 2), sha256);
  }

  #keptAt(sha256: string): string {
    return join(this.folder, 'kept', sha256);
  }
}

const OWNED = ['held', 'new', 'parts'] as const;
/** Nobody is writing to what has been left alone for so long: whatever brings artifacts ends what falls silent before. */
const IDLE_MS = 3_600_000;
/** What nobody has gone on with, or held, for so long, nobody will. */
const LEFT_MS = 7 * 24 * 3_600_000;

const isOlder = (usedMs: number, ms: number): boolean => usedMs < Date.now() - ms;

/** A file, or all that is in a folder. What is gone meanwhile has no bytes. */
async function measuredAll(path: string): Promise<{ readonly size: number; readonly usedMs: number }> {
  const seen = await stat(path).catch(() => null);
  let [size, usedMs] = [seen?.isFile() ? seen.size : 0, seen?.mtimeMs ?? Number.POSITIVE_INFINITY];
  for (const name of seen?.isDirectory() ? await namesIn(path) : []) {
    const inner = await measuredAll(join(path, name));
    size += inner.size;
    usedMs = Math.max(usedMs, inner.usedMs);
  }
  return { size, usedMs };
}

type StoredFile = {
  readonly path: string;
  readonly size: number;
  readonly usedMs: number;
  /** Nobody needs it now. */
  readonly isFree: boolean;
};

const full = (bytes: number, used: number, limit: number): EdgeError =>
  new EdgeError(
    'artifact_store_full',
    `${bytes} bytes do not fit into the artifact store: ${used} of its ${limit} are in use`,
  );

/** What a file is as long as nobody writes into it; links and looks do not change it. */
async function markOf(path: string): Promise<string> {
  const { ino, size } = await stat(path, { bigint: true });
  return `${ino} ${size}`;
}

export async function digestOf(path: string): Promise<MeasuredFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of piecesOf(path)) {
    hash.update(piece);
    sizeBytes += piece.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** `false` where there is nothing to link; a link that is there already is as good. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') return true;
    if (codeOf(thrown) === 'ENOENT') return false;
    throw thrown;
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((thrown: unknown) => {
    if (codeOf(thrown) === 'ENOENT' || codeOf(thrown) === 'ENOTDIR') return [];
    throw thrown;
  });
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
