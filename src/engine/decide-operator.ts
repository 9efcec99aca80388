import type { Command } from '../domain/command.ts';
import type { Event } from '../domain/event.ts';
import type { Status } from '../domain/status.ts';
import { decideApproval, waitsForApprovals } from './approvals.ts';
import { at } from './chunks.ts';
import type { Facts } from './facts.ts';
import { isHook, type Model, targetOf } from './model.ts';
import { resolveTask } from './resolve-task.ts';
import { cancelling, cancellingAhead, isAtEnd, isOpen, isToCome } from './running.ts';
import type { DeploymentState } from './state.ts';

type Operator = Extract<
  Command,
  { kind: 'pause' | 'resume' | 'abort' | 'retry' | 'skip' | 'rollback' | 'resolve' | 'approve' | 'promote' }
>;

/** What is approved is the plan as it was read, with all its targets: nobody changes it meanwhile. */
const WHILE_IT_WAITS: ReadonlySet<Operator['kind']> = new Set(['approve', 'promote', 'abort']);

/** The operator's verbs. One that cannot be obeyed is refused with the reason, and changes nothing. */
export function decideOperator(
  model: Model,
  state: DeploymentState,
  command: Operator,
  facts: Facts,
): readonly Event[] {
  const { by, reason } = command;
  if (waitsForApprovals(model, state) && !WHILE_IT_WAITS.has(command.kind))
    return refused(command, 'it waits for approvals, and nothing of it has begun');
  switch (command.kind) {
    case 'approve':
    case 'promote': {
      const answer = decideApproval(model, state, command, facts);
      return typeof answer === 'string' ? refused(command, answer) : answer;
    }
    case 'pause': {
      if (state.status === 'paused') return [];
      if (state.stop) return refused(command, 'it is stopping');
      return [
        {
          kind: 'deployment.paused',
          cause: 'operator',
          by,
          reason,
          abortAt: facts.now + model.plan.policy.holdLimitMs,
        },
      ];
    }
    case 'resume':
      return resume(model, state, command, facts);
    case 'abort':
      return abort(model, state, command);
    case 'rollback':
      if (state.stop) return refused(command, 'it is stopping');
      if (model.plan.verb === 'rollback') return refused(command, 'it is a rollback itself');
      return [
        { kind: 'deployment.stopping', by, abort: false, reason, next: 'rollback', status: 'failed' },
        // Its rollback does what comes last, and waits for none of it here.
        ...(isAtEnd(model, state) ? cancelling(model, state) : cancellingAhead(model, state)),
      ];
    case 'retry':
    case 'skip':
      return ofTarget(model, state, command);
    case 'resolve': {
      const answer = resolveTask(model, state, command, facts);
      return typeof answer === 'string' ? refused(command, answer) : answer;
    }
    default:
      return command satisfies never;
  }
}

function refused(command: Operator, why: string): readonly Event[] {
  return [{ kind: 'command.refused', command: command.kind, by: command.by, why }];
}

/** Who was paused before it began starts now. What a hook was to see to is not accepted in passing: it is left out by its name. */
function resume(model: Model, state: DeploymentState, command: Operator, facts: Facts): readonly Event[] {
  if (state.status !== 'paused') return refused(command, 'it is not paused');
  const failed = failedHook(model, state);
  if (failed !== undefined)
    return refused(command, `${failed} is not done; retry it, or skip it, and resume then`);
  const { by, reason } = command;
  const resumed: Event = { kind: 'deployment.resumed', by, reason, at: facts.now };
  return state.stage < 0 ? [resumed, { kind: 'deployment.started' }] : [resumed];
}

/** Of the open batches. In a rollback, and at the end, a hook that fails stops nothing. */
function failedHook(model: Model, state: DeploymentState): string | undefined {
  if (model.plan.verb === 'rollback' || isAtEnd(model, state)) return undefined;
  const found = state.lanes
    .flatMap(({ batch }, lane) => model.plan.stages[state.stage]?.lanes[lane]?.batches[batch]?.targets ?? [])
    .find((target) => isHook(model, target) && FAILED.has(at(state.targets, target).status));
  return found === undefined ? undefined : targetOf(model, found).name;
}

const FAILED: ReadonlySet<Status> = new Set(['failed', 'unknown', 'aborted']);

/** Twice is once, but for the hooks that come last, each of which it ends; an abort while a rollback is being prepared takes the rollback back: the person has the last word. */
function abort(model: Model, state: DeploymentState, { by, reason }: Operator): readonly Event[] {
  if (state.stop?.abort) return isAtEnd(model, state) ? cancelling(model, state) : [];
  return [
    { kind: 'deployment.stopping', by, abort: true, reason, next: 'nothing', status: 'aborted' },
    ...cancelling(model, state),
  ];
}

type OfTarget = Extract<Operator, { kind: 'retry' | 'skip' }>;

function ofTarget(model: Model, state: DeploymentState, command: OfTarget): readonly Event[] {
  if (model.plan.targets[command.target] === undefined)
    return refused(command, 'the plan has no such target');
  return command.kind === 'retry' ? retry(model, state, command) : skip(state, command);
}

function retry(model: Model, state: DeploymentState, command: OfTarget): readonly Event[] {
  const { target, by, reason } = command;
  const record = at(state.targets, target);
  if (state.stop) return refused(command, 'the deployment is stopping');
  if (!FAILED.has(record.status)) return refused(command, `the target is ${record.status}`);
  if (!isOpen(model, state, target) && !isToCome(model, state, target))
    return refused(command, "the target's batch is over; deploy again, it leaves alone what is done");
  return [{ kind: 'target.retried', target, by, reason, group: record.group + 1 }];
}

/**
 * Left out, whenever that is said. One that is being worked on is left out once its step has ended, with proof: it is asked to
 * end now. One whose step has ended while the deployment stops has ended too, whether or not this turn has said so yet.
 */
function skip(state: DeploymentState, command: OfTarget): readonly Event[] {
  const { target, by, reason } = command;
  const record = at(state.targets, target);
  if (record.status === 'succeeded' || record.status === 'skipped')
    return refused(command, `the target is ${record.status}`);
  if (record.granted) {
    if (state.stop) return refused(command, 'the deployment is stopping');
    if (record.skip) return refused(command, 'the target is being left out');
    return [{ kind: 'task.cancelling', target, step: record.step, why: 'skip', by, reason }];
  }
  return [{ kind: 'target.skipped', target, by, reason, parked: record.held !== null }];
}
