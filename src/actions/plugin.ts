import { z } from 'zod';
import { EdgeError } from '../domain/errors.ts';
import type { Action } from '../ports/action.ts';
import { capabilityOf } from './define.ts';

/** What adds kinds of work to Edge: those of Edge itself are added by the same way. */
export type Plugin = {
  /** Of a plug-in from elsewhere its actions are named `<name>.<what they do>`. */
  readonly name: string;
  readonly actions: readonly Action[];
};

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const ACTION = /^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)+$/;

const isFunction = (value: unknown): boolean => typeof value === 'function';
const actionSchema = z.looseObject({
  name: z.string().regex(ACTION, 'a name such as acme.warm-cache'),
  major: z.int('a whole number').min(1, 'from 1 on').max(999),
  // By its fields a step is checked when it is applied, long before anything runs.
  inputs: z.instanceof(z.ZodObject, { error: 'a zod object' }),
  outputs: z.custom((value) => isFunction((value as { parse?: unknown } | null)?.parse), 'a zod schema'),
  fences: z.boolean('true or false: whether one that wakes up late can do no harm'),
  apply: z.custom(isFunction, 'a function'),
  cancel: z.custom(isFunction, 'a function').optional(),
});
const pluginSchema = z.looseObject({
  name: z.string().regex(NAME, 'letters, digits and dashes'),
  actions: z.array(actionSchema).min(1, 'at least one'),
});

/** Checks what it is given: somebody else may have written it. Throws `settings_invalid`. */
export function definePlugin(plugin: Plugin): Plugin {
  const parsed = pluginSchema.safeParse(plugin);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.join('.') ?? '';
    throw new EdgeError(
      'settings_invalid',
      `A plug-in is not whole: ${path === '' ? 'it' : path} has to be ${issue?.message}`,
    );
  }
  const names = plugin.actions.map(capabilityOf);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice)
    throw new EdgeError('settings_invalid', `The plug-in ${plugin.name} has the action ${twice} twice`);
  return plugin;
}
