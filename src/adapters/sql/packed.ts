import type { DeploymentId, TaskId } from '../../domain/ids.ts';
import type { Acquired, Commit, Lot, NewTask } from '../../ports/journal.ts';
import type { ClaimedTask, Report } from '../../ports/task-board.ts';
import { commandsOf, type EndedReport, type InboxBody, type Wait } from './inbox.ts';
import { parse, parseOrNull } from './json.ts';

/**
 * What is JSON in the tables crosses to the thread of the database as the text that is stored: the caller writes and reads it,
 * once. What there is much of crosses as rows: to clone them costs a third of what it costs to clone objects. Only that thread
 * can write, so what it need not do, every deployment has the good of.
 */
export type PackedCommit = Omit<Commit, 'events' | 'open' | 'snapshot'> & {
  readonly events: readonly string[];
  readonly isStart: boolean;
  readonly open: readonly PackedTask[];
  readonly snapshot?: string;
};
export type PackedTask = readonly [
  id: TaskId,
  target: string,
  step: string,
  action: string,
  pool: string,
  inputs: string,
  wakeAt: number,
  deadlineAt: number,
];
export type PackedLot = Omit<Lot, 'commands'> & { readonly bodies: readonly string[] };
export type PackedAcquired = Omit<Acquired, 'lot'> & { readonly lot: PackedLot };
export type PackedClaim = readonly [
  task: TaskId,
  deployment: DeploymentId,
  target: string,
  step: string,
  action: string,
  inputs: string,
  epoch: number,
  attempt: number,
  checkpoint: string | null,
  cancel: boolean,
  quarantineMs: number,
  remainingMs: number,
];
/** Of what has ended, the report as the inbox keeps it; else how the task is to wait. */
export type PackedReport = readonly [task: TaskId, epoch: number, ended: string | null, wait: Wait | null];

export function packCommit({ events, open, snapshot, ...rest }: Commit): PackedCommit {
  return {
    ...rest,
    events: events.map((event) => JSON.stringify(event)),
    isStart: events.some(({ kind }) => kind === 'deployment.started'),
    open: open.map(packTask),
    ...(snapshot !== undefined && { snapshot: JSON.stringify(snapshot) }),
  };
}

const packTask = (task: NewTask): PackedTask => [
  task.id,
  task.target,
  task.step,
  task.action,
  task.pool,
  JSON.stringify(task.inputs),
  task.wakeAt,
  task.deadlineAt,
];

export function unpackLot({ bodies, ...rest }: PackedLot): Lot {
  return { ...rest, commands: bodies.flatMap((body) => commandsOf(parse<InboxBody>(body))) };
}

/** No more than a report is, whatever else the caller's objects have. */
export function packReport({ task, epoch, attempt, startedAt, outcome }: Report): PackedReport {
  if (outcome.kind === 'wait') return [task, epoch, null, outcome];
  const ended: EndedReport = { task, epoch, attempt, startedAt, outcome };
  return [task, epoch, JSON.stringify(ended), null];
}

export function unpackClaim(claim: PackedClaim): ClaimedTask {
  const [task, deployment, target, step, action, inputs, epoch, attempt, checkpoint, ...rest] = claim;
  const [cancel, quarantineMs, remainingMs] = rest;
  return {
    task,
    deployment,
    target,
    step,
    action,
    inputs: parse(inputs),
    epoch,
    attempt,
    checkpoint: parseOrNull(checkpoint),
    cancel,
    quarantineMs,
    remainingMs,
  };
}
