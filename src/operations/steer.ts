import type { CommandBody } from '../domain/command.ts';
import { EdgeError } from '../domain/errors.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { Status } from '../domain/status.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { DeploymentRow } from '../ports/views.ts';
import type { DeploymentView, Overall, TargetView } from '../projections/deployment-view.ts';
import { authorize, type Caller } from './caller.ts';
import { loadView, mustSee } from './deployments.ts';
import type { OperationPorts } from './ports.ts';

/**
 * The operator's verbs on a deployment that runs. Each looks where it stands, so that a refusal is an answer and not an
 * event that nobody reads; the engine decides again when the command is its turn.
 */

export type SteerInput = { readonly deployment: DeploymentId; readonly reason: string };
export type TargetInput = SteerInput & { readonly target: string };
export type Steered = { readonly deployment: DeploymentId };

/** Throws `deployment_unknown`, `deployment_ended`, `verb_refused`. */
export async function pause(ports: OperationPorts, caller: Caller, input: SteerInput): Promise<Steered> {
  authorize(caller, 'deployment.pause');
  await mustRun(ports, caller, input.deployment);
  const { overall } = await loadView(ports.views, input.deployment);
  refuseWaiting(overall, input.deployment);
  if (overall.stopping) throw refused(input.deployment, 'is stopping: what runs is brought to its end');
  return submit(ports, caller, {
    deployment: input.deployment,
    body: { kind: 'pause', reason: input.reason },
  });
}

/** Throws `deployment_unknown`, `deployment_ended`, `verb_refused`. */
export async function resume(ports: OperationPorts, caller: Caller, input: SteerInput): Promise<Steered> {
  authorize(caller, 'deployment.pause');
  const row = await mustRun(ports, caller, input.deployment);
  if (row.status !== 'paused') throw refused(input.deployment, `is ${row.status}, not paused`);
  return submit(ports, caller, {
    deployment: input.deployment,
    body: { kind: 'resume', reason: input.reason },
  });
}

/** Throws `deployment_unknown`, `deployment_ended`. */
export async function abort(ports: OperationPorts, caller: Caller, input: SteerInput): Promise<Steered> {
  authorize(caller, 'deployment.abort');
  await mustRun(ports, caller, input.deployment);
  return submit(ports, caller, {
    deployment: input.deployment,
    body: { kind: 'abort', reason: input.reason },
  });
}

const RETRIED: ReadonlySet<Status> = new Set<Status>(['failed', 'unknown', 'aborted']);

/** Throws `deployment_unknown`, `deployment_ended`, `target_unknown`, `target_active`, `verb_refused`. */
export async function retryTarget(
  ports: OperationPorts,
  caller: Caller,
  input: TargetInput,
): Promise<Steered> {
  authorize(caller, 'deployment.decide');
  const { view, target } = await targetAtRest(ports, caller, input);
  if (!RETRIED.has(target.status))
    throw refusedTarget(input, `is ${target.status}; only a failed one is retried`);
  if (view.overall.stopping) throw refused(input.deployment, 'is stopping');
  if (!isInOpenBatch(view, target) && !isToCome(view, target))
    throw refusedTarget(input, 'is of a batch that is over; deploy again, which leaves alone what is done');
  return submit(ports, caller, {
    deployment: input.deployment,
    body: { kind: 'retry', target: target.index, reason: input.reason },
  });
}

/**
 * Leaves a target out; one that is being worked on once its step has ended. Throws `deployment_unknown`, `deployment_ended`,
 * `target_unknown`, `verb_refused`.
 */
export async function skipTarget(
  ports: OperationPorts,
  caller: Caller,
  input: TargetInput,
): Promise<Steered> {
  authorize(caller, 'deployment.decide');
  const { view, target } = await targetOf(ports, caller, input);
  refuseWaiting(view.overall, input.deployment);
  if (target.status === 'succeeded' || target.status === 'skipped')
    throw refusedTarget(input, `is ${target.status}`);
  if (target.status === 'running' && view.overall.stopping) throw refused(input.deployment, 'is stopping');
  return submit(ports, caller, {
    deployment: input.deployment,
    body: { kind: 'skip', target: target.index, reason: input.reason },
  });
}

/** Throws `deployment_unknown`, `deployment_ended`. */
export async function mustRun(
  { views }: OperationPorts,
  caller: Caller,
  id: DeploymentId,
): Promise<DeploymentRow> {
  const row = await mustSee(views, caller, id);
  if (!row.ended) return row;
  throw new EdgeError('deployment_ended', `The deployment ${id} has ended: it ${row.status}`);
}

/** What people approve is the plan as they read it. */
export function refuseWaiting({ approvals }: Overall, id: DeploymentId): void {
  if (approvals?.waits) throw refused(id, 'waits for approvals, and nothing of it has begun');
}

export const refused = (id: DeploymentId, why: string): EdgeError =>
  new EdgeError('verb_refused', `The deployment ${id} ${why}`, {
    hint: `Run \`edge status ${id}\` to see where it stands.`,
  });

export const refusedTarget = ({ deployment, target }: TargetInput, why: string) =>
  new EdgeError('verb_refused', `The target ${target} ${why}`, {
    where: { target },
    hint: `Run \`edge status ${deployment}\` to see where it stands.`,
  });

type Found = { readonly view: DeploymentView; readonly target: TargetView };

async function targetOf(ports: OperationPorts, caller: Caller, input: TargetInput): Promise<Found> {
  await mustRun(ports, caller, input.deployment);
  const view = await loadView(ports.views, input.deployment);
  const target = view.targets.find(({ name }) => name === input.target);
  if (!target)
    throw new EdgeError('target_unknown', `The deployment has no target "${input.target}"`, {
      where: { target: input.target },
      hint: didYouMean(
        input.target,
        view.targets.map(({ name }) => name),
      ),
    });
  return { view, target };
}

export async function targetAtRest(
  ports: OperationPorts,
  caller: Caller,
  input: TargetInput,
): Promise<Found> {
  const { view, target } = await targetOf(ports, caller, input);
  if (target.status === 'running')
    throw new EdgeError(
      'target_active',
      target.step === null
        ? `The target ${target.name} has been started`
        : `The target ${target.name} is at the step ${target.step}`,
      {
        where: { target: target.name },
        hint: `Pause it with \`edge pause ${input.deployment}\`, and try again when the target is at rest.`,
      },
    );
  return { view, target };
}

export const isInOpenBatch = (view: DeploymentView, target: TargetView): boolean =>
  statusOfBatch(view, target) === 'running';

/** Whether the turn of its batch has not come. */
export const isToCome = (view: DeploymentView, target: TargetView): boolean =>
  statusOfBatch(view, target) === 'pending';

function statusOfBatch({ batches }: DeploymentView, target: TargetView): Status | undefined {
  return batches.find(
    ({ stage, lane, batch }) => stage === target.stage && lane === target.lane && batch === target.batch,
  )?.status;
}

/** Puts a command in the inbox of a deployment. */
export async function submit(
  { journal, ids }: OperationPorts,
  caller: Caller,
  { deployment, body }: { readonly deployment: DeploymentId; readonly body: CommandBody },
): Promise<Steered> {
  await journal.submit([{ deployment, command: { id: ids.command(), by: caller.name, ...body } }]);
  return { deployment };
}
