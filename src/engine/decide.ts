import type { Command } from '../domain/command.ts';
import type { Event } from '../domain/event.ts';
import { parseTaskId } from '../domain/ids.ts';
import { isTerminal } from '../domain/status.ts';
import { at } from './chunks.ts';
import { decideOperator } from './decide-operator.ts';
import { decideReport, failedTarget } from './decide-report.ts';
import type { Facts } from './facts.ts';
import type { Model } from './model.ts';
import { currentTask } from './pending.ts';
import { cancelling } from './running.ts';
import type { DeploymentState } from './state.ts';

/**
 * What follows from a command: facts to write, none if it changes nothing. Pure: the same state, command and facts give the
 * same events. A command that comes too late, twice, or of an older attempt gives none, or `command.refused`.
 */
export function decide(
  model: Model,
  state: DeploymentState,
  command: Command,
  facts: Facts,
): readonly Event[] {
  if (isTerminal(state.status)) return [];
  switch (command.kind) {
    case 'report':
    case 'deadline':
      return ofTask(model, state, command, facts);
    case 'wake':
      return decideWake(model, state, facts);
    case 'pause':
    case 'resume':
    case 'abort':
    case 'retry':
    case 'skip':
    case 'rollback':
    case 'resolve':
    case 'approve':
    case 'promote':
      return decideOperator(model, state, command, facts);
    default:
      return command satisfies never;
  }
}

type OfTask = Extract<Command, { kind: 'report' | 'deadline' }>;

/** Only the task whose row is open may speak: what a finished step or an older attempt group says is history. */
function ofTask(model: Model, state: DeploymentState, command: OfTask, facts: Facts): readonly Event[] {
  const key = parseTaskId(command.task);
  const { granted } = at(state.targets, key.target);
  if (!granted || command.task !== currentTask(model, state, key.target)) return [];
  return command.kind === 'report'
    ? decideReport(model, state, command, facts)
    : decideDeadline(model, state, key, facts);
}

type Key = { readonly target: number; readonly step: number; readonly group: number };

/** The deadline is the task's (contract C4). After a second one nobody could prove that the work stopped: unknown. */
function decideDeadline(model: Model, state: DeploymentState, key: Key, facts: Facts): readonly Event[] {
  const target = at(state.targets, key.target);
  if (target.cancelling === null) {
    return [{ kind: 'task.cancelling', target: key.target, step: key.step, why: 'deadline' }];
  }
  const seen = 'nobody proved in time that the work has stopped';
  const attempt = { attempt: 0, worker: null, startedAt: null };
  return [
    { kind: 'task.unknown', target: key.target, step: key.step, group: key.group, ...attempt, seen },
    ...failedTarget({
      model,
      state,
      facts,
      target: key.target,
      status: 'unknown',
      reason: seen,
      cause: 'timeout',
    }),
  ];
}

/** Only one that is paused, or waits for approvals, has a time at which it gives up. */
function decideWake(model: Model, state: DeploymentState, facts: Facts): readonly Event[] {
  if (state.abortAt === null || facts.now < state.abortAt) return [];
  const reason = `nobody decided in time: ${state.reason}`;
  return [
    { kind: 'deployment.stopping', by: 'engine', abort: true, reason, next: 'nothing', status: 'aborted' },
    ...cancelling(model, state),
  ];
}
