import type { Hook } from '../../domain/hook.ts';
import type { CheckSteps, StepProblem } from '../../domain/strategy.ts';
import { checkInputs, type Path } from './check-inputs.ts';
import { checkUnknown, unknownWork } from './check-steps.ts';
import { outputOf } from './listed-steps.ts';
import { type Known, shapeOf } from './step-shape.ts';

type Checked = Parameters<CheckSteps>[0];

/** What is wrong with the hooks of a strategy: each stands alone, so that it cannot read what another has given. */
export const checkHooks = ({ hooks = [] }: Checked, known: Known): readonly StepProblem[] =>
  hooks.flatMap((hook, index): readonly StepProblem[] => {
    const at = ['hooks', index];
    const isTaken = hooks.slice(0, index).some(({ id }) => id === hook.id);
    if (isTaken) return [{ path: at, message: `The hook "${hook.id}" is there twice` }];
    const shape = shapeOf(hook, known);
    if (!shape) return [unknownWork(hook, at, known)];
    return [
      ...readsNothing(hook, at),
      ...asksNoBalancer(hook, at),
      ...checkInputs(hook, at, shape),
      ...checkUnknown(hook, at, Object.keys(shape.gives).length > 0),
    ];
  });

const readsNothing = ({ with: inputs }: Hook, at: Path): readonly StepProblem[] =>
  Object.entries(inputs).flatMap(([name, value]) =>
    outputOf(value)
      ? [{ path: [...at, 'with', name], message: 'A hook reads no output of another step' }]
      : [],
  );

/** A balancer knows of members, and a hook is none. */
function asksNoBalancer({ with: { check } }: Hook, at: Path): readonly StepProblem[] {
  const isBalancer =
    typeof check === 'object' && check !== null && 'kind' in check && check.kind === 'balancer';
  const message = 'A hook cannot ask a balancer: it has no member';
  return isBalancer ? [{ path: [...at, 'with', 'check', 'kind'], message }] : [];
}
