import type { Hold } from '../../src/domain/capacity.ts';
import type { NewDeployment } from '../../src/domain/command.ts';
import {
  type CommandId,
  commandId,
  type DeploymentId,
  deploymentId,
  planHash,
  releaseId,
  type TaskId,
  taskId,
  type WorkerId,
  workerId,
} from '../../src/domain/ids.ts';
import type { Plan, PlanTarget } from '../../src/domain/plan.ts';
import { hashOf } from '../../src/lib/hash.ts';
import type {
  Acquire,
  Commit,
  Journal,
  Lease,
  NewTask,
  Submitted,
  Summary,
} from '../../src/ports/journal.ts';
import type { Claim, ClaimedTask, Report } from '../../src/ports/task-board.ts';

// Small, valid values for the contract suites: each test says only what it is about.

export const POOL = { balancer: 'f5-1', pool: 'shop' };
export const WORKER: WorkerId = workerId('host-1/worker/1');
export const RELEASE = releaseId('2.0.0-0a1b2c3d');

type PlanOptions = {
  readonly project?: string;
  readonly targets?: number;
  readonly verb?: Plan['verb'];
};

export function plan(options: PlanOptions = {}): Plan {
  return {
    planSchema: 1,
    verb: options.verb ?? 'deploy',
    hard: false,
    project: options.project ?? 'shop',
    environment: 'production',
    platform: 'datacenter',
    release: RELEASE,
    releases: { [RELEASE]: { id: RELEASE, version: '2.0.0', hash: '0a1b2c3d', artifacts: [] } },
    targets: Array.from({ length: options.targets ?? 2 }, (_, index) => target(index)),
    sequences: {},
    stages: [],
    floors: [{ ...POOL, floor: { count: 1 } }],
    policy: {
      maxFailures: { batch: {}, zone: {}, deployment: {} },
      onFailure: { health: 'rollback', other: 'pause' },
      onUnknown: 'pause',
      capacity: { retryMs: 1_000, holdAfterMs: 60_000 },
      holdLimitMs: 86_400_000,
      parallel: 10,
    },
  };
}

const target = (index: number): PlanTarget => ({
  name: `web-${index}`,
  zone: 'a',
  pool: 'dc-1',
  members: [{ ...POOL, member: `web-${index}:8080` }],
  inServiceBefore: true,
  release: RELEASE,
  before: null,
  facts: {},
});

export function deployment(id: string, options: PlanOptions = {}): NewDeployment {
  const made = plan(options);
  return {
    id: deploymentId(id),
    plan: made,
    planHash: planHash(hashOf(made)),
    by: 'ada',
    reason: 'release 2.0.0',
  };
}

export const SUMMARY: Summary = {
  status: 'running',
  reason: '',
  counts: { total: 2, succeeded: 0, failed: 0, skipped: 0, active: 2 },
  ended: false,
  exceptions: 0,
};
export const ENDED: Summary = { ...SUMMARY, status: 'succeeded', ended: true };

/** A commit of nothing, at version 1 unless it says otherwise. */
export const commitOf = (changes: Partial<Commit> = {}): Commit => ({
  expectedVersion: 1,
  events: [],
  handled: [],
  open: [],
  close: [],
  rearm: [],
  cancel: [],
  takeHolds: [],
  parkHolds: [],
  giveHolds: [],
  keepOut: [],
  poolVersions: {},
  placed: [],
  unproven: [],
  summary: SUMMARY,
  wakeAt: null,
  ...changes,
});

export const pause = (id: string, of: DeploymentId): Submitted => ({
  deployment: of,
  command: { id: commandId(id), by: 'ada', kind: 'pause', reason: 'lunch' },
});

export const idsOf = (rows: readonly { readonly id: CommandId }[]): readonly string[] =>
  rows.map(({ id }) => id);

export const taskOf = (of: DeploymentId, index: number): TaskId =>
  taskId({ deployment: of, target: index, step: 0, group: 0 });

export const task = (of: DeploymentId, index: number, changes: Partial<NewTask> = {}): NewTask => ({
  id: taskOf(of, index),
  target: `web-${index}`,
  step: 'install',
  action: 'run@1',
  pool: 'dc-1',
  inputs: { argv: ['true'] },
  wakeAt: 0,
  deadlineAt: Number.MAX_SAFE_INTEGER,
  ...changes,
});

export const claimOf = (changes: Partial<Claim> = {}): Claim => ({
  worker: WORKER,
  pool: 'dc-1',
  capabilities: ['run@1'],
  max: 100,
  leaseMs: 10_000,
  gone: [],
  ...changes,
});

export const done = (claimed: Pick<ClaimedTask, 'task' | 'epoch' | 'attempt'>): Report => ({
  task: claimed.task,
  epoch: claimed.epoch,
  attempt: claimed.attempt,
  startedAt: 1_000,
  outcome: { kind: 'done', outputs: { code: 0 } },
});

export const waiting = (
  claimed: Pick<ClaimedTask, 'task' | 'epoch' | 'attempt'>,
  wakeAfterMs: number,
): Report => ({
  ...done(claimed),
  outcome: { kind: 'wait', checkpoint: { seen: 1 }, wakeAfterMs, progress: '1 of 3' },
});

export const hold = (of: DeploymentId, index: number, changes: Partial<Hold> = {}): Hold => ({
  ...POOL,
  member: `web-${index}:8080`,
  deployment: of,
  phase: 'taken',
  reason: 'deploying 2.0.0',
  asFound: { session: 'user-enabled' },
  target: `web-${index}`,
  ...changes,
});

/** Leases without the lots that come with them: those are what `read` gives. */
export async function leasesOf(journal: Journal, wanted: Omit<Acquire, 'lot'>): Promise<readonly Lease[]> {
  return (await journal.acquire({ ...wanted, lot: 0 })).map(({ lease: taken }) => taken);
}

/** Makes a deployment and takes its lease. */
export async function lease(journal: Journal, made: NewDeployment, owner = 'driver-1'): Promise<Lease> {
  await journal.create(made);
  const leases = await leasesOf(journal, { owner, leaseMs: 10_000, limit: 100, gone: [] });
  const found = leases.find((one) => one.deployment === made.id);
  if (!found) throw new Error(`no lease on ${made.id}`);
  return found;
}
