import type { FurtherStep, Work } from '../../domain/further-step.ts';
import type { CheckSteps, CycleStep, InlineStrategy, StepList, StepProblem } from '../../domain/strategy.ts';
import { didYouMean } from '../../lib/nearest.ts';
import { checkInputs, checkOutputs, type Path } from './check-inputs.ts';
import { type Known, shapeOf } from './step-shape.ts';

type Checked = Parameters<CheckSteps>[0];

/**
 * What a list of steps may not do, so that the promises hold whatever it says (docs/decisions/0015): guard before drain before
 * all that touches the service, verify after start, enable after verify; what protects is left out on purpose or not at all.
 */
export const checkSteps = ({ steps, without = [] }: Checked, known: Known): readonly StepProblem[] => {
  const list = steps?.datacenter;
  if (!list) {
    const message = '`without` says what `steps` leaves out, and there are no steps';
    const hint = 'List the steps, or take `without` out.';
    return without.length > 0 ? [{ path: ['without'], message, hint }] : [];
  }
  const found = [...checkNames(list), ...checkCycle(list, without), ...checkFurther(list, without, known)];
  return found.length > 0 ? found : checkOutputs(list, known);
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

/** These touch nothing of a service. */
const HARMLESS: ReadonlySet<string> = new Set(['health.verify@1', 'wait.settle@1']);

function checkFurther(list: StepList, without: Without, known: Known): readonly StepProblem[] {
  return list.flatMap((item, index) => {
    if (typeof item === 'string') return [];
    const shape = shapeOf(item, known);
    if (!shape) return [unknownWork(item, at(index), known)];
    return [
      ...checkPlace(list, index, { item, without }),
      ...checkInputs(item, at(index), shape),
      ...checkUnknown(item, at(index), Object.keys(shape.gives).length > 0),
    ];
  });
}

export function unknownWork(item: Work, path: Path, { scripts, actions }: Known): StepProblem {
  const { action = '', script } = item;
  if (script === undefined) {
    const message = `There is no action "${action}" for a step of your own`;
    return { path: [...path, 'action'], message, hint: didYouMean(action, actions.keys()) };
  }
  const code = 'config_reference';
  const message = `There is no script "${script}"`;
  return { path: [...path, 'script'], code, message, hint: didYouMean(script, scripts.keys()) };
}

export function checkUnknown(item: Work, at: Path, gives: boolean): readonly StepProblem[] {
  const { onUnknown, action } = item;
  if (onUnknown === undefined) return [];
  const path = [...at, 'onUnknown'];
  if (action !== undefined && !action.startsWith('host.run@'))
    return [{ path, message: 'onUnknown is of commands; this step looks again by itself' }];
  const isBlind = item.script !== undefined && gives && typeof onUnknown === 'object';
  return isBlind ? [{ path, message: 'A check cannot tell what a script would have given' }] : [];
}

type Placed = { readonly item: FurtherStep; readonly without: Without };

/** Between drain and verify nobody is served; elsewhere a step must leave the service alone. */
function checkPlace(list: StepList, index: number, { item, without }: Placed): readonly StepProblem[] {
  const isHarmless = item.action !== undefined && HARMLESS.has(item.action);
  if (item.whileServing || isHarmless || without.includes('drain')) return [];
  const ends = list.indexOf(list.includes('verify') ? 'verify' : 'enable');
  if (index > list.indexOf('drain') && index < ends) return [];
  const message = `The step "${item.id}" is done while the target serves, or after it was verified`;
  const hint =
    'Put it between drain and verify, or say `whileServing: true` if it changes nothing of the service.';
  return [{ path: at(index), message, hint }];
}
