import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { EdgeError } from './errors.ts';
import { argvField, localPathField, nameField, timeoutField } from './fields.ts';
import { parameterSchema, valueTypeSchema } from './typed-value.ts';

/** It stands in every plan that has it, and in each task that runs it; a longer one is a program of a release. */
export const MOST_SCRIPT_BYTES = 65_536;

/** Of a parameter or an output: also the last part of EDGE_PARAM_<NAME>. */
export const valueNameField = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,47}$/, 'lower-case letters, digits and underscores, a letter first, 48 at most');

const few = <T>(record: Readonly<Record<string, T>>): boolean => Object.keys(record).length <= 32;

export const interpreterField = argvField.refine(
  ([program = '']) => program.startsWith('/'),
  'a program by its absolute path, such as [/bin/sh]',
);

export const scriptRequestSchema = z
  .strictObject({
    kind: z.literal('script').describe('Says what this document is.'),
    name: nameField.describe('Name of the script; steps of strategies name it.'),
    description: z.string().max(1_000).exactOptional().describe('What it does, for people.'),
    content: z.string().max(MOST_SCRIPT_BYTES).exactOptional().describe('The script itself.'),
    path: localPathField
      .exactOptional()
      .describe('Or the file that holds it, on the machine of the server; it is read now. 64 KB at most.'),
    interpreter: interpreterField
      .exactOptional()
      .describe(
        'What runs it, its path being added as the last word. Left out: as its first line says, `#!` and an absolute path.',
      ),
    parameters: z
      .record(valueNameField, parameterSchema)
      .refine(few, '32 at most')
      .default({})
      .describe('What it takes, each as EDGE_PARAM_<NAME> of its environment.'),
    outputs: z
      .record(valueNameField, valueTypeSchema)
      .refine(few, '32 at most')
      .default({})
      .describe('What it gives: all of them, as lines `name=value` of the file that EDGE_OUTPUTS names.'),
    timeoutMs: timeoutField.default(60_000).describe('Longest time for a step that runs it.'),
  })
  .refine(({ content, path }) => (content === undefined) !== (path === undefined), {
    path: ['content'],
    message: 'give content or path: one of them',
  })
  .describe('A script that steps of strategies run on targets.');
/** A script as it is handed in; who can read its file makes it one: see `makeScript`. */
export type ScriptRequest = DeepReadonly<z.infer<typeof scriptRequestSchema>>;

/** A script as it is kept, whole. */
export type Script = Omit<ScriptRequest, 'content' | 'path' | 'interpreter'> & {
  readonly content: string;
  readonly interpreter: readonly string[];
};

/** As much of a script as a step that names it must fit to. */
export type ScriptShape = Pick<Script, 'name' | 'parameters' | 'outputs'>;

/** The script of a request, with what was read. Throws `config_invalid` for what no host could run. */
export function makeScript(
  { content: _content, path: _path, interpreter, ...rest }: ScriptRequest,
  content: string,
): Script {
  const wrong = (message: string, hint?: string) =>
    new EdgeError('config_invalid', `The script ${rest.name} ${message}`, {
      where: { path: 'content' },
      ...(hint !== undefined && { hint }),
    });
  if (content.includes('\0') || !content.isWellFormed()) throw wrong('is not text in UTF-8');
  const bytes = Buffer.byteLength(content);
  if (bytes > MOST_SCRIPT_BYTES)
    throw wrong(
      `has ${bytes} bytes; ${MOST_SCRIPT_BYTES} are possible`,
      'Put what it needs into the release, and call it from there.',
    );
  const [first = ''] = content.split('\n', 1);
  if (first.startsWith('#!') && first.endsWith('\r'))
    throw wrong('has lines that end with a carriage return', 'Save it with the line ends of Unix.');
  const runs = interpreter ?? interpreterOf(first);
  if (!runs)
    throw wrong(
      'does not say what runs it',
      'Begin it with a line such as #!/bin/sh, or name its `interpreter`: an absolute path.',
    );
  return { ...rest, content, interpreter: runs };
}

/** As a kernel reads it: one program, and all that follows as one word. */
function interpreterOf(line: string): readonly string[] | undefined {
  const [, program, word] = /^#![ \t]*(\/[^ \t]+)(?:[ \t]+(.*[^ \t]))?[ \t]*$/.exec(line) ?? [];
  if (program === undefined) return undefined;
  return word === undefined ? [program] : [program, word];
}
