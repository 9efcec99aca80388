import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { MeasuredFile } from '../../domain/artifact.ts';
import { SharedWork } from '../../lib/shared-work.ts';
import { packAnew } from './pack-anew.ts';
import type { ArtifactStore } from './store.ts';

const noteSchema = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), sizeBytes: z.int().min(0) });

export type Zip = {
  readonly name: string;
  readonly sha256: string;
  /** Runs with a path of it. */
  readonly hold: (signal: AbortSignal, use: (path: string) => Promise<MeasuredFile>) => Promise<MeasuredFile>;
};

/** Zips as hosts get them: packed anew once, and kept in the store as any other file. */
export class PackedZips {
  readonly #store: ArtifactStore;
  readonly #work = new SharedWork<MeasuredFile>();

  constructor(store: ArtifactStore) {
    this.#store = store;
  }

  /** Sees to it that the store has it. Rejects with `artifact_unreadable` where the zip is refused. */
  async pack(zip: Zip, signal: AbortSignal): Promise<MeasuredFile> {
    const noted = await this.#noted(zip.sha256);
    if (noted && (await this.#store.measured(noted.sha256))?.sha256 === noted.sha256) return noted;
    return this.#work.join(
      zip.sha256,
      (both) => zip.hold(both, (from) => this.#packed(zip, from, both)),
      signal,
    );
  }

  async #packed({ name, sha256 }: Zip, from: string, signal: AbortSignal): Promise<MeasuredFile> {
    const to = await this.#store.scratch();
    try {
      const packed = await packAnew({ from, to, what: name, mostBytes: this.#store.limitBytes, signal });
      await this.#store.add(to, packed);
      await this.#note(sha256, packed);
      return packed;
    } finally {
      await rm(to, { force: true });
    }
  }

  async #noted(sha256: string): Promise<MeasuredFile | null> {
    try {
      return noteSchema.parse(JSON.parse(await readFile(this.#noteOf(sha256), 'utf8')));
    } catch {
      // Nothing is lost with it: the zip is packed once more.
      return null;
    }
  }

  async #note(sha256: string, packed: MeasuredFile): Promise<void> {
    const written = await this.#store.scratch();
    await writeFile(written, JSON.stringify(packed), { mode: 0o600 });
    await mkdir(dirname(this.#noteOf(sha256)), { recursive: true, mode: 0o700 });
    await rename(written, this.#noteOf(sha256));
  }

  #noteOf(sha256: string): string {
    return join(this.#store.folder, 'packed', `${sha256}.json`);
  }
}
