import { type Hold, memberKey } from '../../src/domain/capacity.ts';
import type { Command, CommandBody, NewDeployment } from '../../src/domain/command.ts';
import type { Event } from '../../src/domain/event.ts';
import {
  commandId,
  type DeploymentId,
  deploymentId,
  parseTaskId,
  planHash,
  type TaskId,
  workerId,
} from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Plan } from '../../src/domain/plan.ts';
import type { RecordVersion } from '../../src/domain/records.ts';
import type { PlanRollback } from '../../src/engine/advance.ts';
import { at } from '../../src/engine/chunks.ts';
import { evolve } from '../../src/engine/evolve.ts';
import { type Model, modelOf, targetOf } from '../../src/engine/model.ts';
import { currentTask } from '../../src/engine/pending.ts';
import { type DeploymentState, initialState, type TargetState } from '../../src/engine/state.ts';
import { turn } from '../../src/engine/turn.ts';
import type { Commit, NewTask } from '../../src/ports/journal.ts';

type Result = Exclude<Outcome, { kind: 'wait' }>;
const DONE: Result = { kind: 'done', outputs: {} };

export type TurnsOptions = {
  readonly id?: DeploymentId;
  /** What is held before; or the table itself, where several deployments share it. */
  readonly holds?: readonly Hold[] | Map<string, Hold>;
  readonly now?: number;
  readonly planRollback?: PlanRollback;
  /** Called when a rollback takes over what its parent holds. */
  readonly handOver?: (successor: DeploymentId) => void;
  /** The first event of its log; left out: the log begins with the first turn. */
  readonly created?: Extract<Event, { kind: 'deployment.created' }>;
  /** What is in the inbox before the first turn. */
  readonly first?: readonly CommandBody[];
};

/**
 * One deployment turned by hand: no store, no clock, no worker. It applies each commit as a journal would, and knows which
 * members would really be out of service, so that a test can look at the world and not at the engine's own state.
 */
export class Turns {
  readonly model: Model;
  readonly events: Event[] = [];
  /** The open rows. One that has reported is nobody's until the engine closes it or arms it again. */
  readonly tasks = new Map<TaskId, NewTask & { cancel: boolean; reported: boolean }>();
  readonly holds: Map<string, Hold>;
  readonly started: TaskId[] = [];
  state: DeploymentState;
  now = 1_000_000;
  successor: NewDeployment | undefined;
  last: Commit | undefined;
  /** Of what the plan was made from, as a commit has found it. */
  changed: readonly RecordVersion[] = [];
  #count = 0;
  readonly #planRollback: PlanRollback;
  readonly #handOver: TurnsOptions['handOver'];

  constructor(plan: Plan, options: TurnsOptions = {}) {
    const { id = deploymentId('d1'), holds = [] } = options;
    this.model = modelOf(id, plan);
    this.state = initialState(this.model);
    this.holds = holds instanceof Map ? holds : new Map(holds.map((hold) => [memberKey(hold), hold]));
    this.now = options.now ?? this.now;
    this.#handOver = options.handOver;
    this.#planRollback = options.planRollback ?? (() => null);
    if (options.created) {
      this.events.push(options.created);
      this.state = evolve(this.model, this.state, options.created);
    }
    this.submit(...(options.first ?? []));
  }

  /** One lot of commands, one commit. */
  submit(...bodies: readonly CommandBody[]): readonly Event[] {
    return this.submitBy(...bodies.map((body) => ({ by: 'ann', ...body })));
  }

  /** The same of several people. */
  submitBy(...bodies: readonly ({ readonly by: string } & CommandBody)[]): readonly Event[] {
    const commands = bodies.map((body): Command => ({ id: commandId(`c${this.#count++}`), ...body }));
    for (const body of bodies) if (body.kind === 'report') this.#markReported(body.task);
    const { state, commit } = turn({
      model: this.model,
      state: this.state,
      version: this.events.length,
      lot: {
        now: this.now,
        commands,
        rows: commands.map(({ id }) => id),
        more: false,
        overdue: this.#overdue(),
        holds: [...this.holds.values()],
        poolVersions: {},
      },
      changed: this.changed,
      rollback: {
        id: deploymentId(`${this.model.id}-rollback`),
        plan: this.#planRollback,
        hash: () => planHash('h'),
      },
    });
    this.state = state;
    this.#apply(commit);
    return commit.events;
  }

  operator(kind: 'pause' | 'resume' | 'abort' | 'rollback'): readonly Event[] {
    return this.submit({ kind, reason: 'because' });
  }

  ofTarget(kind: 'retry' | 'skip', target: number): readonly Event[] {
    return this.submit({ kind, target, reason: 'because' });
  }

  /** A person says how the step ended that the target is at, having seen that nothing of it runs any more. */
  resolve(
    target: number,
    as: 'succeeded' | 'failed',
    more: { readonly ended?: boolean; readonly task?: TaskId } = {},
  ): readonly Event[] {
    const { ended = true, task = currentTask(this.model, this.state, target) } = more;
    return this.submit({ kind: 'resolve', task, as, ended, reason: 'because' });
  }

  /** The open task of a target reports. Without an outcome, whatever its step should give: guards see all in service. */
  report(target: number, outcome?: Result): readonly Event[] {
    return this.submit(this.reportOf(target, outcome));
  }

  reportOf(target: number, outcome?: Result): CommandBody {
    const task = this.taskOf(target);
    if (!task) throw new Error(`target ${target} has no open task`);
    return {
      kind: 'report',
      task: task.id,
      epoch: 1,
      attempt: 1,
      worker: workerId('w'),
      startedAt: this.now,
      outcome: outcome ?? this.good(task),
    };
  }

  good(task: NewTask): Result {
    return task.step === 'guard' ? this.seen(task) : DONE;
  }

  /** A guard's outputs when all but the held members serve. */
  seen(task: NewTask, out: readonly string[] = [], configured = this.model.plan.targets.length): Result {
    const target = parseTaskId(task.id).target;
    const observed = [{ balancer: 'lb', pool: 'web', configured, out: [...out] }];
    return {
      kind: 'done',
      outputs: {
        observed,
        members: targetOf(this.model, target).members.map((member) => ({
          ...member,
          asFound: { session: 'user-enabled', weight: target },
        })),
      },
    };
  }

  taskOf(target: number): (NewTask & { readonly cancel: boolean }) | undefined {
    return [...this.tasks.values()].find((task) => parseTaskId(task.id).target === target);
  }

  /** Reports success for every open task until nothing is open. */
  finish(limit = 10_000): void {
    for (let turns = 0; this.tasks.size > 0 && turns < limit; turns += 1) {
      const open = [...this.tasks.values()].map((task) => this.reportOf(parseTaskId(task.id).target));
      this.submit(...open);
    }
  }

  target(target: number): TargetState {
    return at(this.state.targets, target);
  }

  kinds(): readonly string[] {
    return this.events.map((event) => event.kind);
  }

  /** The state as another driver would find it: from the log alone. */
  replayed(): DeploymentState {
    return this.events.reduce((state, event) => evolve(this.model, state, event), initialState(this.model));
  }

  #markReported(task: TaskId): void {
    const open = this.tasks.get(task);
    if (open) this.tasks.set(task, { ...open, reported: true });
  }

  #overdue(): readonly TaskId[] {
    const late = [...this.tasks.values()].filter((task) => task.deadlineAt <= this.now && !task.reported);
    return late.map((task) => task.id);
  }

  #apply(commit: Commit): void {
    this.last = commit;
    this.events.push(...commit.events);
    for (const id of commit.close) this.tasks.delete(id);
    for (const task of commit.open) {
      if (this.tasks.has(task.id) || this.started.includes(task.id))
        throw new Error(`${task.id} was granted twice`);
      this.tasks.set(task.id, { ...task, cancel: false, reported: false });
      this.started.push(task.id);
    }
    for (const { task, ...later } of commit.rearm) {
      const open = this.tasks.get(task);
      if (open) this.tasks.set(task, { ...open, ...later, ...cancelAfter(open, later), reported: false });
    }
    for (const { task, deadlineAt } of commit.cancel) {
      const open = this.tasks.get(task);
      if (open) this.tasks.set(task, { ...open, deadlineAt, cancel: true });
    }
    for (const hold of commit.takeHolds) this.holds.set(memberKey(hold), hold);
    for (const { target, reason } of commit.parkHolds)
      this.#changeHolds(target, (hold) => ({ ...hold, phase: 'parked', reason }));
    for (const { target } of commit.giveHolds) this.#changeHolds(target, () => undefined);
    this.successor = commit.successor ?? this.successor;
    if (commit.successor) this.#handOver?.(commit.successor.id);
  }

  #changeHolds(target: string, change: (hold: Hold) => Hold | undefined): void {
    for (const [key, hold] of [...this.holds]) {
      if (hold.target !== target || hold.deployment !== this.model.id) continue;
      const after = change(hold);
      if (after) this.holds.set(key, after);
      else this.holds.delete(key);
    }
  }
}

const cancelAfter = ({ cancel }: { cancel: boolean }, { deadlineAt }: { readonly deadlineAt?: number }) => ({
  cancel: cancel && deadlineAt === undefined,
});
