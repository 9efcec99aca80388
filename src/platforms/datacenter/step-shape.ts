import { z } from 'zod';
import { capabilityOf } from '../../actions/define.ts';
import { COMMON_ACTIONS } from '../../actions/registry.ts';
import type { Work } from '../../domain/further-step.ts';
import type { ScriptShape } from '../../domain/script.ts';
import type { Scripts } from '../../domain/strategy.ts';
import { valueSchema } from '../../domain/typed-value.ts';
import type { Action } from '../../ports/action.ts';

type Fields = Readonly<Record<string, z.core.$ZodType>>;

/** What a step of a strategy's own takes and gives. `own`: what of it the strategy says; `needed`: what it has to. */
export type StepShape = {
  readonly what: string;
  readonly takes: Fields;
  readonly own: readonly string[];
  readonly needed: readonly string[];
  readonly gives: Fields;
};

const SCRIPT_RUN = 'script.run@1';

/** What a step may name: actions, and scripts. */
export type Known = { readonly scripts: Scripts; readonly actions: ReadonlyMap<string, Action> };

/** The actions that a step may name, those of plug-ins as well. A script is named by itself. */
export function actionsFor(ofPlugins: readonly Action[]): Known['actions'] {
  const all = [...COMMON_ACTIONS, ...ofPlugins].map((action) => [capabilityOf(action), action] as const);
  return new Map(all.filter(([capability]) => capability !== SCRIPT_RUN));
}

/** What the platform gives, so that a step works on its own target and nowhere else. */
const GIVEN: ReadonlySet<string> = new Set([
  ...['host', 'release', 'url', 'address', 'port', 'members', 'balancers', 'mask', 'ifUnknown'],
  'outcome',
]);
const DEFAULTED: ReadonlySet<string> = new Set([...GIVEN, 'cwd', 'env', 'sudoUser', 'graceMs']);

/** Nothing for an action, or a script, that is not there. */
export function shapeOf(item: Work, { scripts, actions }: Known): StepShape | undefined {
  if (item.script === undefined) return shapeOfAction(item.action ?? '', actions);
  const script = scripts.get(item.script);
  return script && shapeOfScript(script);
}

function shapeOfAction(capability: string, actions: Known['actions']): StepShape | undefined {
  const action = actions.get(capability);
  if (!action) return undefined;
  const takes = fieldsOf(action.inputs);
  const own = Object.keys(takes).filter((name) => !GIVEN.has(name));
  const needed = own
    .filter((name) => !DEFAULTED.has(name))
    .filter((name) => !z.safeParse(takes[name] ?? z.unknown(), undefined).success);
  return { what: capability, takes, own, needed, gives: fieldsOf(action.outputs) };
}

function shapeOfScript({ name, parameters, outputs }: ScriptShape): StepShape {
  const all = Object.entries(parameters);
  return {
    what: `The script ${name}`,
    takes: Object.fromEntries(all.map(([key, parameter]) => [key, valueSchema(parameter)])),
    own: Object.keys(parameters),
    needed: all.filter(([, parameter]) => parameter.default === undefined).map(([key]) => key),
    gives: Object.fromEntries(Object.entries(outputs).map(([key, type]) => [key, valueSchema(type)])),
  };
}

export const fieldsOf = (schema: unknown): Fields => (schema instanceof z.ZodObject ? schema.shape : {});

/** As JSON names it. */
export function typeOf(schema: z.core.$ZodType): string {
  const { type } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return typeof type === 'string' ? type : 'anything';
}
