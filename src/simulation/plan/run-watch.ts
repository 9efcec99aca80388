import { isInService, type MemberState } from '../../domain/balancer.ts';
import { poolKey } from '../../domain/capacity.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import { type Plan, type PoolFloor, touches } from '../../domain/plan.ts';
import type { Ending } from '../../domain/plan-simulation.ts';
import type { Fact } from '../facts.ts';
import type { Schedule } from '../schedule.ts';
import type { World } from '../world.ts';

/** What came of one run. */
export type PlanRun = {
  readonly ending: Ending;
  readonly durationMs: number;
  readonly touched: number;
  readonly ran: number;
  readonly served: number;
  /** The fewest members in service, for each floor of the plan. */
  readonly lowest: readonly number[];
  readonly violation: { readonly invariant: string; readonly message: string } | null;
};

type Committed = Extract<Fact, { kind: 'committed' }>;
type Deployed = {
  readonly plan: Plan;
  status: string;
  exceptions: number;
  isAbort: boolean;
  isHeld: boolean;
};

/** Follows a run from outside: what the world did, and what was committed. */
export class RunWatch {
  readonly #plan: Plan;
  readonly #world: () => World;
  readonly #schedule: Schedule;
  readonly #deployments = new Map<DeploymentId, Deployed>();
  readonly #touched = new Set<number>();
  readonly #ran = new Set<string>();
  readonly #served = new Set<string>();
  readonly #lowest: number[];
  readonly #sequences: ReadonlyMap<number, string>;
  #startedAtMs = 0;
  #endedAtMs = 0;

  constructor(parts: { readonly plan: Plan; readonly world: () => World; readonly schedule: Schedule }) {
    this.#plan = parts.plan;
    this.#world = parts.world;
    this.#schedule = parts.schedule;
    const batches = parts.plan.stages.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.batches));
    this.#sequences = new Map(
      batches.flatMap(({ sequence, targets }) => targets.map((target) => [target, sequence])),
    );
    this.#lowest = parts.plan.floors.map(() => Number.POSITIVE_INFINITY);
  }

  /** The plan's deployment, or its rollback, waits for a decision. */
  get isHeld(): boolean {
    return [...this.#deployments.values()].some(({ isHeld }) => isHeld);
  }

  see(fact: Fact): void {
    switch (fact.kind) {
      case 'deployment.created':
        this.#startedAtMs = this.#schedule.nowMs;
        this.#begin(fact.made.id, fact.made.plan);
        for (const pool of new Set(this.#plan.floors.map(poolKey))) this.#count(pool);
        return;
      case 'committed':
        if (fact.committed.kind === 'committed') this.#committed(fact);
        return;
      case 'service.changed':
        if (this.#isNew(fact.running)) this.#ran.add(fact.target);
        this.#countAround(fact.target);
        return;
      case 'member.changed':
      case 'health.seen':
        this.#countAround(fact.target);
        return;
      default:
    }
  }

  run(violation: PlanRun['violation']): PlanRun {
    return {
      ending: this.#ending(),
      durationMs: this.#endedAtMs - this.#startedAtMs,
      ...{ touched: this.#touched.size, ran: this.#ran.size, served: this.#served.size },
      lowest: this.#lowest,
      violation,
    };
  }

  #begin(id: DeploymentId, plan: Plan): void {
    this.#deployments.set(id, { plan, status: 'running', exceptions: 0, isAbort: false, isHeld: false });
  }

  #committed({ lease, commit }: Committed): void {
    const deployed = this.#deployments.get(lease.deployment);
    if (!deployed) return;
    for (const event of commit.events) {
      if (event.kind === 'tasks.granted' && deployed.plan === this.#plan) this.#touch(event);
      if (event.kind === 'deployment.paused') deployed.isHeld = true;
      if (event.kind === 'deployment.stopping') deployed.isAbort ||= event.abort;
      if (event.kind === 'deployment.ended') {
        Object.assign(deployed, { status: event.status, exceptions: event.exceptions });
      }
      if (event.kind === 'deployment.ended' || event.kind === 'deployment.paused')
        this.#endedAtMs = this.#schedule.nowMs;
    }
    if (commit.successor) this.#begin(commit.successor.id, commit.successor.plan);
  }

  /** From its first step on that does more than to look. */
  #touch({
    targets,
    steps,
  }: {
    readonly targets: readonly number[];
    readonly steps: readonly number[];
  }): void {
    for (const [n, target] of targets.entries()) {
      const step = this.#plan.sequences[this.#sequences.get(target) ?? '']?.[steps[n] ?? 0];
      if (step && touches(step)) this.#touched.add(target);
    }
  }

  #isNew(running: string | null): boolean {
    return running !== null && running === this.#plan.release;
  }

  #countAround(target: string): void {
    const known = this.#world().targets.get(target);
    for (const member of known?.members ?? []) this.#count(poolKey(member));
    const isServing = known?.members.some(({ balancer, pool, member = target }) =>
      isInService(this.#world().member(balancer, { pool, member })),
    );
    if (isServing && this.#isNew(this.#world().service(target).running)) this.#served.add(target);
  }

  #count(pool: string): void {
    for (const [index, floor] of this.#plan.floors.entries()) {
      if (poolKey(floor) !== pool) continue;
      const serving = membersOf(floor, this.#world()).filter(isInService).length;
      this.#lowest[index] = Math.min(this.#lowest[index] ?? serving, serving);
    }
  }

  #ending(): Ending {
    const [first, rollback] = this.#deployments.values();
    if (!first) return 'unfinished';
    if (rollback) return rollback.status === 'succeeded' ? 'rolled-back' : 'rollback-failed';
    if (first.isHeld) return 'held';
    if (first.status === 'succeeded') return first.exceptions === 0 ? 'succeeded' : 'with-exceptions';
    if (first.status === 'running') return 'unfinished';
    return first.isAbort || first.status === 'aborted' ? 'aborted' : 'failed';
  }
}

/** Those that a floor is of. */
function membersOf({ balancer, pool, zone }: PoolFloor, world: World): readonly MemberState[] {
  const all = world.balancer(balancer).look(pool);
  return zone ? all.filter(({ member }) => zone.members.includes(member)) : all;
}
