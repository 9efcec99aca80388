import { setImmediate as eventLoop } from 'node:timers/promises';
import type { MemoryStore } from '../../adapters/memory/store.ts';
import type { MemberRef } from '../../domain/balancer.ts';
import type { Hold } from '../../domain/capacity.ts';
import { type DeploymentId, deploymentId, type ReleaseId } from '../../domain/ids.ts';
import { targetCount } from '../../domain/plan.ts';
import type { PlanSimulation } from '../../domain/plan-simulation.ts';
import { planHash } from '../../plan/hash.ts';
import { SimBell } from '../bell.ts';
import { Cluster } from '../cluster.ts';
import { Draw } from '../draw.ts';
import type { Fact } from '../facts.ts';
import { Faults } from '../faults.ts';
import { Observer } from '../observer.ts';
import { noteFault } from '../roles.ts';
import type { Nature as ReleaseNature } from '../scenario.ts';
import { Schedule } from '../schedule.ts';
import { SimStore } from '../store.ts';
import { World } from '../world.ts';
import { releaseBefore, scenarioOfPlan } from './place.ts';
import { plannedManner, plannedStrengths } from './planned-manner.ts';
import { type PlanRun, RunWatch } from './run-watch.ts';
import { withoutValues } from './without-values.ts';

export type RunOfPlan = {
  readonly request: PlanSimulation;
  readonly seed: number;
  readonly release: 'good' | 'bad';
};

/** What has gone on for so long, or come to so many events for each target, comes to no end. */
const LONGEST_MS = 14 * 86_400_000;
const EVENTS_A_TARGET = 20_000;
/** The bell of this world is heard by all, so that looking without it is seldom needed. */
const LOOK_MS = 15_000;
/** What is rung by what happens at nearly the same moment is dealt with in one turn, as a busy server does. */
const MERGE_MS = 5;
/** A successor proves the death of a worker here, and waits for no lease: so that they are seldom renewed. */
const LEASE_MS = 60_000;
/** What is under way when all is done must do no harm: longer where processes died. */
const QUIET_MS = 2_000;
const QUIET_AFTER_CRASH_MS = 40_000;

/** Runs a plan once, on the product's own engine, driver, worker and actions, with every invariant checked on the way. */
export async function runPlan({ request: given, seed, release }: RunOfPlan): Promise<PlanRun> {
  await eventLoop(); // a run itself never waits for it
  const plan = withoutValues(given.plan);
  const request = { ...given, plan };
  const scenario = scenarioOfPlan(request, seed);
  const draw = new Draw(seed ^ 0x5f3759df);
  const schedule = new Schedule(draw.fork());
  const strengths = plannedStrengths(request);
  const faults = new Faults({ schedule, draw: draw.fork(), strengths, untilMs: scenario.faultsUntilMs });
  const watch = new RunWatch({ plan, world: () => world, schedule });
  const tell = (fact: Fact): void => {
    observer.see(fact);
    watch.see(fact);
  };
  const bell = new SimBell({ schedule, faults, draw: draw.fork(), mergesWithinMs: MERGE_MS });
  const store = new SimStore({ schedule, faults, draw: draw.fork(), bell, tell, isNear: true });
  const observer = new Observer({ scenario, schedule, store: store.truth, faults, world: () => world });
  const natureOf = (of: ReleaseId): ReleaseNature =>
    release === 'bad' && of === plan.release ? 'sick' : 'good';
  const world: World = new World(scenario, {
    ...{ schedule, draw: draw.fork(), faults, tell, natureOf },
    ...{ before: releaseBefore(plan), manner: plannedManner(request) },
  });
  await park(store.truth, world, request);
  observer.knowsHeld(request.parked);
  const cutOff = new Set<string>();
  const parts = {
    schedule,
    draw: draw.fork(),
    faults,
    world,
    store,
    bell,
    tell,
    cutOff,
    lookMs: LOOK_MS,
    leaseMs: LEASE_MS,
  };
  const cluster = new Cluster(scenario, parts);
  letCrash(cluster, { schedule, draw: draw.fork(), faults });
  giveBack(request, { schedule, world, draw: draw.fork() });
  let asked = false;
  const start = async (): Promise<void> => {
    const [server] = cluster.servers;
    await server?.ports.journal.create({
      ...{ id: deploymentId('simulated'), plan, planHash: planHash(plan), by: 'simulation', reason: '' },
    });
    asked = true;
  };
  schedule.after(0, () => void start().catch((fault) => noteFault(tell, 'the start', fault)));
  const violation = await goOn();
  await store.truth.close();
  return watch.run(violation);

  async function goOn(): Promise<PlanRun['violation']> {
    const most = EVENTS_A_TARGET * (plan.targets.length + 10);
    let doneAtMs: number | null = null;
    for (;;) {
      await schedule.step();
      const [violated] = observer.violations;
      if (violated) return { invariant: violated.invariant, message: violated.message };
      if (watch.isHeld) return null;
      const { nowMs, events } = schedule;
      if (asked && observer.active === 0) {
        doneAtMs ??= nowMs;
        faults.end();
        const hasCrashed = faults.counts.has('server.crash') || faults.counts.has('worker.crash');
        if (nowMs > doneAtMs + (hasCrashed ? QUIET_AFTER_CRASH_MS : QUIET_MS)) break;
      }
      if (nowMs > LONGEST_MS || events > most)
        return { invariant: 'I7', message: `it has come to no end: ${observer.unfinished()}` };
    }
    observer.checkEnd();
    const [left] = observer.violations;
    return left ? { invariant: left.invariant, message: left.message } : null;
  }
}

/** Members that an earlier deployment of the same place has parked. */
async function park({ journal }: MemoryStore, world: World, { plan, parked }: PlanSimulation): Promise<void> {
  if (parked.length === 0) return;
  const id = deploymentId('before');
  await journal.create({ id, plan, planHash: planHash(plan), by: 'history', reason: '' });
  const wanted = { owner: 'history', leaseMs: 1_000, limit: 1, gone: [], lot: 0 };
  const [acquired] = await journal.acquire(wanted);
  if (!acquired) throw new Error('what is parked was not written');
  const { lease } = acquired;
  const counts = { total: targetCount(plan), succeeded: 0, failed: 0, skipped: 0, active: 0 };
  const nothing = {
    ...{
      expectedVersion: 1,
      handled: [],
      open: [],
      close: [],
      rearm: [],
      cancel: [],
      wakeAt: null,
      events: [],
    },
    ...{
      takeHolds: [],
      parkHolds: [],
      giveHolds: [],
      poolVersions: {},
      placed: [],
      unproven: [],
      keepOut: [],
    },
  } as const;
  const takeHolds = parked.map((ref) => heldIn(world, ref, id));
  await journal.commit(lease, {
    ...{ ...nothing, takeHolds },
    summary: { status: 'running', reason: '', counts, ended: false, exceptions: 0 },
  });
  await journal.commit(lease, {
    ...nothing,
    parkHolds: [...new Set(takeHolds.map(({ target }) => target))].map((target) => ({ target, reason: '' })),
    events: [{ kind: 'deployment.ended', status: 'failed', reason: '', exceptions: 0, notes: [] }],
    summary: { status: 'failed', reason: '', counts, ended: true, exceptions: 0 },
  });
}

/** A member that Edge took out as it served. */
function heldIn(world: World, ref: MemberRef, deployment: DeploymentId): Hold {
  const { asFound } = world.member(ref.balancer, ref);
  world.balancer(ref.balancer).editByHand(ref, { admin: 'offline' });
  return { ...ref, deployment, target: world.ownerOf(ref), phase: 'taken', reason: '', asFound };
}

/** Other deployments return what they hold, each after a while. */
const LONGEST_HOLD_MS = 600_000;

function giveBack(
  { returning }: PlanSimulation,
  { schedule, world, draw }: { readonly schedule: Schedule; readonly world: World; readonly draw: Draw },
): void {
  for (const { balancer, ...member } of returning)
    schedule.after(draw.int(1_000, LONGEST_HOLD_MS), () =>
      world.edit(balancer, member, { admin: 'enabled' }),
    );
}

/** Each process dies so often: once in so many hours, at any moment. */
const HOURS_TO_CRASH = 12;

/** Processes of Edge die now and then, and are started again as a service manager does. */
function letCrash(
  cluster: Cluster,
  { schedule, draw, faults }: { readonly schedule: Schedule; readonly draw: Draw; readonly faults: Faults },
): void {
  const { servers, workers } = cluster;
  const each = [
    { kind: 'server.crash', of: () => cluster.servers, count: servers.length },
    { kind: 'worker.crash', of: () => cluster.workers, count: workers.length },
  ] as const;
  for (const { kind, of, count } of each.filter((one) => one.count > 0)) {
    const next = (): void => {
      const hours = (-Math.log(1 - draw.next()) * HOURS_TO_CRASH) / count;
      schedule.after(hours * 3_600_000, () => {
        const running = of();
        if (running.length > 0 && !faults.areOver) {
          faults.note(kind);
          draw.pick(running).life.crash();
        }
        next();
      });
    };
    next();
  }
}
