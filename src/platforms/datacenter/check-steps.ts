import { z } from 'zod';
import { capabilityOf } from '../../actions/define.ts';
import { COMMON_ACTIONS } from '../../actions/registry.ts';
import type {
  CheckSteps,
  CycleStep,
  FurtherStep,
  InlineStrategy,
  StepList,
  StepProblem,
} from '../../domain/strategy.ts';
import { didYouMean } from '../../lib/nearest.ts';
import { SEQUENCES } from '../../plan/sequences.ts';
import { listedSteps, outputOf } from './listed-steps.ts';

/**
 * What a list of steps may not do, so that the promises hold whatever it says (docs/decisions/0015): guard before drain before
 * all that touches the service, verify after start, enable after verify; what protects is left out on purpose or not at all.
 */
export const checkSteps: CheckSteps = ({ steps, without = [] }) => {
  const list = steps?.datacenter;
  if (!list) {
    const message = '`without` says what `steps` leaves out, and there are no steps';
    const hint = 'List the steps, or take `without` out.';
    return without.length > 0 ? [{ path: ['without'], message, hint }] : [];
  }
  const found = [...checkNames(list), ...checkCycle(list, without), ...checkFurther(list, without)];
  return found.length > 0 ? found : checkOutputs(list);
};

const at = (index: number, ...path: readonly (string | number)[]) => ['steps', 'datacenter', index, ...path];
const nameOf = (item: StepList[number]): string => (typeof item === 'string' ? item : item.id);

/** Those that are done without being listed. */
const EDGES_OWN: ReadonlySet<string> = new Set([
  'fetch',
  'gate-close',
  'gate-open',
  'property-files',
  'reload',
]);

function checkNames(list: StepList): readonly StepProblem[] {
  return list.flatMap((item, index) => {
    const name = nameOf(item);
    const isTaken = list.slice(0, index).some((other) => nameOf(other) === name);
    const isEdges = EDGES_OWN.has(name);
    if (isTaken || isEdges)
      return [
        {
          path: at(index),
          message: `The step "${name}" is ${isTaken ? 'there twice' : "one of Edge's own, which are not listed"}`,
        },
      ];
    return [];
  });
}

/** The second may not come before the first. */
const ORDER: readonly (readonly [CycleStep, CycleStep])[] = [
  ['guard', 'drain'],
  ['drain', 'stop'],
  ['drain', 'install'],
  ['stop', 'start'],
  ['install', 'start'],
  ['start', 'verify'],
  ['start', 'enable'],
  ['verify', 'enable'],
  ['enable', 'settle'],
];
type Without = NonNullable<InlineStrategy['without']>;

function checkCycle(list: StepList, without: Without): readonly StepProblem[] {
  const place = (step: CycleStep) => list.indexOf(step);
  const order = ORDER.flatMap(([first, second]) => {
    const isWrong = place(first) >= 0 && place(second) >= 0 && place(second) < place(first);
    return isWrong ? [{ path: at(place(second)), message: `${second} comes before ${first}` }] : [];
  });
  const missing = (['stop', 'install', 'start'] as const)
    .filter((step) => place(step) < 0)
    .map((step) => ({ path: ['steps', 'datacenter'], message: `The steps have no ${step}` }));
  return [...order, ...missing, ...checkProtections(list, without)];
}

const PROTECTING = { drain: ['guard', 'drain', 'enable'], verify: ['verify'] } as const;

function checkProtections(list: StepList, without: Without): readonly StepProblem[] {
  return (['drain', 'verify'] as const).flatMap((protection) => {
    const steps = PROTECTING[protection];
    const isLeftOut = without.includes(protection);
    const wrong = steps.filter((step) => list.includes(step) === isLeftOut);
    return wrong.map((step) => ({
      path: isLeftOut ? at(list.indexOf(step)) : ['steps', 'datacenter'],
      message: isLeftOut
        ? `The steps have ${step}, and \`without\` says ${protection} is left out`
        : `The steps have no ${step}, which protects`,
      hint: isLeftOut
        ? `Take it out of one of the two${protection === 'drain' ? '; guard, drain and enable go together' : ''}.`
        : `Add it, or write \`without: [${protection}]\` if it is left out on purpose.`,
    }));
  });
}

const ACTIONS = new Map(COMMON_ACTIONS.map((action) => [capabilityOf(action), action]));
/** These touch nothing of a service. */
const HARMLESS: ReadonlySet<string> = new Set(['health.verify@1', 'wait.settle@1']);

/** What the platform gives, so that a step works on its own target and nowhere else. */
const GIVEN: ReadonlySet<string> = new Set([
  ...['host', 'release', 'url', 'address', 'port', 'members', 'balancers', 'mask', 'ifUnknown'],
]);
const DEFAULTED: ReadonlySet<string> = new Set([...GIVEN, 'cwd', 'env', 'sudoUser', 'graceMs']);

function checkFurther(list: StepList, without: Without): readonly StepProblem[] {
  return list.flatMap((item, index) => {
    if (typeof item === 'string') return [];
    const action = ACTIONS.get(item.action);
    if (!action) {
      const message = `There is no action "${item.action}" for a step of your own`;
      return [{ path: at(index, 'action'), message, hint: didYouMean(item.action, ACTIONS.keys()) }];
    }
    const unknown = item.onUnknown !== undefined && !item.action.startsWith('host.run@');
    const onUnknown = {
      path: at(index, 'onUnknown'),
      message: 'onUnknown is of commands; this step looks again by itself',
    };
    return [
      ...checkPlace(list, index, { item, without }),
      ...checkInputs(item, index),
      ...(unknown ? [onUnknown] : []),
    ];
  });
}

type Placed = { readonly item: FurtherStep; readonly without: Without };

/** Between drain and verify nobody is served; elsewhere a step must leave the service alone. */
function checkPlace(list: StepList, index: number, { item, without }: Placed): readonly StepProblem[] {
  if (item.whileServing || HARMLESS.has(item.action) || without.includes('drain')) return [];
  const ends = list.indexOf(list.includes('verify') ? 'verify' : 'enable');
  if (index > list.indexOf('drain') && index < ends) return [];
  const message = `The step "${item.id}" is done while the target serves, or after it was verified`;
  const hint =
    'Put it between drain and verify, or say `whileServing: true` if it changes nothing of the service.';
  return [{ path: at(index), message, hint }];
}

function shapeOf(schema: unknown): Readonly<Record<string, z.core.$ZodType>> {
  return schema instanceof z.ZodObject ? schema.shape : {};
}

function checkInputs(item: FurtherStep, index: number): readonly StepProblem[] {
  const shape = shapeOf(ACTIONS.get(item.action)?.inputs);
  const own = Object.keys(shape).filter((name) => !GIVEN.has(name));
  const written = Object.entries(item.with).flatMap(([name, value]): readonly StepProblem[] => {
    const path = at(index, 'with', name);
    const field = shape[name];
    if (!field || GIVEN.has(name)) {
      const message = field ? `${name} is given by the target` : `${item.action} has no input "${name}"`;
      return [{ path, message, hint: field ? 'Leave it out.' : didYouMean(name, own) }];
    }
    return outputOf(value) ? [] : checkValue(field, value, path);
  });
  const missing = own
    .filter((name) => !DEFAULTED.has(name) && !(name in item.with))
    .filter((name) => !z.safeParse(shape[name] ?? z.unknown(), undefined).success)
    .map((name) => ({ path: at(index), message: `${item.action} needs the input "${name}"` }));
  return [...written, ...missing];
}

function checkValue(
  field: z.core.$ZodType,
  value: unknown,
  path: readonly (string | number)[],
): readonly StepProblem[] {
  const parsed = z.safeParse(field, value);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => ({
    path: [...path, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))],
    message: `${String(path.at(-1))}: ${issue.message.replace(/^Invalid input: /, '')}`,
  }));
}

/** An output is of a step of the list that comes before, in every sequence, and of the type that is wanted (contract C5). */
function checkOutputs(list: StepList): readonly StepProblem[] {
  return list.flatMap((item, index) => {
    if (typeof item === 'string') return [];
    return Object.entries(item.with).flatMap(([name, value]) => {
      const ref = outputOf(value);
      const message = ref && wrongOutput(list, item, { name, ...ref });
      return message === undefined ? [] : [{ path: at(index, 'with', name), message }];
    });
  });
}

type Ref = { readonly name: string; readonly from: string; readonly output: string };

function wrongOutput(list: StepList, item: FurtherStep, { name, from, output }: Ref): string | undefined {
  const source = list.find((other) => typeof other !== 'string' && other.id === from);
  if (source === undefined || typeof source === 'string')
    return `There is no step "${from}" of your own whose output could be read`;
  const gives = shapeOf(ACTIONS.get(source.action)?.outputs)[output];
  if (!gives) return `${source.action} has no output "${output}"`;
  const takes = shapeOf(ACTIONS.get(item.action)?.inputs)[name];
  const [given, taken] = [typeOf(gives), takes && typeOf(takes)];
  if (given !== taken && !(given === 'integer' && taken === 'number'))
    return `${from} gives ${given}, and ${name} is ${taken}`;
  const without = SEQUENCES.find((sequence) => {
    const steps = listedSteps(sequence, { steps: { datacenter: [...list] } });
    const reader = steps.indexOf(item);
    return reader >= 0 && !steps.slice(0, reader).includes(source);
  });
  return without === undefined ? undefined : `"${from}" is not done before it in the sequence ${without}`;
}

function typeOf(schema: z.core.$ZodType): string {
  const { type } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return typeof type === 'string' ? type : 'anything';
}
