import type { ResolveTask } from '../domain/command.ts';
import type { Event } from '../domain/event.ts';
import { parseTaskId } from '../domain/ids.ts';
import { at } from './chunks.ts';
import type { Facts } from './facts.ts';
import { type Model, placeOf, stepOf, stepsOf } from './model.ts';
import { currentTask } from './pending.ts';
import { isOpen, isToCome } from './running.ts';
import type { DeploymentState, TargetState } from './state.ts';

type Resolve = ResolveTask & { readonly by: string };

/** The result of a task as a person sets it, or why it cannot be set (docs/decisions/0014). */
export function resolveTask(
  model: Model,
  state: DeploymentState,
  command: Resolve,
  facts: Facts,
): readonly Event[] | string {
  const { target, step, group } = parseTaskId(command.task);
  if (model.plan.targets[target] === undefined) return 'the plan has no such target';
  const record = at(state.targets, target);
  if (state.stop) return 'the deployment is stopping';
  if (record.status !== 'failed' && record.status !== 'unknown') return `the target is ${record.status}`;
  if (isToCome(model, state, target)) return "the turn of the target's batch has not come; retry it";
  if (!isOpen(model, state, target)) return "the target's batch is over; deploy again";
  if (command.task !== currentTask(model, state, target)) return 'the target has been worked on since';
  const { as, by, reason } = command;
  const resolved: Event = { kind: 'task.resolved', target, step, group, as, by, reason };
  if (as === 'failed') return record.status === 'failed' ? 'the target is failed' : [resolved];
  const why = whyNotSucceeded(model, record, command, facts);
  if (why !== undefined) return why;
  const { held } = record;
  return [
    resolved,
    ...(held ? [{ kind: 'capacity.taken', target, members: held } as const] : []),
    ...(step === stepsOf(model, target).length - 1 ? [{ kind: 'target.succeeded', target } as const] : []),
  ];
}

/** A person may say how work on a host ended, once it has: never what balancers show, nor what later steps read. */
function whyNotSucceeded(
  model: Model,
  record: TargetState,
  { task, ended }: Resolve,
  facts: Facts,
): string | undefined {
  const { target, step } = parseTaskId(task);
  const { id, hold } = stepOf(model, target, step);
  if (hold === 'take' || hold === 'give')
    return 'what is in service is what balancers show; retry the target, or skip it';
  if (model.kept[placeOf(model, target).of.sequence]?.has(id))
    return 'a later step needs what this one would have said; retry the target, or skip it';
  if (record.mayRun === 'at-worker')
    return 'nobody has proved that its worker let go of it; retry the target, or skip it';
  if (record.mayRun && !ended) return 'it may still run; see that it has ended, and say so';
  const isTheirs = record.held?.every((member) => facts.holds.of(member)?.deployment === model.id) ?? true;
  return isTheirs ? undefined : 'another deployment has taken its members since';
}
