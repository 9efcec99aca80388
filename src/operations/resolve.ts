import { type TaskId, taskId } from '../domain/ids.ts';
import { readsOf, type Step, verifies } from '../domain/plan.ts';
import type { DeploymentView, TargetView } from '../projections/deployment-view.ts';
import { authorize, type Caller } from './caller.ts';
import { planOf } from './deployments.ts';
import type { OperationPorts } from './ports.ts';
import {
  isInOpenBatch,
  isToCome,
  refused,
  refusedTarget,
  type Steered,
  submit,
  type TargetInput,
  targetAtRest,
} from './steer.ts';

export type ResolveInput = TargetInput & {
  readonly as: 'succeeded' | 'failed';
  /** The step that the person means; else the one at which the target ended. */
  readonly step?: string;
  /** The person has seen that nothing of it runs any more. */
  readonly ended: boolean;
};

/**
 * A person says how a step ended that failed or is unknown (docs/decisions/0014). What keeps traffic from a target that is not
 * ready, drain and verify, needs `target.vouch` beside `target.resolve`. Throws `deployment_unknown`, `deployment_ended`,
 * `target_unknown`, `target_active`, `verb_refused`, `permission_denied`.
 */
export async function resolveTarget(
  ports: OperationPorts,
  caller: Caller,
  input: ResolveInput,
): Promise<Steered> {
  authorize(caller, 'target.resolve');
  const { view, target } = await targetAtRest(ports, caller, input);
  if (target.status !== 'failed' && target.status !== 'unknown')
    throw refusedTarget(input, `is ${target.status}; only what failed or is unknown is set by hand`);
  if (input.as === target.status) throw refusedTarget(input, `is ${target.status}`);
  if (view.overall.stopping) throw refused(input.deployment, 'is stopping');
  if (isToCome(view, target)) throw refusedTarget(input, 'is of a batch whose turn has not come; retry it');
  if (!isInOpenBatch(view, target)) throw refusedTarget(input, 'is of a batch that is over; deploy again');
  if (input.step !== undefined && input.step !== target.step)
    throw refusedTarget(input, `ended at the step ${target.step}, not at ${input.step}`);
  const { index, step, isRead } = await stepOf(ports, input, { view, target });
  if (input.as === 'succeeded' && isRead)
    throw refusedTarget(
      input,
      `ended at the step ${step.id}: a later step needs what it would have said; retry it, or skip it`,
    );
  if (input.as === 'succeeded') checkSucceeded(caller, input, { target, step });
  const task: TaskId = taskId({
    deployment: input.deployment,
    target: target.index,
    step: index,
    group: target.group,
  });
  const { as, ended, reason } = input;
  return submit(ports, caller, {
    deployment: input.deployment,
    body: { kind: 'resolve', task, as, ended, reason },
  });
}

type Seen = { readonly view: DeploymentView; readonly target: TargetView };

async function stepOf(
  { views }: OperationPorts,
  input: ResolveInput,
  { view, target }: Seen,
): Promise<{ readonly index: number; readonly step: Step; readonly isRead: boolean }> {
  const plan = await planOf(views, input.deployment);
  const { sequence = '' } =
    view.batches.find(
      ({ stage, lane, batch }) => stage === target.stage && lane === target.lane && batch === target.batch,
    ) ?? {};
  const steps = plan.sequences[sequence] ?? [];
  const index = steps.findIndex(({ id }) => id === target.step);
  const step = steps[index];
  if (!step) throw refusedTarget(input, 'has not begun a step');
  const isRead = steps.some(({ inputs }) =>
    Object.values(inputs).some((of) => readsOf(of).includes(step.id)),
  );
  return { index, step, isRead };
}

const keepsTrafficAway = (step: Step): boolean => verifies(step) || step.action.startsWith('balancer.drain@');

/** The engine decides again; here a refusal is an answer. */
function checkSucceeded(
  caller: Caller,
  input: ResolveInput,
  { target, step }: { readonly target: TargetView; readonly step: Step },
): void {
  if (step.hold === 'take' || step.hold === 'give')
    throw refusedTarget(
      input,
      `ended at the step ${step.id}: what is in service is what balancers show, so its result is not set by hand`,
    );
  if (target.mayRun && target.worker === null)
    throw refusedTarget(
      input,
      `ended at the step ${step.id}, and nobody has proved that its worker let go of it: retry it, or skip it`,
    );
  if (target.mayRun && !input.ended)
    throw refusedTarget(
      input,
      `ended at the step ${step.id}, which may still run: look, and say with --ended that nothing of it does`,
    );
  if (keepsTrafficAway(step)) authorize(caller, 'target.vouch');
}
