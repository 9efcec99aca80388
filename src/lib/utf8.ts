/**
 * How many bytes at the end begin a UTF-8 character that is not whole yet: 0 to 3. Bytes that can never become a
 * character count as whole, since waiting for more would not mend them.
 */
export function openTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return lengthOf(byte) > back ? back : 0;
  }
  return 0;
}

function lengthOf(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

/** The largest place at or before `at` that cuts no character of well-formed UTF-8. */
export function cutBefore(bytes: Uint8Array, at: number): number {
  let place = Math.min(at, bytes.length);
  while (place > 0 && place < bytes.length && isContinuation(bytes[place])) place -= 1;
  return place;
}

/** The smallest place at or after `at` that cuts no character of well-formed UTF-8. */
export function cutAfter(bytes: Uint8Array, at: number): number {
  let place = Math.max(0, at);
  while (place < bytes.length && isContinuation(bytes[place])) place += 1;
  return place;
}

const isContinuation = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;

/** Bytes to text, chunk by chunk; what is not UTF-8 becomes U+FFFD. `held` bytes wait for the rest of their character. */
export class Utf8Reader {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #open: Uint8Array = new Uint8Array(0);

  get held(): number {
    return this.#open.length;
  }

  read(chunk: Uint8Array): string {
    const bytes = join(this.#open, chunk);
    const end = bytes.length - openTail(bytes);
    this.#open = bytes.slice(end);
    return this.#decoder.decode(bytes.subarray(0, end));
  }

  /** The stream is over: what is left of a character, as U+FFFD. */
  end(): string {
    const rest = this.#decoder.decode(this.#open);
    this.#open = new Uint8Array(0);
    return rest;
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
