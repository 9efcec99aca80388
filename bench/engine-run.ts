import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { memoryBell } from '../src/adapters/memory/bell.ts';
import type { Store } from '../src/adapters/sql/ports.ts';
import { openSqliteStore } from '../src/adapters/sqlite/store.ts';
import { poolKey } from '../src/domain/capacity.ts';
import { commandId, type DeploymentId, deploymentId, parseTaskId, workerId } from '../src/domain/ids.ts';
import { type Plan, stepsOfTarget } from '../src/domain/plan.ts';
import { WATCH_TOPIC } from '../src/domain/topics.ts';
import { Driver } from '../src/engine/driver.ts';
import { buildPlan } from '../src/plan/build-plan.ts';
import { planHash } from '../src/plan/hash.ts';
import type { PlanRequest } from '../src/plan/request.ts';
import { planRollback } from '../src/plan/rollback.ts';
import { datacenter } from '../src/platforms/datacenter/plan.ts';
import type { ClaimedTask, Report } from '../src/ports/task-board.ts';
import type { DeploymentRow } from '../src/ports/views.ts';
import { CAPABILITIES } from '../test/support/capabilities.ts';
import { requestOf, simulated, type Workload } from './engine-request.ts';

// bin/node bench/engine-run.ts <targets> <simulated|datacenter>: one deployment, one JSON object. A process of its own, so that its
// memory is its own.

export type EngineRun = {
  readonly workload: Workload;
  readonly targets: number;
  readonly steps: number;
  readonly repeats: number;
  readonly stepsPerS: number;
  readonly peakRssMb: number;
  readonly planMs: number;
  readonly events: number;
  /** Processor time of all threads: what does not depend on who else uses the machine. */
  readonly cpuUsPerStep: number;
  /** What the disk and SQLite alone allow: rows like those of events, in commits of as many, one after the other. */
  readonly rawRowsPerS: number;
};

/** As many as the simulated workload lets run side by side: one worker with room for all of them. */
const CLAIM = 1_000;
const POOL = 'default';
const bell = memoryBell();

/** Unmeasured, so that the code is warm, as a server's is. */
const WARM = 500;
/** Short deployments are done again until they have as many as the longest one, so that all are of code as warm; the median counts. */
const REPEATED_STEPS = 60_000;

async function measure(targets: number, workload: Workload): Promise<EngineRun> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));
  try {
    const store = await openSqliteStore({ folder, bell });
    const stopDriver = startDriver(store);
    await deployment(store, deploymentId('warm'), planFor(requestOf(WARM, workload), workload));
    const request = requestOf(targets, workload);
    const beforePlan = performance.now();
    const plan = planFor(request, workload);
    const planMs = Math.round(performance.now() - beforePlan);
    const repeats = Math.max(1, Math.round(REPEATED_STEPS / stepsIn(plan)));
    const done: Measured[] = [];
    for (let n = 0; n < repeats; n += 1) done.push(await deployment(store, deploymentId(`bench-${n}`), plan));
    await stopDriver();
    await store.close();
    const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1_024);
    const median = done.sort((a, b) => a.stepsPerS - b.stepsPerS)[Math.floor(repeats / 2)];
    if (!median) throw new Error('nothing was measured');
    return {
      workload,
      targets,
      steps: stepsIn(plan),
      repeats,
      ...median,
      peakRssMb,
      planMs,
      rawRowsPerS: raw(folder),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function planFor(request: PlanRequest, workload: Workload): Plan {
  const { plan } = buildPlan(request, datacenter);
  return workload === 'simulated' ? simulated(plan) : plan;
}

type Measured = Pick<EngineRun, 'stepsPerS' | 'cpuUsPerStep' | 'events'>;

async function deployment(store: Store, id: DeploymentId, plan: Plan): Promise<Measured> {
  const cpu = process.cpuUsage();
  await store.journal.create({ id, plan, planHash: planHash(plan), by: 'bench', reason: 'bench' });
  const steps = await work(store, id, plan);
  const { user, system } = process.cpuUsage(cpu);
  const { streamVersion, createdAt, endedAt } = await check(store, id, { plan, steps });
  // By the record itself: the loop below may look for its end a little late.
  const stepsPerS = Math.round((steps * 1_000) / ((endedAt ?? 0) - createdAt));
  return { stepsPerS, cpuUsPerStep: Math.round((user + system) / steps), events: streamVersion };
}

/** The driver of one process, for all of its deployments, as in the product. Gives a way to end it. */
function startDriver(store: Store): () => Promise<void> {
  let ids = 0;
  const next = () => `id-${ids++}`;
  const driver = new Driver(
    {
      journal: store.journal,
      bell,
      ids: { deployment: () => deploymentId(next()), command: () => commandId(next()) },
    },
    {
      owner: 'bench',
      gone: [],
      leaseMs: 30_000,
      sweepMs: 1_000,
      planRollback,
      hashPlan: planHash,
      onFault: (_deployment, fault) => {
        throw fault;
      },
    },
  );
  const stop = new AbortController();
  const driving = driver.run(stop.signal);
  return async () => {
    stop.abort();
    await driving;
  };
}

/** One worker, until the deployment has ended; how many steps were done. */
async function work({ tasks, views }: Store, id: DeploymentId, plan: Plan): Promise<number> {
  const balancer = new Balancer(plan);
  const total = stepsIn(plan);
  const never = new AbortController().signal;
  const worker = workerId('bench/worker/1');
  let steps = 0;
  for (;;) {
    const claimed = await tasks.claim({
      worker,
      pool: POOL,
      capabilities: CAPABILITIES,
      max: CLAIM,
      leaseMs: 60_000,
      gone: [],
    });
    const now = Date.now();
    const reports = claimed.map(
      (task): Report => ({ ...task, startedAt: now, outcome: balancer.outcome(task) }),
    );
    if (reports.length > 0) await tasks.report(worker, reports);
    steps += claimed.length;
    if (steps < total) {
      if (claimed.length < CLAIM) await tasks.waitForWork(POOL, 1_000, never);
    } else if ((await views.deployments({ id, ended: true, limit: 1 })).length > 0) return steps;
    else await bell.wait(WATCH_TOPIC, 1_000, never);
  }
}

/** What each step should give at once; a guard sees which members of its pool are out. */
class Balancer {
  readonly #plan: Plan;
  readonly #configured: Map<string, number>;
  readonly #out = new Map<string, Set<string>>();

  constructor(plan: Plan) {
    this.#plan = plan;
    const pools = plan.targets.flatMap(({ members }) => members.map(poolKey));
    this.#configured = new Map([...Map.groupBy(pools, (key) => key)].map(([key, of]) => [key, of.length]));
  }

  outcome({ task, action }: ClaimedTask): Report['outcome'] {
    const [member] = this.#plan.targets[parseTaskId(task).target]?.members ?? [];
    if (!member) throw new Error(`${task} has no member`);
    const key = poolKey(member);
    const out = this.#out.get(key) ?? new Set();
    this.#out.set(key, out);
    if (action === 'balancer.drain@1') out.add(member.member);
    if (action === 'balancer.enable@1') out.delete(member.member);
    if (action === 'host.run@1') return { kind: 'done', outputs: { exitCode: 0 } };
    if (action !== 'capacity.guard@1') return { kind: 'done', outputs: {} };
    const { balancer, pool } = member;
    const observed = [{ balancer, pool, configured: this.#configured.get(key) ?? 0, out: [...out] }];
    return {
      kind: 'done',
      outputs: { observed, members: [{ ...member, asFound: { admin: 'ready', weight: 100 } }] },
    };
  }
}

/** All targets have the same. */
const stepsIn = (plan: Plan): number => plan.targets.length * stepsOfTarget(plan, 0).length;

/** A wrong run has no speed: every target has to be on the release, by all of its steps, with nothing left out of service. */
async function check(
  { views }: Store,
  id: DeploymentId,
  { plan, steps }: { readonly plan: Plan; readonly steps: number },
): Promise<DeploymentRow> {
  const [row] = await views.deployments({ id, limit: 1 });
  const { holds } = await views.fleet({});
  const isWhole =
    row?.status === 'succeeded' && row.counts.succeeded === plan.targets.length && holds.length === 0;
  if (!row || !isWhole || steps !== stepsIn(plan))
    throw new Error(`It went wrong: ${JSON.stringify({ row, steps })}`);
  return row;
}

function raw(folder: string): number {
  const database = new DatabaseSync(join(folder, 'raw.db'));
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, body)',
  );
  const insert = database.prepare('INSERT INTO rows (body) VALUES (?)');
  const body = 'x'.repeat(160);
  const begin = performance.now();
  const rows = 100 * CLAIM;
  for (let done = 0; done < rows; done += CLAIM) {
    database.exec('BEGIN IMMEDIATE');
    for (let row = 0; row < CLAIM; row += 1) insert.run(body);
    database.exec('COMMIT');
  }
  database.close();
  return Math.round((rows * 1_000) / (performance.now() - begin));
}

if (import.meta.main) {
  const [targets, workload] = process.argv.slice(2);
  console.log(
    JSON.stringify(await measure(Number(targets), workload === 'datacenter' ? workload : 'simulated')),
  );
}
