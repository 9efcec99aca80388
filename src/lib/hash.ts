import { createHash } from 'node:crypto';
import { canonicalJson } from './json.ts';

/** SHA-256 of a text or bytes, as 64 lower-case hex digits. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The same of a text that comes in pieces. */
export function sha256InPieces(): { readonly add: (piece: string) => void; readonly end: () => string } {
  const hash = createHash('sha256');
  return { add: (piece) => void hash.update(piece), end: () => hash.digest('hex') };
}

/** SHA-256 over the canonical JSON of a value: equal meaning, equal hash. */
export function hashOf(value: unknown): string {
  return sha256(canonicalJson(value));
}
