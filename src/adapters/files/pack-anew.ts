import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createGzip } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import type { MeasuredFile } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import { TAR_END, tarHead, tarPadding } from '../../lib/tar.ts';
import { ZIP_LIMITS, type ZipItem, ZipRefused, ZipTree } from './zip-tree.ts';

export type Packing = {
  /** A zip. */
  readonly from: string;
  /** Is written; what is left there after a failure is for the caller to remove. */
  readonly to: string;
  /** For errors: the name of the artifact. */
  readonly what: string;
  readonly mostBytes: number;
  readonly signal: AbortSignal;
};

/**
 * Packs a zip anew as .tar.gz, which every host can unpack, the same bytes each time. All that a tar program could be led astray by is
 * refused before. Rejects with `artifact_unreadable`, saying what is wrong with the archive.
 */
export async function packAnew({ from, to, what, mostBytes, signal }: Packing): Promise<MeasuredFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    const { size } = await stat(from);
    // All of its names and sizes before any of its bytes.
    for await (const _ of itemsOf(from, size)) signal.throwIfAborted();
    await pipeline(
      Readable.from(gathered(tarOf(from, size)), { objectMode: false }),
      createGzip({ level: 6 }),
      async function* measure(pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          hash.update(piece);
          sizeBytes += piece.length;
          if (sizeBytes > mostBytes) throw tooLarge(what, mostBytes);
          yield piece;
        }
      },
      createWriteStream(to, { mode: 0o600 }),
      { signal },
    );
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown instanceof EdgeError || isOfSystem(thrown) ? thrown : broken(what, thrown);
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

const tooLarge = (what: string, mostBytes: number): EdgeError =>
  new EdgeError('artifact_store_full', `${what}, packed anew, has more than ${mostBytes} bytes`);

/** A disk or a file system: nothing that is wrong with the archive. */
const isOfSystem = (thrown: unknown): boolean =>
  thrown instanceof Error && 'syscall' in thrown && typeof thrown.syscall === 'string';

function broken(what: string, cause: unknown): EdgeError {
  const why = cause instanceof ZipRefused ? cause.message : `is no whole zip: ${messageOf(cause)}`;
  return new EdgeError('artifact_unreadable', `The archive ${what} ${why}`, {
    hint: 'Build the archive anew without that, and make a new release.',
    cause,
  });
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

const PIECE_BYTES = 64 * 1024;

/** Small pieces as larger ones: each costs the compression a turn of its own. */
async function* gathered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    size += piece.length;
    if (size < PIECE_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  yield Buffer.concat(waiting);
}

type Found = { readonly zip: ZipFile; readonly entry: Entry; readonly tree: ZipTree; readonly item: ZipItem };

/** Throws `ZipRefused` at the first that is not as it should be. */
async function* itemsOf(path: string, archiveBytes: number): AsyncGenerator<Found> {
  const tree = new ZipTree(archiveBytes);
  const zip = await openPromise(path, { autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      const item = tree.add(entry);
      if (item) yield { zip, entry, tree, item };
    }
  } finally {
    zip.close();
  }
}

async function* tarOf(from: string, archiveBytes: number): AsyncGenerator<Uint8Array> {
  for await (const { zip, entry, tree, item } of itemsOf(from, archiveBytes)) {
    const { path, mode, kind } = item;
    const modifiedS = Math.max(0, Math.floor(entry.getLastModDate({ timezone: 'UTC' }).getTime() / 1_000));
    const head = { path: kind === 'folder' ? `${path}/` : path, mode, kind, modifiedS };
    if (kind === 'file') {
      yield tarHead({ ...head, sizeBytes: entry.uncompressedSize });
      if (entry.uncompressedSize > 0) yield* contentOf(zip, entry);
      yield tarPadding(entry.uncompressedSize);
    } else if (kind === 'link') {
      const to = await linkOf(zip, entry);
      tree.checkLink(path, to);
      yield tarHead({ ...head, sizeBytes: 0, to });
    } else yield tarHead({ ...head, sizeBytes: 0 });
  }
  yield TAR_END;
}

/** No more bytes than the entry says that it has, and those that its checksum is of. */
async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  let sum = 0;
  for await (const piece of await zip.openReadStreamPromise(entry)) {
    sum = crc32(piece, sum);
    yield piece;
  }
  if (sum !== entry.crc32)
    throw new ZipRefused(`is damaged: ${JSON.stringify(entry.fileName)} has another checksum`);
}

async function linkOf(zip: ZipFile, entry: Entry): Promise<string> {
  if (entry.uncompressedSize > ZIP_LIMITS.linkBytes)
    throw new ZipRefused(`has a link of ${entry.uncompressedSize} bytes: ${JSON.stringify(entry.fileName)}`);
  const pieces: Buffer[] = [];
  for await (const piece of contentOf(zip, entry)) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
