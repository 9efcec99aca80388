import { z } from 'zod';
import type { SecretRef } from './secret.ts';

/** Fields that several documents share. Each says in its message how to write it. */

const pattern = (expression: RegExp, advice: string) => z.string().regex(expression, advice);

/** A name that is safe in a path, a URL and a terminal. */
export const nameField = pattern(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  'a name has 1 to 63 letters, digits, dots, dashes or underscores, and starts with a letter or digit',
);

export const versionField = pattern(
  /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
  'a version has 1 to 64 letters, digits, dots, dashes, plus signs or underscores, and starts with a letter or digit',
);

/** A name of a balancer's own, such as `web-1:8080` or `/Common/web`. */
export const vendorNameField = pattern(/^[^\s|\p{Cc}]{1,255}$/u, 'a name without spaces and bars (|)');

export const hostField = pattern(/^[A-Za-z0-9_.:-]{1,253}$/, 'a host name or an IP address, without a port');

export const portField = z.int('a port is a number from 1 to 65535').min(1).max(65_535);

/** Absolute, or below the home folder of the user who runs the command. */
export const remoteFolderField = pattern(
  /^(\/|~\/)(?!\.\.?(\/|$))[^\p{Cc}]{1,1023}$/u,
  'an absolute path on the hosts, such as /srv/web, or one below the home folder, such as ~/web',
).refine((path) => !path.split('/').includes('..'), 'a path without ".."');

export const localPathField = pattern(/^[^\p{Cc}]{1,1024}$/u, 'a path of a file');

/** A text in which these words, in braces, stand for something: `web/{name}:8080`. */
export const composedField = (words: readonly string[]) =>
  pattern(
    new RegExp(`^(?:[^\\p{Cc}\\s{}]|\\{(?:${words.join('|')})\\}){1,255}$`, 'u'),
    `a text without spaces, in which ${words.map((word) => `{${word}}`).join(', ')} may stand`,
  );

/** The text with what its words stand for; none where one of them stands for nothing. */
export function composed(
  form: string,
  words: Readonly<Record<string, string | number | undefined>>,
): string | undefined {
  let isWhole = true;
  const text = form.replaceAll(/\{(\w+)\}/g, (_, word: string) => {
    const value = Object.hasOwn(words, word) ? words[word] : undefined;
    isWhole &&= value !== undefined;
    return String(value);
  });
  return isWhole ? text : undefined;
}

const MAX_MS = 7 * 24 * 3_600_000;
export const durationField = z.int('a whole number of milliseconds').min(0).max(MAX_MS);
export const timeoutField = z.int('a whole number of milliseconds').min(1).max(MAX_MS);
export const countField = z.int('a whole number').min(0).max(1_000_000);

const AMOUNT = 'a count such as 3, or a share such as 25%';
const percentField = pattern(/^(100|[1-9]?[0-9])%$/, AMOUNT);
/** A count, or a share of something as `25%`. */
export const amountField = z.union([countField, percentField], AMOUNT);
export type Amount = z.infer<typeof amountField>;

const argumentField = pattern(/^[^\0]*$/, 'a text without NUL').max(32_768);
/** A command as a list of arguments; no shell reads it. */
export const argvField = z
  .array(argumentField, 'a list of arguments, such as [bin/start, --port, "8080"]')
  .min(1, 'a command has at least one argument')
  .max(256);

/** What follows when nobody saw how a command ended. */
export const ifUnknownField = z.union(
  [z.literal('retry'), z.strictObject({ check: argvField.describe('Exit status 0: it has done its work.') })],
  'retry, or { check: command }',
);

export const secretRefField = z.strictObject({
  source: z.enum(['env', 'file']).describe('Where the worker finds it: an environment variable or a file.'),
  name: z
    .string()
    .min(1)
    .describe('Name of the variable, or path of the file, on the machine of the worker.'),
}) satisfies z.ZodType<SecretRef>;

const VARIABLE = 'a variable has letters, digits and underscores, and does not start with a digit';
/** Environment variables of a command: plain texts, or references to secrets. */
export const envField = z.record(
  pattern(/^[A-Za-z_][A-Za-z0-9_]*$/, VARIABLE),
  z.union(
    [
      z
        .string()
        .max(32_768)
        .regex(/^[^\0]*$/, 'a text without NUL'),
      secretRefField,
    ],
    'a text (put numbers in quotes), or a secret as { source, name }',
  ),
);
export type EnvValues = z.infer<typeof envField>;

export const budgetField = z
  .strictObject({
    count: z
      .int()
      .min(1)
      .exactOptional()
      .describe('This many failed targets stop the deployment; 1: the first.'),
    percent: z.number().gt(0).max(100).exactOptional().describe('Or this share of the targets, rounded up.'),
  })
  .refine(
    (budget) => budget.count !== undefined || budget.percent !== undefined,
    'give count, percent or both',
  );
