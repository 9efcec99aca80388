import type { ErrorCode, Where } from '../domain/errors.ts';
import type { CheckSteps } from '../domain/strategy.ts';
import { didYouMean } from '../lib/nearest.ts';
import { type Issue, issuesOf } from './issues.ts';
import { type ConfigDocument, isKind, KIND_NAMES, KINDS, keyOf } from './kinds.ts';
import { errorOf, type Problem, pathText } from './problem.ts';
import { checkReferences, type Known, NOTHING_KNOWN } from './references.ts';
import { type Path, readYaml, type YamlDocument } from './yaml-text.ts';

export type ConfigFile = { readonly path: string; readonly text: string };

/** A document and the place of any part of it. */
export type Loaded = {
  readonly document: ConfigDocument;
  readonly whereIs: (path: Path) => Where;
};

/**
 * The documents of configuration files, in the order in which they stand there. A file may hold several, with `---` between.
 * `known` is the configuration that is in force already: it may be referred to, and what the files define replaces it.
 * `checkSteps` knows the actions of a platform, which this folder does not.
 * Throws one error with all problems, each with its place and advice: `config_syntax`, `config_invalid`, `config_duplicate`,
 * `config_reference`. Nothing is read and nothing is kept.
 */
export function loadConfig(
  files: readonly ConfigFile[],
  known: Known = NOTHING_KNOWN,
  checkSteps: CheckSteps = () => [],
): readonly ConfigDocument[] {
  const read = files.map(readFile);
  const problems = read.flatMap((file) => file.problems);
  const loaded = read.flatMap((file) => file.loaded);
  const all = [...problems, ...duplicates(loaded)];
  if (all.length === 0 && loaded.length === 0) all.push(...empty(files));
  // Only when all else is right: a reference to a document that could not be read would be told as a mistake of its own.
  const found = all.length > 0 ? all : checkReferences(loaded, known, checkSteps);
  if (found.length > 0) throw errorOf(found);
  return loaded.map(({ document }) => document);
}

function empty(files: readonly ConfigFile[]): readonly Problem[] {
  const [first] = files;
  const message = files.length === 1 ? 'The file holds no document' : 'The files hold no document';
  const hint = '`edge init` writes a sample to begin with.';
  return first ? [{ code: 'config_invalid', message, where: { file: first.path }, hint }] : [];
}

type Read = { readonly loaded: readonly Loaded[]; readonly problems: readonly Problem[] };

function readFile({ path: file, text }: ConfigFile): Read {
  const { documents, problems } = readYaml(text);
  const syntax = problems.map(
    ({ code, message, place }): Problem => ({ code, message, where: { file, ...place } }),
  );
  const read = documents.map((document) => readDocument(file, document));
  return {
    loaded: read.flatMap(({ loaded }) => loaded),
    problems: [...syntax, ...read.flatMap((each) => each.problems)],
  };
}

function readDocument(file: string, source: YamlDocument): Read {
  const whereIs = (path: Path): Where => ({
    file,
    ...source.placeOf(path),
    ...(path.length > 0 && { path: pathText(path) }),
  });
  const { value } = source;
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  if (!isKind(kind))
    return { loaded: [], problems: [unknownKind(kind, whereIs(kind === undefined ? [] : ['kind']))] };
  const parsed = KINDS[kind].safeParse(value);
  if (parsed.success) return { loaded: [{ document: parsed.data, whereIs }], problems: [] };
  const problems = issuesOf(kind, parsed.error.issues).map((issue) => invalid(issue, file, source));
  return { loaded: [], problems: problems.toSorted(byPlace) };
}

function unknownKind(kind: unknown, where: Where): Problem {
  const code: ErrorCode = 'config_invalid';
  if (typeof kind !== 'string') {
    return {
      code,
      message: 'The document does not say its kind',
      where,
      hint: `Start it with \`kind:\` and one of ${KIND_NAMES.join(', ')}.`,
    };
  }
  return { code, message: `There is no kind "${kind}"`, where, hint: didYouMean(kind, KIND_NAMES) };
}

function invalid({ path, key, message, hint }: Issue, file: string, source: YamlDocument): Problem {
  const place = key === undefined ? source.placeOf(path) : source.placeOfKey(path, key);
  const text = pathText(key === undefined ? path : [...path, key]);
  return {
    code: 'config_invalid',
    message,
    where: { file, ...place, ...(text !== '' && { path: text }) },
    hint,
  };
}

const byPlace = ({ where: a }: Problem, { where: b }: Problem) =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

function duplicates(loaded: readonly Loaded[]): readonly Problem[] {
  const first = new Map<string, Where>();
  return loaded.flatMap(({ document, whereIs }): readonly Problem[] => {
    const name = `${document.kind} ${keyOf(document)}`;
    const where = whereIs([]);
    const before = first.get(name);
    if (before) {
      const hint = `It is defined in ${before.file}:${before.line} already; remove one of the two.`;
      return [{ code: 'config_duplicate', message: `The ${name} is defined twice`, where, hint }];
    }
    first.set(name, where);
    return [];
  });
}
