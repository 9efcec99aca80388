/** In place of `node:crypto`, which src/lib/hash.ts imports: the page makes no releases, and hashes nothing. */
export function createHash(): never {
  throw new Error('the page hashes nothing');
}
