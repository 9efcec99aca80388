/**
 * Upstreams as a file of nginx has them. Texts are bytes as latin1: one character is one byte, so that offsets are those of
 * the file, and what is not understood stays what it is.
 */

/** A `server` of an upstream. `text` is the whole of it, from `server` to `;`, and begins at the offset `at`. */
export type ServerLine = {
  /** Address and port, as they are written: the name of the member. */
  readonly address: string;
  readonly parameters: readonly string[];
  readonly text: string;
  readonly at: number;
  /** Where in `text` its last word ends. */
  readonly wordsEnd: number;
};

/** The upstreams of this name: mostly one. Throws a SyntaxError, with the line, if the text cannot be configuration. */
export function upstreamsNamed(file: string, name: string): readonly (readonly ServerLine[])[] {
  const found: ServerLine[][] = [];
  const open: { readonly servers: ServerLine[] | undefined }[] = [];
  let words: Word[] = [];
  for (const token of tokens(file)) {
    if (token.kind === 'word') {
      words.push(token);
      continue;
    }
    if (token.kind === '{') {
      const servers = isUpstream(words, name) ? [] : undefined;
      if (servers) found.push(servers);
      open.push({ servers });
    }
    if (token.kind === ';') open.at(-1)?.servers?.push(...serverOf(file, words, token));
    if (token.kind === '}' && !open.pop()) throw syntaxError(file, token.at, 'a } without its {');
    words = [];
  }
  if (open.length > 0) throw syntaxError(file, file.length, 'a { without its }');
  return found;
}

function isUpstream([directive, argument]: readonly Word[], name: string): boolean {
  return directive?.value === 'upstream' && argument?.value === name;
}

function serverOf(file: string, words: readonly Word[], end: Mark): readonly ServerLine[] {
  const [directive, address, ...parameters] = words;
  const last = words.at(-1);
  if (directive?.value !== 'server' || !address || !last) return [];
  const line = {
    address: address.value,
    parameters: parameters.map(({ value }) => value),
    text: file.slice(directive.at, end.at + 1),
    at: directive.at,
    wordsEnd: last.end - directive.at,
  };
  return [line];
}

/** The same server, taking nothing new; what else it says is kept. */
export function withDown({ text, wordsEnd }: ServerLine): string {
  return `${text.slice(0, wordsEnd)} down${text.slice(wordsEnd)}`;
}

type Word = { readonly kind: 'word'; readonly value: string; readonly at: number; readonly end: number };
type Mark = { readonly kind: '{' | '}' | ';'; readonly at: number };

/** As nginx reads it: a `#` or a quote is special only where a word begins, a backslash takes what follows as it is. */
function* tokens(file: string): Generator<Word | Mark> {
  let at = 0;
  while (at < file.length) {
    const char = file[at] ?? '';
    if (/\s/.test(char)) at += 1;
    else if (char === '#') at = lineEnd(file, at);
    else if (char === '{' || char === '}' || char === ';') {
      yield { kind: char, at };
      at += 1;
    } else {
      const word = char === '"' || char === "'" ? quoted(file, at, char) : bare(file, at);
      yield word;
      at = word.end;
    }
  }
}

function lineEnd(file: string, at: number): number {
  const end = file.indexOf('\n', at);
  return end < 0 ? file.length : end;
}

function quoted(file: string, at: number, quote: string): Word {
  let end = at + 1;
  while (end < file.length && file[end] !== quote) end += file[end] === '\\' ? 2 : 1;
  if (end >= file.length) throw syntaxError(file, at, `a ${quote} without its end`);
  return { kind: 'word', value: plain(file.slice(at + 1, end)), at, end: end + 1 };
}

/** A `{` ends it, but for that of `${name}`; a `}` does not. */
function bare(file: string, at: number): Word {
  let end = at;
  while (end < file.length && !/[\s;{]/.test(file[end] ?? ''))
    end += file[end] === '\\' || file.startsWith('${', end) ? 2 : 1;
  end = Math.min(end, file.length);
  return { kind: 'word', value: plain(file.slice(at, end)), at, end };
}

const plain = (text: string): string => text.replaceAll(/\\(.)/gs, '$1');

function syntaxError(file: string, at: number, what: string): SyntaxError {
  return new SyntaxError(`line ${file.slice(0, at).split('\n').length}: ${what}`);
}
