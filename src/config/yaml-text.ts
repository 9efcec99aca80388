import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type ErrorCode as ParserErrorCode,
  visit,
  type YAMLError,
} from 'yaml';
import type { ErrorCode } from '../domain/errors.ts';

/**
 * YAML 1.2, core schema, no tags, no merge keys. Text from outside is bounded before it is expanded: 20,000 targets fit in,
 * and nothing that keeps the server busy for long.
 */
const MAX_LENGTH = 4 * 1024 * 1024;
const MAX_LINES = 250_000;
const MAX_DOCUMENTS = 1_000;
const MAX_PARTS = 1_000_000;
const MAX_DEPTH = 32;
const MAX_ALIASES = 100;
const MAX_MESSAGE = 200;

export type Path = readonly PropertyKey[];
export type Place = { readonly line: number; readonly column: number };

export type YamlProblem = { readonly code: ErrorCode; readonly message: string; readonly place: Place };

export type YamlDocument = {
  readonly value: unknown;
  /** Where a value stands in the file; the nearest value around it that exists. */
  readonly placeOf: (path: Path) => Place;
  /** Where a key stands. */
  readonly placeOfKey: (path: Path, key: string) => Place;
};

export type YamlText = {
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly YamlProblem[];
};

const START: Place = { line: 1, column: 1 };
const refused = (message: string, place: Place = START): YamlText => ({
  documents: [],
  problems: [{ code: 'config_syntax', message, place }],
});

/** The documents of a text, or what is wrong with it; documents without content are left out. Never throws. */
export function readYaml(text: string): YamlText {
  const size = sizeProblem(text);
  if (size !== undefined) return refused(size);
  const lines = new LineCounter();
  const tokens = tokensOf(text, lines);
  if ('refused' in tokens) return refused(tokens.refused, placeAt(lines, tokens.offset));
  if (tokens.filter(({ type }) => type === 'document').length > MAX_DOCUMENTS)
    return refused(`The file has more than ${MAX_DOCUMENTS} documents`);
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
  });
  const composed = [...composer.compose(tokens)];
  const problems = composed.flatMap((document) => problemsOf(document, { text, lines }));
  if (problems.length > 0) return { documents: [], problems };
  return {
    documents: composed.filter(({ contents }) => hasContent(contents)).map((each) => documentOf(each, lines)),
    problems: [],
  };
}

const hasContent = (node: Node | null) => node !== null && !(isScalar(node) && node.value === null);

function sizeProblem(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `The file is larger than ${MAX_LENGTH / 1024 / 1024} MiB`;
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines > MAX_LINES ? `The file has more than ${MAX_LINES} lines` : undefined;
}

/**
 * The tokens of the text, or where it becomes too deep or too much. The parser keeps what is open in a list, not in calls,
 * so looking at that list while it grows is cheap and safe; a mapping in a sequence takes two places of it.
 */
function tokensOf(
  text: string,
  lines: LineCounter,
): readonly CST.Token[] | { refused: string; offset: number } {
  let parts = 0;
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    parts += 1;
    const { offset } = parser;
    if (parts > MAX_PARTS) return { refused: 'The file has too many values', offset };
    if (parser.stack.length > MAX_DEPTH * 2)
      return { refused: `Values are nested deeper than ${MAX_DEPTH} levels`, offset };
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

type Source = { readonly text: string; readonly lines: LineCounter };

/** Of several at one place the first: the others follow from it. */
function problemsOf(document: Document.Parsed, { text, lines }: Source): readonly YamlProblem[] {
  const places = new Set<number>();
  const syntax = [...document.errors, ...document.warnings].flatMap((error): readonly YamlProblem[] => {
    const [offset] = error.pos;
    if (places.has(offset)) return [];
    places.add(offset);
    return [problemOf(error, text, placeAt(lines, offset))];
  });
  return syntax.length > 0 ? syntax : forbiddenIn(document, lines);
}

/** In place of the words of the parser, which speak of its own parts. */
const WORDS: Partial<Record<ParserErrorCode, string>> = {
  BAD_INDENT: 'The indentation does not fit that of the lines above',
  BLOCK_AS_IMPLICIT_KEY:
    'The next line is indented as if it belonged to this value: the indentation is wrong',
  BLOCK_IN_FLOW: 'Within brackets, lines with dashes or indented fields are not possible',
  MULTILINE_IMPLICIT_KEY: 'A field and its colon must be on one line; or a colon is missing here',
  TAB_AS_INDENT: 'A tab stands where the line is indented: use spaces',
};

function problemOf({ code, message, pos }: YAMLError, text: string, place: Place): YamlProblem {
  if (code === 'DUPLICATE_KEY') {
    const name = /^[^\s:]{1,100}/.exec(text.slice(pos[0], pos[0] + 100))?.[0] ?? '';
    return { code: 'config_duplicate', message: `The field ${name} is given twice`, place };
  }
  return { code: 'config_syntax', message: WORDS[code] ?? clipped(message), place };
}

const clipped = (message: string) =>
  message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;

/** What is valid YAML and still not taken: more aliases than the cap, or a key that means something to JavaScript. */
function forbiddenIn(document: Document.Parsed, lines: LineCounter): readonly YamlProblem[] {
  const problems: YamlProblem[] = [];
  let aliases = 0;
  visit(document, {
    Alias(_, alias: Alias) {
      aliases += 1;
      const message = aliasProblem(alias, document, aliases);
      if (message === undefined) return undefined;
      problems.push({ code: 'config_syntax', message, place: placeAt(lines, alias.range?.[0]) });
      return visit.BREAK;
    },
    Pair(_, { key }) {
      if (!isScalar(key) || key.value !== '__proto__') return;
      problems.push({
        code: 'config_invalid',
        message: 'A field may not be called "__proto__"',
        place: placeAt(lines, key.range?.[0]),
      });
    },
  });
  return problems;
}

/** Aliases of aliases are refused as a whole: without them a text of n bytes never means more than 100 times n. */
function aliasProblem(alias: Alias, document: Document.Parsed, count: number): string | undefined {
  if (count > MAX_ALIASES) return `Anchors are used more than ${MAX_ALIASES} times`;
  const target = alias.resolve(document);
  if (!target) return `The anchor "${alias.source}" is not defined before it is used`;
  let nested = false;
  visit(target, {
    Alias() {
      nested = true;
      return visit.BREAK;
    },
  });
  return nested ? `The anchor "${alias.source}" holds another alias` : undefined;
}

function documentOf(document: Document.Parsed, lines: LineCounter): YamlDocument {
  const at = (node: unknown) => placeAt(lines, isRanged(node) ? node.range?.[0] : undefined);
  return {
    value: document.toJS({ maxAliasCount: MAX_ALIASES }),
    placeOf: (path) => at(nodeAt(document, path)),
    placeOfKey: (path, key) => at(keyAt(document, path, key) ?? nodeAt(document, path)),
  };
}

const isRanged = (node: unknown): node is { readonly range?: readonly [number, ...number[]] | null } =>
  typeof node === 'object' && node !== null && 'range' in node;

function nodeAt(document: Document.Parsed, path: Path): unknown {
  let node: unknown = document.contents;
  for (const segment of path) {
    const next: unknown = childOf(resolved(node, document), segment);
    if (next === undefined || next === null) break;
    node = next;
  }
  return node;
}

function childOf(node: unknown, segment: PropertyKey): unknown {
  if (isSeq(node)) return node.items[Number(segment)];
  if (isMap(node)) return node.items.find(({ key }) => nameOf(key) === String(segment))?.value;
  return undefined;
}

function keyAt(document: Document.Parsed, path: Path, key: string): unknown {
  const node = resolved(nodeAt(document, path), document);
  return isMap(node) ? node.items.find((pair) => isPair(pair) && nameOf(pair.key) === key)?.key : undefined;
}

const resolved = (node: unknown, document: Document.Parsed): unknown =>
  isAlias(node) ? node.resolve(document) : node;
const nameOf = (key: unknown) => (isScalar(key) ? String(key.value) : undefined);

function placeAt(lines: LineCounter, offset: number | undefined): Place {
  if (offset === undefined) return START;
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
