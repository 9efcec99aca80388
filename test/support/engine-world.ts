import { floorOf, type HeldMember, type Hold, memberKey } from '../../src/domain/capacity.ts';
import type { CommandBody } from '../../src/domain/command.ts';
import { deploymentId, parseTaskId, type ReleaseId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Plan, PlanTarget } from '../../src/domain/plan.ts';
import { isTerminal } from '../../src/domain/status.ts';
import { stepOf, targetOf } from '../../src/engine/model.ts';
import { currentTask } from '../../src/engine/pending.ts';
import { planRollback } from '../../src/plan/rollback.ts';
import type { NewTask } from '../../src/ports/journal.ts';
import { checkTurn } from './engine-invariants.ts';
import { Turns } from './turns.ts';

export type Answer = 'good' | 'late' | 'health' | 'command' | 'unknown';
export type WorldOptions = {
  readonly configured: number;
  readonly sick: readonly string[];
  /** Held by deployments that are not of this world. */
  readonly foreign: readonly Hold[];
  /** Whether the workers of some tasks have died: nobody ever answers for them. */
  readonly deaf: boolean;
};
export const FOREIGN = deploymentId('foreign');
type OpenTask = NewTask & { readonly cancel: boolean; readonly reported: boolean };
type Ended = Exclude<Outcome, { kind: 'wait' }>;

/**
 * Hosts, one pool of a balancer and workers that answer as they are told, under several deployments that share one table
 * of holds. It keeps what is really so, apart from what the engine believes, and checks every turn against it.
 */
export class EngineWorld {
  readonly deployments: Turns[] = [];
  /** Members that get no traffic: drained by Edge, or down before. */
  readonly drained = new Set<string>();
  readonly sick: ReadonlySet<string>;
  /** Members for which a grant was given and that were not returned since. */
  readonly granted = new Set<string>();
  /** Who works on a member, from grant to return or parking. */
  readonly taken = new Map<string, string>();
  /** When a task was last asked to end. */
  readonly cancelledAt = new Map<string, number>();
  /** Deployments that a person has aborted. */
  readonly aborted = new Set<string>();
  /** By target: what it runs; `unsure` from the moment in which a start may have begun. */
  readonly versions = new Map<string, ReleaseId | 'unsure' | null>();
  readonly configured: number;
  readonly #holds = new Map<string, Hold>();
  /** What a guard saw that looked when its task was granted or armed again. */
  readonly #looks = new Map<string, readonly string[]>();
  readonly #deaf: boolean;
  #now = 1_000_000;

  constructor(plans: readonly Plan[], options: WorldOptions) {
    this.configured = options.configured;
    this.sick = new Set(options.sick);
    this.#deaf = options.deaf;
    for (const hold of options.foreign) {
      this.#holds.set(memberKey(hold), hold);
      this.drained.add(hold.member);
      this.granted.add(hold.member);
      this.taken.set(hold.member, FOREIGN);
    }
    for (const [index, plan] of plans.entries()) this.#begin(plan, `d${index + 1}`);
  }

  get isOver(): boolean {
    return this.deployments.every(({ state }) => isTerminal(state.status));
  }

  /** Members that are not in service. */
  get out(): ReadonlySet<string> {
    return this.drained.union(this.sick);
  }

  get holds(): readonly Hold[] {
    return [...this.#holds.values()];
  }

  get now(): number {
    return this.#now;
  }

  /** Time goes by; unless it is quiet, every driver looks. */
  pass(ms: number, options: { readonly isQuiet?: boolean } = {}): void {
    this.#now += ms;
    if (options.isQuiet) return;
    for (const turns of this.deployments) this.submit(turns);
  }

  /** How many members are left in service if every grant is used. */
  get serving(): number {
    return this.configured - this.granted.union(this.out).size;
  }

  /** Whether the floor lets a deployment take one more member. */
  hasRoom({ model }: Turns): boolean {
    return this.serving - 1 >= floorOf(model.plan.floors[0]?.floor ?? { count: 0 }, this.configured);
  }

  /** The deployments of others that had members out at the start return them. */
  returnForeign(): void {
    for (const [key, { deployment, member }] of this.#holds) {
      if (deployment !== FOREIGN) continue;
      this.#holds.delete(key);
      this.drained.delete(member);
      this.granted.delete(member);
      this.taken.delete(member);
    }
  }

  /** One turn of a deployment, checked; a rollback that it causes begins. */
  submit(turns: Turns, ...commands: readonly CommandBody[]): void {
    turns.now = this.#now;
    const before = turns.state;
    if (commands.some(({ kind }) => kind === 'abort')) this.aborted.add(turns.model.id);
    const events = turns.submit(...commands);
    this.#applyDone(turns, commands);
    checkTurn(this, turns, { before, events });
    this.#applyGranted(turns);
    const { successor } = turns.last ?? {};
    if (successor) this.#begin(successor.plan, successor.id);
  }

  /**
   * Up to `count` open tasks that a worker could have claimed by now, from the `pick`-th on, answer in one lot: the last of
   * them as told, the others well. A person's command may come in the same lot, after them.
   */
  answer(turns: Turns, pick: number, options: { how: Answer; count?: number; also?: CommandBody }): void {
    const due = [...turns.tasks.values()].filter((task) => this.#isDue(task));
    const count = Math.min(options.count ?? 1, due.length);
    const chosen = Array.from({ length: count }, (_, index) => due[(pick + index) % due.length]);
    const reports = chosen.flatMap((task, index) =>
      task ? [this.#report(turns, task, index === count - 1 ? options.how : 'good')] : [],
    );
    const also = options.also ? [options.also] : [];
    if (reports.length + also.length > 0) this.submit(turns, ...reports, ...also);
  }

  /** A person makes true what the step was to do, and says so; or says that it failed. */
  resolve(
    turns: Turns,
    target: number,
    { as, ended }: { readonly as: 'succeeded' | 'failed'; readonly ended: boolean },
  ): void {
    const task = currentTask(turns.model, turns.state, target);
    this.submit(turns, { kind: 'resolve', task, as, ended, reason: 'because' });
  }

  #isDue({ id, wakeAt, cancel, reported }: OpenTask): boolean {
    const { target, step, group } = parseTaskId(id);
    if (reported || (this.#deaf && group === 0 && (target + step) % 5 === 4)) return false;
    return cancel || wakeAt <= this.#now;
  }

  #report(turns: Turns, task: OpenTask, how: Answer): CommandBody {
    const { target } = parseTaskId(task.id);
    return turns.reportOf(target, this.#outcome(turns, task, how));
  }

  #outcome(turns: Turns, task: OpenTask, how: Answer): Ended {
    if (how === 'unknown') return { kind: 'unknown', seen: 'nothing' };
    if (how === 'good' || how === 'late') {
      if (task.cancel && how === 'good') return CANCELLED;
      const seen = how === 'late' ? this.#looks.get(task.id) : undefined;
      return task.step === 'guard' ? turns.seen(task, seen ?? [...this.out], this.configured) : DONE;
    }
    return {
      kind: 'failed',
      error: { code: how === 'health' ? 'health_failed' : 'command_failed', message: how, cause: how },
      retryable: how === 'command',
    };
  }

  /** What an action has done to the world by the time at which its success is believed. */
  #applyDone(turns: Turns, commands: readonly CommandBody[]): void {
    for (const event of turns.last?.events ?? []) {
      if (event.kind !== 'task.resolved' || event.as !== 'succeeded') continue;
      const target = targetOf(turns.model, event.target);
      if (idOf(turns, event) === 'start') this.versions.set(target.name, target.release);
    }
    for (const command of commands) {
      if (command.kind !== 'report' || command.outcome.kind !== 'done') continue;
      if (turns.tasks.has(command.task) || !turns.started.includes(command.task)) continue;
      const task = parseTaskId(command.task);
      const target = targetOf(turns.model, task.target);
      if (idOf(turns, task) === 'start') this.versions.set(target.name, target.release);
      if (idOf(turns, task) === 'enable')
        for (const { member } of target.members) this.drained.delete(member);
    }
  }

  /** What a task may have done as soon as it was granted. */
  #applyGranted(turns: Turns): void {
    const { open = [], rearm = [] } = turns.last ?? {};
    for (const { task } of [...open.map(({ id }) => ({ task: id })), ...rearm]) {
      this.#looks.set(task, [...this.out]);
    }
    for (const { id, step } of open) {
      const target = targetOf(turns.model, parseTaskId(id).target);
      if (step === 'drain') for (const { member } of target.members) this.drained.add(member);
      if (step === 'start') this.versions.set(target.name, 'unsure');
    }
  }

  #begin(plan: Plan, id: string): void {
    const turns = new Turns(plan, {
      id: deploymentId(id),
      holds: this.#holds,
      planRollback,
      now: this.#now,
      handOver: (successor) => this.#handOver(id, successor),
    });
    for (const { name, before } of plan.targets)
      if (!this.versions.has(name)) this.versions.set(name, before);
    this.deployments.push(turns);
    this.#applyGranted(turns);
  }

  #handOver(parent: string, successor: string): void {
    for (const [key, hold] of this.#holds) {
      if (hold.deployment === parent) this.#holds.set(key, { ...hold, deployment: deploymentId(successor) });
    }
  }

  /** Members that a target would be missed with: drained, and nobody else's. */
  isOut({ members }: PlanTarget): boolean {
    return members.some(({ member }) => this.drained.has(member));
  }

  holdOf(member: HeldMember | PlanTarget['members'][number]): Hold | undefined {
    return this.#holds.get(memberKey(member));
  }
}

const idOf = ({ model }: Turns, { target, step }: { target: number; step: number }): string =>
  stepOf(model, target, step).id;

const DONE: Ended = { kind: 'done', outputs: {} };
const CANCELLED: Ended = {
  kind: 'failed',
  error: { code: 'task_cancelled', message: 'Cancelled: gone.', cause: 'cancelled' },
  retryable: false,
};
