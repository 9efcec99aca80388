import { readFile, stat } from 'node:fs/promises';

type Kept<T> = { readonly stamp: string; readonly understood: Promise<T> };

const MOST_KEPT = 16;

/**
 * What stands in files, each read once until it changes: a fleet asks for the same file at each connect. Rejects as `stat` and
 * `readFile` do, and keeps nothing then.
 */
export class KeptFiles<T> {
  readonly #understand: (content: Buffer) => T;
  readonly #kept = new Map<string, Kept<T>>();

  constructor(understand: (content: Buffer) => T) {
    this.#understand = understand;
  }

  async read(file: string): Promise<T> {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    const stamp = [ino, size, mtimeNs, ctimeNs].join(' ');
    const before = this.#kept.get(file);
    if (before?.stamp === stamp) return before.understood;
    const understood = readFile(file).then(this.#understand);
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(file, { stamp, understood });
    understood.catch(() => this.#kept.delete(file));
    return understood;
  }
}
