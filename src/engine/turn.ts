import type { Command, NewDeployment } from '../domain/command.ts';
import { EdgeError } from '../domain/errors.ts';
import type { Event } from '../domain/event.ts';
import { commandId, type DeploymentId, type PlanHash, type TaskId, taskId } from '../domain/ids.ts';
import { type Plan, targetCount } from '../domain/plan.ts';
import type { RecordVersion } from '../domain/records.ts';
import { isTerminal } from '../domain/status.ts';
import type { Commit, Lot, NewTask, Summary } from '../ports/journal.ts';
import { advance, type PlanRollback, successorOf } from './advance.ts';
import { mustHold } from './approvals.ts';
import { at } from './chunks.ts';
import { decide } from './decide.ts';
import { evolve } from './evolve.ts';
import type { Facts } from './facts.ts';
import { Ledger, taking } from './ledger.ts';
import { holdsOf, placedBy, unprovenBy } from './marks.ts';
import { type Model, stepOf, targetOf } from './model.ts';
import { currentTask, pending, taskOf } from './pending.ts';
import type { DeploymentState } from './state.ts';

/** A cancel that is not proven within this time, after the step's own grace, leaves the task unknown. */
const CANCEL_LIMIT_MS = 120_000;

export type TurnInput = {
  readonly model: Model;
  readonly state: DeploymentState;
  readonly version: number;
  readonly lot: Lot;
  /** Of what the plan was made from, as a commit has found it that failed for it. */
  readonly changed?: readonly RecordVersion[];
  readonly rollback: {
    readonly id: DeploymentId;
    readonly plan: PlanRollback;
    readonly hash: (plan: Plan) => PlanHash;
  };
};
export type Turn = { readonly state: DeploymentState; readonly commit: Commit };

/**
 * One turn of the engine: a lot of commands in, one commit out (group commit, contract C2). Pure. All commands are decided
 * in order, each on the state after the one before; then batches advance; then the frontier is granted, once.
 */
export function turn({ model, state, version, lot, changed = [], rollback }: TurnInput): Turn {
  const log = new Log(model, state, { ...lot, changed });
  for (const command of [...ofOverdue(lot), ...lot.commands, WAKE]) {
    for (const event of decide(model, log.state, command, log.facts)) log.add(event);
  }
  for (let next = log.progress(); next; next = log.progress()) {
    log.mustRest(lot);
    log.add(next.kind === 'deployment.ended' ? log.ended(next, rollback) : next);
  }
  const granted = pending(model, log.state);
  const open = granted.map((target) => taskOf(model, log.state, target, lot.now));
  if (granted.length > 0) log.grant(granted);
  return { state: log.state, commit: commitOf(log, { before: state, version, lot, open }) };
}

/**
 * Deadlines come before commands: they are those of the state that was committed, and an abort of the same lot gives its
 * tasks new ones. The wake comes last, so that whoever decides in the last moment is heard.
 */
function ofOverdue(lot: Lot): readonly Command[] {
  return lot.overdue.map(
    (task): Command => ({ id: commandId(`deadline/${task}`), by: 'engine', kind: 'deadline', task }),
  );
}

const WAKE: Command = { id: commandId('wake'), by: 'engine', kind: 'wake' };

/** The events of one turn with the state and facts after them, and what they change beside the log. */
class Log {
  readonly model: Model;
  state: DeploymentState;
  readonly facts: Facts;
  readonly #ledger: Ledger;
  readonly events: Event[] = [];
  readonly close: TaskId[] = [];
  readonly rearm: Commit['rearm'][number][] = [];
  readonly cancel: { task: TaskId; deadlineAt: number }[] = [];
  successor: NewDeployment | undefined;

  constructor(
    model: Model,
    state: DeploymentState,
    given: Pick<Lot, 'now' | 'holds'> & Pick<Facts, 'changed'>,
  ) {
    this.model = model;
    this.state = state;
    this.#ledger = new Ledger(given.holds);
    this.facts = { now: given.now, holds: this.#ledger, changed: given.changed };
  }

  add(event: Event): void {
    this.#noteTask(event);
    this.#noteHolds(event);
    this.events.push(event);
    this.state = evolve(this.model, this.state, event);
  }

  /** Throws where a turn has gone on for longer than any can: a fault of Edge must not hang its driver. */
  mustRest({ commands }: Lot): void {
    const most = 1_000 + 20 * (this.model.plan.targets.length + commands.length);
    if (this.events.length > most) throw new EdgeError('internal', 'the turn does not come to rest');
  }

  progress(): Event | undefined {
    return advance(this.model, this.state, this.facts);
  }

  grant(targets: readonly number[]): void {
    const steps = targets.map((target) => at(this.state.targets, target).step);
    this.add({ kind: 'tasks.granted', targets, steps });
  }

  /** The end, with the rollback that it causes: both are of one transaction (contract C7). */
  ended(event: Extract<Event, { kind: 'deployment.ended' }>, rollback: TurnInput['rollback']): Event {
    if (this.state.stop?.next !== 'rollback') return event;
    const plan = successorOf(this.model, this.state, this.state.stop.reason, rollback.plan);
    if (plan === null)
      return {
        ...event,
        notes: [...event.notes, 'no rollback: no earlier release is known for what was touched'],
      };
    this.successor = {
      id: rollback.id,
      plan,
      planHash: rollback.hash(plan),
      by: 'engine',
      reason: event.reason,
    };
    return { ...event, rollback: rollback.id };
  }

  #noteHolds(event: Event): void {
    if (event.kind === 'capacity.taken') {
      const { name } = targetOf(this.model, event.target);
      this.#ledger.take(event.members.map((member) => taking(this.model.id, name, member)));
    }
    if (event.kind === 'capacity.given') this.#ledger.give(targetOf(this.model, event.target).members);
    if ((event.kind === 'target.failed' || event.kind === 'target.skipped') && event.parked)
      this.#ledger.park(targetOf(this.model, event.target).members);
  }

  #noteTask(event: Event): void {
    switch (event.kind) {
      case 'task.succeeded':
      case 'task.failed':
      case 'task.unknown':
        this.close.push(taskId({ deployment: this.model.id, ...event }));
        break;
      case 'task.retried':
        this.rearm.push({ task: currentTask(this.model, this.state, event.target), wakeAt: event.wakeAt });
        break;
      case 'capacity.refused':
        this.rearm.push(askingAgain(this.model, this.state, event));
        break;
      case 'task.cancelling': {
        const { graceMs = 0 } = stepOf(this.model, event.target, event.step);
        const deadlineAt = this.facts.now + graceMs + CANCEL_LIMIT_MS;
        this.cancel.push({ task: currentTask(this.model, this.state, event.target), deadlineAt });
        break;
      }
      default:
    }
  }
}

/** Each look at the pools has the step's whole time: how long to wait for capacity is the policy's to say, not a deadline's. */
function askingAgain(
  model: Model,
  state: DeploymentState,
  { target, wakeAt }: Extract<Event, { kind: 'capacity.refused' }>,
): Commit['rearm'][number] {
  const { timeoutMs } = stepOf(model, target, at(state.targets, target).step);
  return { task: currentTask(model, state, target), wakeAt, deadlineAt: wakeAt + timeoutMs };
}

type Rest = {
  readonly before: DeploymentState;
  readonly version: number;
  readonly lot: Lot;
  readonly open: readonly NewTask[];
};

function commitOf(log: Log, { before, version, lot, open }: Rest): Commit {
  const { model, state, events } = log;
  return {
    expectedVersion: version,
    events,
    handled: lot.rows,
    open,
    close: log.close,
    rearm: log.rearm,
    cancel: log.cancel,
    ...holdsOf(model, events),
    placed: placedBy(model, events),
    unproven: unprovenBy(model, state, events),
    poolVersions: lot.poolVersions,
    summary: summaryOf(model, state),
    wakeAt: state.abortAt,
    ...mustHold(before, events),
    ...(log.successor && { successor: log.successor }),
  };
}

/** For people a target that is being prepared is being worked on. */
function summaryOf(model: Model, state: DeploymentState): Summary {
  const { status, reason, exceptions } = state;
  const active = state.lanes.reduce((sum, lane) => sum + lane.ahead, state.counts.active);
  const counts = { ...state.counts, active };
  return {
    status,
    reason,
    counts: { total: targetCount(model.plan), ...counts },
    ended: isTerminal(status),
    exceptions,
  };
}
