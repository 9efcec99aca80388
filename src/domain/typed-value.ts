import { z } from 'zod';
import { listOf } from '../lib/list-of.ts';
import type { DeepReadonly } from '../lib/types.ts';
import { LONGEST_TEXT, longestFor, patternFault, wholePattern } from '../lib/whole-pattern.ts';

/** What a script is given or gives: small, in one line, and of a type that was declared. */
export type TypedValue = string | number | boolean;

/** In one line: a value that could end its line would begin another. One that is too long is looked at no further. */
const lineUpTo = (longest: number) =>
  z
    .string('a text')
    .max(longest, { abort: true, error: `text of at most ${longest} characters` })
    .regex(/^\P{Cc}*$/u, 'text in one line, without control characters')
    .refine((text) => text.isWellFormed(), 'text that is whole Unicode');
const lineField = lineUpTo(LONGEST_TEXT);

const patternField = z
  .string()
  .superRefine((pattern, context) => {
    const message = patternFault(pattern);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .describe('Regular expression that the whole value matches, from its first character to its last.');

const type = (name: string) => `Its type: \`${name}\`.`;
const TYPES = {
  string: { type: z.literal('string').describe(type('string')), pattern: patternField },
  integer: {
    type: z.literal('integer').describe(type('integer')),
    min: z.int().exactOptional().describe('The least.'),
    max: z.int().exactOptional().describe('The most.'),
  },
  enum: {
    type: z.literal('enum').describe(type('enum')),
    values: z.array(lineField.min(1)).min(1).max(100).describe('One of these texts.'),
  },
  boolean: { type: z.literal('boolean').describe(type('boolean')) },
} as const;

const WORD = 'type is string, integer, enum or boolean';

/** A type as it is declared for an output. */
export const valueTypeSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject(TYPES.string),
    z.strictObject(TYPES.integer),
    z.strictObject(TYPES.enum),
    z.strictObject(TYPES.boolean),
  ],
  WORD,
);
export type ValueType = DeepReadonly<z.infer<typeof valueTypeSchema>>;

const preset = {
  default: z
    .union([z.string(), z.int(), z.boolean()])
    .exactOptional()
    .describe('What holds if it is left out; without one it is needed.'),
};

/** A type as it is declared for a parameter. */
export const parameterSchema = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ ...TYPES.string, ...preset }),
      z.strictObject({ ...TYPES.integer, ...preset }),
      z.strictObject({ ...TYPES.enum, ...preset }),
      z.strictObject({ ...TYPES.boolean, ...preset }),
    ],
    WORD,
  )
  .superRefine((parameter, context) => {
    if (parameter.default === undefined) return;
    const parsed = valueSchema(parameter).safeParse(parameter.default);
    if (!parsed.success)
      context.addIssue({ code: 'custom', path: ['default'], message: messageOf(parsed.error) });
  });
export type Parameter = DeepReadonly<z.infer<typeof parameterSchema>>;

/** The values of a type. */
export function valueSchema(of: ValueType): z.ZodType<TypedValue> {
  switch (of.type) {
    case 'string':
      return lineUpTo(longestFor(of.pattern)).regex(
        wholePattern(of.pattern),
        `a text that matches ${of.pattern} as a whole`,
      );
    case 'integer':
      return integers(of);
    case 'enum':
      return z.enum(of.values, `one of ${listOf(of.values)}`);
    case 'boolean':
      return z.boolean('true or false');
    default:
      return of satisfies never;
  }
}

function integers({ min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }: Bounds): z.ZodInt {
  const from = min === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${min}`;
  const upTo = max === Number.MAX_SAFE_INTEGER ? '' : ` of at most ${max}`;
  const what = `a whole number${[from, upTo].filter((bound) => bound !== '').join(' and')}`;
  return z.int(what).min(min, what).max(max, what);
}
type Bounds = { readonly min?: number; readonly max?: number };

/** What a value is not, and should be, in words; `undefined` if it is of the type. The value is not in it. */
export function valueFault(of: ValueType, value: unknown): string | undefined {
  const parsed = valueSchema(of).safeParse(value);
  return parsed.success ? undefined : messageOf(parsed.error);
}

const messageOf = ({ issues }: z.ZodError): string => issues[0]?.message ?? 'of its type';

/** A text as a value of a type, as a script writes it; what is none comes back as it is, for `valueFault` to tell. */
export function valueOfText(of: ValueType, text: string): TypedValue {
  if (of.type === 'integer' && /^-?(0|[1-9]\d{0,15})$/.test(text)) return Number(text);
  if (of.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
