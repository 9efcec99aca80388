import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { type ValueType, valueFault, valueOfText, valueTypeSchema } from './typed-value.ts';

/** The last argument of a rule: whatever else follows, or nothing. */
const REST = '...';

const argumentField = z.union(
  [z.string(), valueTypeSchema],
  'a text, { type: string, pattern: … }, { type: integer }, { type: enum, values: […] } or, last, "..."',
);
const commandRule = z
  .array(argumentField)
  .min(1)
  .max(64)
  .refine(([program]) => typeof program === 'string' && program !== REST, {
    path: [0],
    message: 'a rule begins with a program',
  })
  .refine((rule) => !rule.slice(0, -1).includes(REST), '"..." is the last argument')
  .describe('A command: its program, then each argument as a text or a type, and `...` for any that follow.');
const scriptRule = z
  .strictObject({
    script: z.string().min(1).describe('Name of a script, or `*` for any.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')
      .exactOptional()
      .describe('Only with this content.'),
  })
  .describe('A script.');
const rules = z.array(z.union([commandRule, scriptRule])).max(1_000);

export const commandPolicySchema = z.strictObject({
  allow: rules.exactOptional().describe('What may run; if it is given, nothing else may.'),
  deny: rules.exactOptional().describe('What may not run, whatever `allow` says.'),
});
export type CommandPolicy = DeepReadonly<z.infer<typeof commandPolicySchema>>;
type Rule = NonNullable<CommandPolicy['deny']>[number];

/** What is to run on a host: the words of a command, or a script by its name and the SHA-256 of its content. */
export type Commanded = readonly string[] | { readonly script: string; readonly sha256: string };

/** `rule`: the one that denies it, as it is written; none, if it is only not allowed. `path`: below the policy. */
export type Refusal = { readonly rule: Rule | undefined; readonly path: readonly (string | number)[] };

/**
 * Why a policy does not let something run; `undefined` if it does, as without a policy. A denied program without a slash is denied in
 * every folder; an allowed one is exactly that text. A word that is no value of its type's kind is denied, and not allowed. Of words
 * that a shell is given nothing is understood: they are arguments.
 */
export function refusedCommand({ allow, deny = [] }: CommandPolicy, command: Commanded): Refusal | undefined {
  const index = deny.findIndex((rule) => isMeant(rule, command, DENIES));
  if (index >= 0) return { rule: deny[index], path: ['deny', index] };
  if (!allow || allow.some((rule) => isMeant(rule, command, ALLOWS))) return undefined;
  return { rule: undefined, path: ['allow'] };
}

type Argument = DeepReadonly<z.infer<typeof argumentField>>;
/** How the parts of a rule are read. */
type Reading = {
  readonly isProgram: (rule: string, program: string) => boolean;
  readonly isWord: (argument: Argument, word: string) => boolean;
};

function isMeant(rule: Rule, command: Commanded, reading: Reading): boolean {
  if (isWords(rule)) return isArgv(command) && matches(rule, command, reading);
  if (isArgv(command)) return false;
  const isNamed = rule.script === '*' || rule.script === command.script;
  return isNamed && (rule.sha256 ?? command.sha256) === command.sha256;
}

const isArgv = (command: Commanded): command is readonly string[] => Array.isArray(command);
const isWords = (rule: Rule): rule is Extract<Rule, readonly unknown[]> => Array.isArray(rule);

function matches(
  rule: Extract<Rule, readonly unknown[]>,
  [program = '', ...words]: readonly string[],
  { isProgram, isWord }: Reading,
): boolean {
  const [name, ...wanted] = rule;
  if (typeof name !== 'string' || !isProgram(name, program)) return false;
  const isOpen = wanted.at(-1) === REST;
  const each = isOpen ? wanted.slice(0, -1) : wanted;
  if (isOpen ? words.length < each.length : words.length !== each.length) return false;
  return each.every((argument, index) => isWord(argument, words[index] ?? ''));
}

const ALLOWS: Reading = { isProgram: (rule, program) => rule === program, isWord: fits };

const DENIES: Reading = {
  isProgram: (rule, program) =>
    plain(rule) === plain(program) ||
    (!rule.includes('/') && rule === program.slice(program.lastIndexOf('/') + 1)),
  // What a program makes of `05`, or of a line break in a name, Edge does not know.
  isWord: (argument, word) =>
    fits(argument, word) || (typeof argument !== 'string' && !fits(WIDEST[argument.type], word)),
};

const TEXT: ValueType = { type: 'string', pattern: '[^]*' };
/** Of each kind, the type that all values of the kind are of. */
const WIDEST: Readonly<Record<ValueType['type'], ValueType>> = {
  string: TEXT,
  enum: TEXT,
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
};

function fits(argument: Argument, word: string): boolean {
  if (typeof argument === 'string') return argument === word;
  return valueFault(argument, valueOfText(argument, word)) === undefined;
}

/** Without what leads to the same place: `//`, `/./`, `x/../`. */
function plain(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '.' || (part === '' && parts.length > 0)) continue;
    if (part === '..' && parts.length > 0 && !['', '..'].includes(parts.at(-1) ?? '')) parts.pop();
    else if (part !== '..' || parts.length !== 1 || parts[0] !== '') parts.push(part);
  }
  return parts.join('/');
}
