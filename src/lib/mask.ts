/** Replaces secrets in a stream of bytes. What comes out does not depend on how the stream was cut into chunks. */
export type Mask = {
  /** The next bytes in, what can be said for certain out: at most the longest form of a secret, less one byte, is held back. */
  write(chunk: Uint8Array): Uint8Array;
  /** Here bytes were left out of the stream: what may be one half of a secret on either side is hidden too. */
  gap(): Uint8Array;
  end(): Uint8Array;
};

const STARS = Buffer.from('***');
/** Shorter pieces of a form are not hidden beside a gap, and shorter encoded forms not at all: they are in every text. */
const SHORTEST_PIECE = 4;
const SHORTEST_LINE = 8;

/**
 * Every form in which a secret may show in output, longest first: as it is, by lines, in base64 at any alignment, in a URL,
 * in JSON and behind the escapes of a shell.
 */
export function formsOf(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE);
  const texts = [secret, secret.trim(), ...(lines.length > 1 ? lines : [])].filter((text) => text.length > 0);
  const forms = texts.flatMap((text) => [
    text,
    ...inBase64(text),
    ...inUrl(text),
    ...inJson(text),
    ...inShell(text),
  ]);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/**
 * base64 works on groups of three bytes, so a secret inside a longer text (`user:password`) shows in one of three forms.
 * The characters at the edges that also depend on its neighbours are not part of the form.
 */
function inBase64(text: string): string[] {
  const bytes = Buffer.from(text);
  const whole = [bytes.toString('base64'), bytes.toString('base64url')];
  const inner = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64url');
    return encoded.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3));
  });
  const both = inner.flatMap((form) => [form, form.replaceAll('-', '+').replaceAll('_', '/')]);
  return [...whole, ...both.filter((form) => form.length > SHORTEST_PIECE)];
}

function inUrl(text: string): string[] {
  if (!text.isWellFormed()) return [];
  const encoded = encodeURIComponent(text);
  const strict = encoded.replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return [encoded, strict, strict.replaceAll('%20', '+')];
}

function inJson(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const ascii = plain.replaceAll(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [plain, ascii, plain.replaceAll('/', '\\/')];
}

function inShell(text: string): string[] {
  return [
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll(/["\\$`]/g, '\\$&'),
    text.replaceAll(/[^\w@%+=:,./\n-]/gu, '\\$&'),
  ];
}

/** `secrets` may be empty; then the bytes go through untouched. */
export function createMask(secrets: readonly string[]): Mask {
  const forms = secrets.flatMap(formsOf).map((form) => Buffer.from(form));
  if (forms.length === 0)
    return { write: (chunk) => chunk, gap: () => new Uint8Array(), end: () => new Uint8Array() };
  return maskForms(new Forms(forms));
}

function maskForms(forms: Forms): Mask {
  let rest: Buffer = Buffer.alloc(0);
  /** How many bytes at the head of `rest` belong to a secret that has begun: its stars are already out. */
  let hidden = 0;
  let afterGap = false;

  const advance = (chunk: Uint8Array, isEnd: boolean): Uint8Array => {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    const out: Uint8Array[] = [];
    if (afterGap) {
      if (!isEnd && rest.length < forms.longest) return new Uint8Array();
      afterGap = false;
      hidden = forms.tailAt(rest);
      if (hidden > 0) out.push(STARS);
    }
    const { at, until } = scan(forms, rest, { hidden, isEnd, out });
    rest = rest.subarray(at);
    hidden = Math.max(0, until - at);
    return out.length === 1 ? (out[0] ?? STARS) : Buffer.concat(out);
  };

  return {
    write: (chunk) => advance(chunk, false),
    end: () => advance(new Uint8Array(), true),
    gap: () => {
      // What is held back is, by the way it is held back, the head of a form.
      const isHead = !afterGap && rest.length >= SHORTEST_PIECE;
      const out = isHead
        ? STARS.subarray(0, rest.length > hidden ? STARS.length : 0)
        : advance(new Uint8Array(), true);
      [rest, hidden, afterGap] = [Buffer.alloc(0), 0, true];
      return out;
    },
  };
}

type ScanState = { readonly hidden: number; readonly isEnd: boolean; readonly out: Uint8Array[] };

/** Goes through `bytes` as far as it can be sure. `at`: the first byte that waits. `until`: where the last secret ends. */
function scan(forms: Forms, bytes: Buffer, { hidden, isEnd, out }: ScanState): { at: number; until: number } {
  let until = hidden;
  let plainFrom = hidden;
  let at = 0;
  for (; at < bytes.length; at++) {
    const length = forms.matchAt(bytes, at, isEnd);
    if (length === 'wait') break;
    if (length === 0) continue;
    // Secrets that overlap are one stretch with one set of stars.
    if (at >= until) {
      out.push(bytes.subarray(plainFrom, at), STARS);
    }
    until = Math.max(until, at + length);
    plainFrom = until;
  }
  if (at > plainFrom) out.push(bytes.subarray(plainFrom, at));
  return { at, until };
}

/** The forms by their first byte, so that a byte which begins none costs one look. */
class Forms {
  readonly longest: number;
  readonly #byFirst: (readonly Buffer[] | undefined)[] = new Array(256).fill(undefined);
  readonly #all: readonly Buffer[];

  constructor(forms: readonly Buffer[]) {
    this.#all = forms.toSorted((a, b) => b.length - a.length);
    this.longest = this.#all[0]?.length ?? 0;
    for (const form of this.#all) {
      const first = form[0] ?? 0;
      this.#byFirst[first] = [...(this.#byFirst[first] ?? []), form];
    }
  }

  /** The longest form that stands at `at`, or 0; `wait` while a longer one may still turn out to stand there. */
  matchAt(bytes: Buffer, at: number, isEnd: boolean): number | 'wait' {
    const candidates = this.#byFirst[bytes[at] ?? 0];
    if (candidates === undefined) return 0;
    const left = bytes.length - at;
    for (const form of candidates) {
      if (form.length <= left) {
        if (bytes.compare(form, 0, form.length, at, at + form.length) === 0) return form.length;
      } else if (!isEnd && bytes.compare(form, 0, left, at, bytes.length) === 0) return 'wait';
    }
    return 0;
  }

  /** How many of the first bytes are the tail of a form that was cut off. */
  tailAt(bytes: Buffer): number {
    for (let length = Math.min(this.longest - 1, bytes.length); length >= SHORTEST_PIECE; length--) {
      const piece = bytes.subarray(0, length);
      if (this.#all.some((form) => form.length > length && form.subarray(form.length - length).equals(piece)))
        return length;
    }
    return 0;
  }
}
