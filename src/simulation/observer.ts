import type { MemoryStore } from '../adapters/memory/store.ts';
import type { MemberRef } from '../domain/balancer.ts';
import { type Hold, memberKey } from '../domain/capacity.ts';
import type { NewDeployment } from '../domain/command.ts';
import type { Event } from '../domain/event.ts';
import { type DeploymentId, parseTaskId, type TaskId } from '../domain/ids.ts';
import { deploys, hostTargetOf, stepsOfTarget } from '../domain/plan.ts';
import type { Commit } from '../ports/journal.ts';
import { type Eyes, type Found, INVARIANTS, type Invariant, type Violation, type Watched } from './eyes.ts';
import type { Fact } from './facts.ts';
import type { Faults } from './faults.ts';
import { approvals } from './invariants/approvals.ts';
import { canaries } from './invariants/canaries.ts';
import { capacity } from './invariants/capacity.ts';
import { endings } from './invariants/endings.ts';
import { exclusivity } from './invariants/exclusivity.ts';
import { kept } from './invariants/kept.ts';
import { logs } from './invariants/logs.ts';
import { once } from './invariants/once.ts';
import { orphans } from './invariants/orphans.ts';
import { ownership } from './invariants/ownership.ts';
import { policy } from './invariants/policy.ts';
import { record } from './invariants/record.ts';
import { returned } from './invariants/returned.ts';
import { traffic } from './invariants/traffic.ts';
import { writes } from './invariants/writes.ts';
import { EPOCH_MS } from './life.ts';
import type { Measuring } from './measuring.ts';
import type { Scenario } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import type { World } from './world.ts';

export type ObserverParts = {
  readonly scenario: Scenario;
  readonly schedule: Schedule;
  readonly world: () => World;
  readonly store: MemoryStore;
  readonly faults: Pick<Faults, 'struckAtMs'>;
  readonly measuring?: Measuring;
};

const KEPT =
  'SELECT 1 FROM holds WHERE balancer = ? AND pool = ? AND member = ? AND (keep_as IS NOT NULL OR keeper IS NOT NULL OR silent_until > ?)';
function followByHand({ plan, byHand }: Watched, event: Extract<Event, { kind: 'task.resolved' }>): void {
  const name = plan.targets[event.target]?.name ?? '';
  const action = stepsOfTarget(plan, event.target)[event.step]?.action ?? '';
  byHand.set(name, [...(byHand.get(name) ?? []), action]);
}

/** From a guard's look to the grant, with all that may delay a report. */
const LOOK_MS = 60_000;

const ALL = [
  capacity,
  traffic,
  exclusivity,
  once,
  record,
  endings,
  returned,
  logs,
  orphans,
  policy,
  approvals,
  ownership,
  writes,
  kept,
  canaries,
];

/** Looks at the simulated world and at what is committed, and at nothing that Edge believes. */
export class Observer {
  readonly violations: Violation[] = [];
  readonly #parts: ObserverParts;
  readonly #deployments = new Map<DeploymentId, Watched>();
  readonly #disturbed = new Map<string, number>();
  readonly #checks = new Map<string, number>(INVARIANTS.map((name) => [name, 0]));
  readonly #invariants: readonly Invariant[];
  readonly #found = new Map<string, Found>();
  readonly #held = new Set<string>();
  #active = 0;
  readonly #owners = new Map<string, Set<string>>();
  retriesBy: ReadonlyMap<string, number> = new Map();

  constructor(parts: ObserverParts) {
    this.#parts = parts;
    const eyes = this.#eyes();
    this.#invariants = ALL.map((make) => make(eyes));
  }

  get active(): number {
    return this.#active;
  }

  see(fact: Fact): void {
    this.#follow(fact);
    for (const invariant of this.#invariants) invariant.see?.(fact);
  }

  /** Edge took these out, as they served, before the observer was there. */
  knowsHeld(members: readonly MemberRef[]): void {
    for (const key of members.map(memberKey)) {
      this.#found.set(key, 'enabled');
      this.#held.add(key);
    }
  }

  checkEnd(): void {
    this.#checked('I7');
    for (const invariant of this.#invariants) invariant.end?.();
  }

  violate(invariant: string, message: string): void {
    this.violations.push({ invariant, atMs: this.#parts.schedule.nowMs, message });
  }

  checks(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#checks);
  }

  summary() {
    const ended = [...this.#deployments.values()].filter(({ plan }) => deploys(plan.verb));
    const outcomes = new Map<string, number>();
    for (const { end } of ended)
      outcomes.set(end?.status ?? 'active', (outcomes.get(end?.status ?? 'active') ?? 0) + 1);
    return {
      deployments: ended.length,
      rolledBack: ended.filter(({ plan }) => plan.verb === 'rollback').length,
      takeovers: [...this.#owners.values()].filter((owners) => owners.size > 1).length,
      outcomes: Object.fromEntries(outcomes),
    };
  }

  /** Of all that is in the store at the end. */
  digest(): string {
    return JSON.stringify(
      this.#parts.store.look('SELECT deployment, version, at, body FROM events ORDER BY deployment, version'),
    );
  }

  unfinished(): string {
    const rows = this.#parts.store.look('SELECT id, status, reason FROM deployments WHERE ended_at IS NULL');
    return JSON.stringify(rows);
  }

  #eyes(): Eyes {
    const { scenario, schedule, store, world, faults, measuring } = this.#parts;
    return {
      ...{ scenario, schedule, store, deployments: this.#deployments, ...(measuring && { measuring }) },
      get world() {
        return world();
      },
      activeOf: (target) => this.#activeOf(target),
      allActiveOf: (target) => this.#allActiveOf(target),
      disturbedAtMs: (target) => this.#disturbed.get(target) ?? Number.NEGATIVE_INFINITY,
      struckAtMs: (parts) => faults.struckAtMs(parts),
      foundAs: (member) => this.#found.get(memberKey(member)) ?? 'enabled',
      isKept: ({ balancer, pool, member }) =>
        store.look(KEPT, balancer, pool, member, EPOCH_MS + schedule.nowMs).length > 0,
      retriesOf: (deployment, target) => this.retriesBy.get(`${deployment}/${target}`) ?? 0,
      checked: (invariant) => this.#checked(invariant),
      violate: (invariant, message) => this.violate(invariant, message),
    };
  }

  #checked(invariant: string): void {
    this.#checks.set(invariant, (this.#checks.get(invariant) ?? 0) + 1);
  }

  #activeOf(target: string): Watched | undefined {
    const project = this.#parts.world().targets.get(target)?.project;
    for (const watched of this.#deployments.values())
      if (watched.end === null && watched.plan.project === project && deploys(watched.plan.verb))
        return watched;
    return undefined;
  }

  #allActiveOf(target: string): readonly Watched[] {
    const project = this.#parts.world().targets.get(target)?.project;
    const ofProject = ({ end, plan }: Watched) => end === null && plan.project === project;
    return [...this.#deployments.values()].filter(ofProject);
  }

  #follow(fact: Fact): void {
    switch (fact.kind) {
      case 'deployment.created':
        this.#begin(fact.made);
        return;
      case 'committed':
        if (fact.committed.kind === 'committed')
          this.#committed(fact.lease.deployment, fact.commit, fact.lease.owner);
        return;
      case 'member.changed':
      case 'service.changed':
        if (fact.by === 'world') this.#disturbed.set(fact.target, this.#parts.schedule.nowMs);
        return;
      default:
    }
  }

  #begin(made: NewDeployment): void {
    if (this.#deployments.has(made.id)) return;
    this.#active += 1;
    this.#deployments.set(made.id, {
      ...{ id: made.id, made, plan: made.plan, startedAtMs: this.#parts.schedule.nowMs },
      ...{ end: null, tasks: new Map(), succeeded: new Map(), byHand: new Map() },
    });
  }

  #committed(id: DeploymentId, commit: Commit, owner: string): void {
    const watched = this.#deployments.get(id);
    if (!watched) return;
    const owners = this.#owners.get(id) ?? new Set();
    this.#owners.set(id, owners.add(owner));
    for (const task of commit.close) this.#tasksOf(watched, task).delete(task);
    for (const { id: task } of commit.open) this.#tasksOf(watched, task).add(task);
    this.#followHolds(watched, commit);
    for (const event of commit.events) {
      const done = event.kind === 'target.succeeded' ? watched.plan.targets[event.target] : undefined;
      if (done && !done.hook) watched.succeeded.set(done.name, this.#parts.schedule.nowMs);
      if (event.kind === 'task.resolved') followByHand(watched, event);
      if (event.kind === 'deployment.ended') {
        watched.end = { status: event.status, atMs: this.#parts.schedule.nowMs };
        this.#active -= 1;
      }
    }
    if (commit.successor) this.#begin(commit.successor);
  }

  #followHolds({ plan }: Watched, { takeHolds, giveHolds }: Commit): void {
    for (const hold of takeHolds) {
      const key = memberKey(hold);
      if (!this.#held.has(key)) this.#found.set(key, this.#foundNow(hold));
      this.#held.add(key);
    }
    for (const { target } of giveHolds)
      for (const member of plan.targets.find(({ name }) => name === target)?.members ?? [])
        this.#held.delete(memberKey(member));
  }

  /** `unsure`: somebody changed it by hand about when the guard looked, and the one or the other is what it found. */
  #foundNow(hold: Hold): Found {
    const { nowMs } = this.#parts.schedule;
    const isJustEdited = nowMs - this.#parts.world().editedAtMs(hold.balancer, hold) < LOOK_MS;
    return isJustEdited ? 'unsure' : this.#parts.world().member(hold.balancer, hold).admin;
  }

  #tasksOf(watched: Watched, task: TaskId): Set<TaskId> {
    const target = watched.plan.targets[parseTaskId(task).target];
    const name = target ? hostTargetOf(target) : '';
    const tasks = watched.tasks.get(name) ?? new Set();
    watched.tasks.set(name, tasks);
    return tasks;
  }
}
