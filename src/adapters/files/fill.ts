import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { MeasuredFile } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import type { DownloadOpened } from '../../outbound/download.ts';
import { givenBack } from '../../outbound/give-back.ts';
import { piecesOf } from './pieces.ts';
import { writeAll } from './write-all.ts';

/** Gives the bytes from one on; see `openDownload`. */
export type Supply = (
  asked: { readonly from: number; readonly etag?: string },
  signal: AbortSignal,
) => Promise<Supplied>;
/** `hint`: what to do about a refusal, where the source knows. */
export type Supplied = DownloadOpened & { readonly hint?: string };

export type FillOptions = {
  /** What is in it already are the first bytes, if a digest is wanted. */
  readonly path: string;
  /** For errors: the artifact and its source. */
  readonly what: string;
  readonly supply: Supply;
  readonly wanted?: { readonly sha256: string };
  readonly mostBytes: number;
  /** Told how many bytes are to come, as soon as the source says it; rejects if they do not fit. */
  readonly makeRoom: (bytes: number) => Promise<void>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
};

/** Pauses between tries in a row that brought nothing. */
const AGAIN_MS = [500, 1_000, 2_000, 4_000] as const;
/** However much each of them brings. */
const MOST_TRIES = 200;

/**
 * Fills a file from a source, going on from where an earlier try was cut off. Bytes of two tries go together only if a digest says
 * what has to come out, or an ETag that it is the same thing. What is whole and has another digest is emptied.
 */
export async function fill(options: FillOptions): Promise<MeasuredFile> {
  const file = await open(options.path, 'a', 0o600);
  try {
    return await new Filling(options, file).run();
  } finally {
    await file.close();
  }
}

class Filling {
  readonly #options: FillOptions;
  readonly #file: FileHandle;
  #hash: Hash = createHash('sha256');
  #size = 0;
  #etag: string | null = null;
  /** Bytes of more than one try are in it. */
  #isResumed = false;

  constructor(options: FillOptions, file: FileHandle) {
    this.#options = options;
    this.#file = file;
  }

  async run(): Promise<MeasuredFile> {
    const { wanted, what } = this.#options;
    if (wanted) await this.#readOn();
    else await this.#startOver();
    if (wanted && this.#size > 0 && this.#found() === wanted.sha256) return this.#measured();
    await this.#bring();
    if (!wanted || this.#found() === wanted.sha256) return this.#measured();
    const wasResumed = this.#isResumed;
    await this.#startOver();
    if (wasResumed) {
      await this.#bring();
      if (this.#found() === wanted.sha256) return this.#measured();
      await this.#startOver();
    }
    throw new EdgeError('artifact_mismatch', `${what} does not have the digest ${wanted.sha256}`);
  }

  async #bring(): Promise<void> {
    let fruitless = 0;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const before = this.#size;
      const why = await this.#oneTry();
      if (why === null) return;
      fruitless = this.#size > before ? 0 : fruitless + 1;
      const pauseMs = AGAIN_MS[Math.max(0, fruitless - 1)];
      if (pauseMs === undefined) throw unreachable(this.#options.what, why);
      await this.#options.sleep(pauseMs, this.#options.signal);
    }
    throw unreachable(this.#options.what, `it was cut off ${MOST_TRIES} times`);
  }

  /** Why it is not whole; `null` if it is, as far as the source says. */
  async #oneTry(): Promise<string | null> {
    const { supply, signal, makeRoom, wanted, what } = this.#options;
    if (!wanted && this.#etag === null && this.#size > 0) await this.#startOver();
    const from = this.#size;
    const opened = await supply({ from, ...(this.#etag !== null && { etag: this.#etag }) }, signal);
    if (opened.kind === 'refused') return this.#refused(opened);
    const { body, totalBytes } = opened;
    try {
      if (opened.from !== from || opened.etag !== (this.#etag ?? opened.etag)) {
        if (opened.from > 0) return await this.#startOver().then(() => 'it has changed meanwhile');
        await this.#startOver();
      }
      this.#etag = opened.etag;
      this.#isResumed ||= this.#size > 0;
      if (totalBytes !== null) await makeRoom(totalBytes - this.#size);
      await this.#take(body);
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof EdgeError) throw thrown;
      return thrown instanceof Error ? thrown.message : String(thrown);
    } finally {
      body.destroy();
    }
    if (totalBytes !== null && this.#size < totalBytes) return `${what} was cut off`;
    return null;
  }

  async #refused({ why, status, lasting, hint }: Extract<Supplied, { kind: 'refused' }>): Promise<string> {
    if (status === 416 && this.#size > 0) {
      await this.#startOver();
      return why;
    }
    if (!lasting) return why;
    const more = hint === undefined ? {} : { hint };
    throw new EdgeError('artifact_unreadable', `${this.#options.what} cannot be read: ${why}`, more);
  }

  async #take(body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of body) {
      if (this.#size + piece.length > this.#options.mostBytes) throw tooLarge(this.#options);
      await writeAll(this.#file, piece);
      this.#hash.update(piece);
      this.#size += piece.length;
      givenBack(piece.length);
    }
  }

  async #readOn(): Promise<void> {
    for await (const piece of piecesOf(this.#options.path)) {
      this.#hash.update(piece);
      this.#size += piece.length;
    }
    this.#isResumed = this.#size > 0;
  }

  async #startOver(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash('sha256');
    this.#size = 0;
    this.#etag = null;
    this.#isResumed = false;
  }

  #found(): string {
    return this.#hash.copy().digest('hex');
  }

  #measured(): MeasuredFile {
    return { sha256: this.#found(), sizeBytes: this.#size };
  }
}

const unreachable = (what: string, why: string): EdgeError =>
  new EdgeError('artifact_unreachable', `${what} cannot be brought: ${why}`);

const tooLarge = ({ what, mostBytes }: FillOptions): EdgeError =>
  new EdgeError(
    'artifact_store_full',
    `${what} has more than ${mostBytes} bytes, which is all of the artifact store`,
  );
