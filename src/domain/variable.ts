import { z } from 'zod';
import { nameField, secretRefField } from './fields.ts';
import type { SecretRef } from './secret.ts';
import { VARIABLE_NAME } from './template.ts';

/** Where a file is made: what its variables may depend on. */
export type Scope = { readonly environment: string; readonly zone: string; readonly target: string };

/** A text, or where the worker finds it when it makes the file (contract C11). */
export type VariableValue = string | SecretRef;

/** What Edge itself gives a value; a release defines none of this beginning. */
export const BUILT_IN = 'edge.';

export const variableSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        VARIABLE_NAME,
        'letters, digits, dots, dashes and underscores, with a letter or underscore first; 100 at most',
      )
      .refine((name) => !name.startsWith(BUILT_IN), `names that begin with ${BUILT_IN} are Edge's own`)
      .describe('Its name, as templates have it in two braces.'),
    value: z
      .string('a text; put numbers in quotes')
      .max(32_768)
      .regex(/^[^\0]*$/, 'a text without NUL')
      .exactOptional()
      .describe('Its value. One of several lines may only be used where nothing else stands on the line.'),
    secret: secretRefField
      .exactOptional()
      .describe('Or where the worker finds its value; no plan, event or log ever holds it.'),
    environment: nameField.exactOptional().describe('Only in this environment.'),
    zone: nameField.exactOptional().describe('Only in this zone of the environment.'),
    target: nameField.exactOptional().describe('Only on this target of the environment.'),
  })
  .refine(({ value, secret }) => (value === undefined) !== (secret === undefined), {
    path: ['value'],
    message: 'give value or secret: one of them',
  })
  .refine(
    ({ environment, zone, target }) =>
      environment !== undefined || (zone === undefined && target === undefined),
    { path: ['environment'], message: 'a zone or a target is one of an environment: name it' },
  )
  .refine(({ zone, target }) => zone === undefined || target === undefined, {
    path: ['zone'],
    message: 'give zone or target, not both: a target is in one zone anyway',
  });
/** A value of a variable, and where it holds. */
export type Variable = {
  readonly name: string;
  readonly value?: string;
  readonly secret?: SecretRef;
} & Partial<Scope>;

/** The first of them that says the same as another one about the same place. */
export function repeated(variables: readonly Variable[]): Variable | undefined {
  const seen = new Set<string>();
  return variables.find((variable) => {
    const key = JSON.stringify(placeOf(variable));
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}

const placeOf = ({ name, environment, zone, target }: Variable) => [
  name,
  environment ?? null,
  zone ?? null,
  target ?? null,
];

/** In one order, whatever the order in which they were written: it says nothing, since the nearest wins. */
export function inOrder(variables: readonly Variable[]): readonly Variable[] {
  return variables
    .map((variable) => [JSON.stringify(placeOf(variable)), variable] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, variable]) => variable);
}

/** The values at one place: what is said of the target goes before what is said of its zone, environment, and everywhere. */
export function valuesAt(variables: readonly Variable[], scope: Scope): ReadonlyMap<string, VariableValue> {
  const holding = variables
    .filter((variable) => holdsAt(variable, scope))
    .sort((a, b) => nearness(a) - nearness(b));
  return new Map(holding.map(({ name, value, secret }) => [name, secret ?? value ?? '']));
}

const holdsAt = ({ environment, zone, target }: Variable, scope: Scope): boolean =>
  (environment === undefined || environment === scope.environment) &&
  (zone === undefined || zone === scope.zone) &&
  (target === undefined || target === scope.target);

function nearness({ environment, zone, target }: Variable): number {
  if (target !== undefined) return 3;
  if (zone !== undefined) return 2;
  return environment === undefined ? 0 : 1;
}
