import { z } from 'zod';
import { hashOf } from '../lib/hash.ts';
import { localPathField } from './fields.ts';
import { type Placeholder, parseTemplate, type Template } from './template.ts';
import { type Scope, type Variable, type VariableValue, valuesAt } from './variable.ts';

/** A file of a release that is made anew for each target, from a template and the values that hold there. */
export type PropertyFile = {
  /** Below the folder of the release. */
  readonly path: string;
  /** Octal digits, such as `0640`. */
  readonly mode: string;
  readonly template: string;
};

export const MOST_TEMPLATE_BYTES = 65_536;
/** Of all templates of a release: they are in every plan of it. */
export const MOST_TEMPLATES_BYTES = 262_144;

const PART = '[A-Za-z0-9_.][A-Za-z0-9_.@+-]*';
/** A path that is the same to every shell and archive, and never leads out of the folder. */
export const filePathField = z
  .string()
  .max(255)
  .regex(
    new RegExp(`^${PART}(/${PART})*$`),
    'a path below the release folder, such as conf/app.properties: letters, digits, dots, dashes, underscores, + and @, no dash first',
  )
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'a path without . and ..')
  .refine((path) => !path.startsWith('.edge-'), 'names that begin with .edge- are those of Edge');

export const propertyFileSchema = z
  .strictObject({
    path: filePathField.describe('Where it is put, below the folder of the release.'),
    mode: z
      .string('octal digits in quotes, such as "0640"')
      .regex(/^0?[0-7]{3}$/, 'octal digits in quotes, such as "0640"')
      .default('0640')
      .describe('Its permissions.'),
    content: z
      .string()
      .max(MOST_TEMPLATE_BYTES)
      .exactOptional()
      .describe('The template itself: text in which `{{name}}` stands for a variable.'),
    template: localPathField
      .exactOptional()
      .describe('Or the file that holds it, on the machine of the server. 64 KB at most.'),
  })
  .refine(({ content, template }) => (content === undefined) !== (template === undefined), {
    path: ['content'],
    message: 'give content or template: one of them',
  });

/** Where and for what a file is made: what the variables of Edge itself say. */
export type FilePlace = Scope & {
  readonly project: string;
  readonly address: string;
  /** Of the service, if it is configured. */
  readonly port: number | null;
  readonly version: string;
  readonly release: string;
};

export const BUILT_INS = [
  'edge.project',
  'edge.environment',
  'edge.zone',
  'edge.target',
  'edge.address',
  'edge.port',
  'edge.version',
  'edge.release',
] as const;

const builtIns = (place: FilePlace): readonly (readonly [(typeof BUILT_INS)[number], string])[] => [
  ['edge.project', place.project],
  ['edge.environment', place.environment],
  ['edge.zone', place.zone],
  ['edge.target', place.target],
  ['edge.address', place.address],
  ...(place.port === null ? [] : [['edge.port', String(place.port)] as const]),
  ['edge.version', place.version],
  ['edge.release', place.release],
];

/** A file as it is to be on a target. Secrets are still references, each with whether it may have several lines. */
export type MadeFile = {
  readonly path: string;
  readonly mode: string;
  readonly parts: readonly MadePart[];
};
export type MadePart = string | { readonly secret: Exclude<VariableValue, string>; readonly alone: boolean };

/** Something about a file that cannot be made. `line` is that of its template. */
export type FileProblem = { readonly path: string; readonly line: number; readonly message: string };

export type Made =
  | { readonly kind: 'made'; readonly files: readonly MadeFile[] }
  | { readonly kind: 'problems'; readonly problems: readonly FileProblem[] };

/** In characters, without secrets: a template may put in a long value many times. */
const LARGEST_FILE = 1_000_000;

const templates = new WeakMap<PropertyFile, Template>();
/** A plan of thousands of targets makes the same files for each. */
function templateOf(file: PropertyFile): Template {
  const known = templates.get(file) ?? parseTemplate(file.template);
  templates.set(file, known);
  return known;
}

/** The secrets that stand in the files of a release at one place: those of its variables that the templates name. */
export function secretsIn(
  { files, variables }: { readonly files: readonly PropertyFile[]; readonly variables: readonly Variable[] },
  scope: Scope,
): readonly Exclude<VariableValue, string>[] {
  const parts = files.flatMap((file) => templateOf(file).parts);
  const named = new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.variable])));
  const secret = variables.filter((variable) => variable.secret !== undefined && named.has(variable.name));
  if (secret.length === 0) return [];
  const values = valuesAt(
    variables.filter(({ name }) => secret.some((one) => one.name === name)),
    scope,
  );
  return [...values.values()].flatMap((value) => (typeof value === 'string' ? [] : [value]));
}

/** The files of a release on one target. Pure: a plan and the worker that carries it out make the same. */
export function makeFiles(
  { files, variables }: { readonly files: readonly PropertyFile[]; readonly variables: readonly Variable[] },
  place: FilePlace,
): Made {
  const values = new Map<string, VariableValue>([...valuesAt(variables, place), ...builtIns(place)]);
  const problems: FileProblem[] = [];
  const made = files.map((file): MadeFile => {
    const { path, mode } = file;
    const template = templateOf(file);
    const tell = (line: number, message: string): void => void problems.push({ path, line, message });
    for (const { line, message } of template.problems) tell(line, message);
    let left = LARGEST_FILE;
    const parts: MadePart[] = [];
    for (const part of template.parts) {
      const filled = typeof part === 'string' ? { part } : filledIn(part, values.get(part.variable));
      if ('message' in filled) {
        tell(filled.line, filled.message);
        continue;
      }
      left -= typeof filled.part === 'string' ? filled.part.length : 0;
      if (left < 0) {
        tell(typeof part === 'string' ? 1 : part.line, TOO_LARGE);
        break;
      }
      parts.push(filled.part);
    }
    return { path, mode, parts: joined(parts) };
  });
  return problems.length > 0 ? { kind: 'problems', problems } : { kind: 'made', files: made };
}

const TOO_LARGE = `the file would have more than ${LARGEST_FILE} characters by here`;

type Filled = { readonly part: MadePart } | Omit<FileProblem, 'path'>;

function filledIn({ variable, line, alone }: Placeholder, value: VariableValue | undefined): Filled {
  if (value === undefined) return { line, message: `{{${variable}}} has no value here` };
  if (typeof value !== 'string') return { part: { secret: value, alone } };
  const fault = faultOfValue(value, alone);
  return fault === undefined ? { part: value } : { line, message: `{{${variable}}} ${fault}` };
}

/** Why a value may not stand where it would; the same for a secret, once the worker knows it. */
export function faultOfValue(value: string, alone: boolean): string | undefined {
  if (value.includes('\0')) return 'has a NUL';
  if (!alone && /[\r\n]/.test(value))
    return 'has a value of several lines, and may only be used where nothing else stands on the line';
  return undefined;
}

/** Neighbouring texts are one: the same content has the same parts, however its template was written. */
function joined(parts: readonly MadePart[]): readonly MadePart[] {
  const result: MadePart[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (typeof part === 'string' && typeof last === 'string') result[result.length - 1] = last + part;
    else if (part !== '') result.push(part);
  }
  return result;
}

/** SHA-256 over all files of a target: where, with what permissions, and what is in them, secrets as references. */
export function filesDigest(files: readonly MadeFile[]): string {
  return hashOf(files);
}

/** What is wrong with files whatever place they are made for: templates that are not understood, variables that nobody defines. */
export function problemsOfFiles({
  files,
  variables,
}: {
  readonly files: readonly PropertyFile[];
  readonly variables: readonly Variable[];
}): readonly FileProblem[] {
  const known = new Set<string>([...variables.map(({ name }) => name), ...BUILT_INS]);
  return files.flatMap((file): readonly FileProblem[] => {
    const { path } = file;
    const { parts, problems } = templateOf(file);
    const undefinedHere = parts.flatMap((part) =>
      typeof part === 'string' || known.has(part.variable)
        ? []
        : [{ line: part.line, message: `{{${part.variable}}} is not defined by the release` }],
    );
    return [...problems, ...undefinedHere]
      .sort((a, b) => a.line - b.line)
      .map((problem) => ({ path, ...problem }));
  });
}

/** Two paths of which there cannot be both: the same one twice, or a file that would have to be a folder as well. */
export function clashing(paths: readonly string[]): readonly [string, string] | undefined {
  const sorted = paths.toSorted((a, b) => (`${a}/` < `${b}/` ? -1 : 1));
  const index = sorted.findIndex((path, at) => `${sorted[at + 1] ?? ''}/`.startsWith(`${path}/`));
  return index === -1 ? undefined : [sorted[index] ?? '', sorted[index + 1] ?? ''];
}
