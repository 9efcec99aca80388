import { type TaskId, taskId, type WorkerId } from '../../domain/ids.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import type { FaultPart } from '../faults.ts';
import { EPOCH_MS } from '../life.ts';

type Committed = Extract<Fact, { kind: 'committed' }>;
type Claimed = Extract<Fact, { kind: 'claimed' }>;
type Claim = { readonly worker: WorkerId; readonly attempt: number; readonly atMs: number };

/**
 * I4: a commit is that of the server whose lease stands in the store, and a result that of the worker that claimed the task
 * last; of a worker that nothing has struck no task is taken. I7: a worker with free places leaves nothing lying that is due in
 * its pool, once the world has healed nothing waits until its deadline, and what is told to stop while all is well is proven to
 * have stopped.
 */
export const ownership: MakeInvariant = (eyes) => {
  const claims = new Map<TaskId, Claim>();
  /** Without those that have reported since. */
  const held = new Map<TaskId, Claim>();
  const grants = new Map<string, number>();
  return {
    see: (fact) => {
      if (fact.kind === 'claimed') {
        const { worker } = fact.request;
        for (const { task, attempt } of fact.tasks) {
          checkTaken(eyes, fact, { task, before: held.get(task), attempt });
          const claim = { worker, attempt, atMs: eyes.schedule.nowMs };
          claims.set(task, claim);
          held.set(task, claim);
        }
        checkLeft(eyes, fact);
      }
      if (fact.kind !== 'committed' || fact.committed.kind !== 'committed') return;
      checkLease(eyes, fact);
      checkResults(eyes, claims, fact);
      checkDeadlines(eyes, grants, fact);
      checkCancels(eyes, fact);
      for (const { task } of fact.commit.rearm) held.delete(task);
    },
  };
};

/** Another worker may still write to a member that is to be returned. */
const IS_KEPT = `EXISTS (SELECT 1 FROM holds h WHERE h.deployment = tasks.deployment AND h.target = tasks.target
  AND h.keep_as IS NULL AND (h.keeper <> ? OR h.silent_until > ?))`;

function checkLeft({ store, schedule, checked, violate }: Eyes, { request, tasks }: Claimed): void {
  checked('I7');
  if (tasks.length >= request.max) return;
  const rows = store.look<{ id: TaskId; action: string }>(
    `SELECT id, action FROM tasks WHERE pool = ? AND due_at <= ? AND NOT ${IS_KEPT}`,
    request.pool,
    EPOCH_MS + schedule.nowMs,
    request.worker,
    EPOCH_MS + schedule.nowMs,
  );
  const left = rows.find(({ action }) => request.capabilities.includes(action));
  if (left) violate('I7', `${request.worker} has free places and leaves ${left.id}, which is due`);
}

function checkLease({ store, checked, violate }: Eyes, { lease }: Committed): void {
  const [row] = store.look<{ lease_owner: string; lease_epoch: number }>(
    'SELECT lease_owner, lease_epoch FROM deployments WHERE id = ?',
    lease.deployment,
  );
  checked('I4');
  if (row && (row.lease_owner !== lease.owner || row.lease_epoch !== lease.epoch))
    violate('I4', `${lease.owner} wrote to ${lease.deployment}, which is ${row.lease_owner}'s`);
}

function checkResults(
  { checked, violate }: Eyes,
  claims: ReadonlyMap<TaskId, Claim>,
  { lease, commit }: Committed,
): void {
  for (const event of commit.events) {
    if (!('worker' in event) || event.worker === null) continue;
    const task = taskId({ deployment: lease.deployment, ...event });
    const last = claims.get(task);
    checked('I4');
    if (last?.worker !== event.worker || last.attempt !== event.attempt)
      violate('I4', `${event.worker} ended ${task}, which ${last?.worker ?? 'nobody'} has`);
  }
}

/** What was paused or cut off when the world healed has come back by then. */
const BACK_MS = 180_000;

function checkDeadlines(
  { scenario, schedule, checked, violate }: Eyes,
  grants: Map<string, number>,
  { lease: { deployment }, commit }: Committed,
): void {
  const { nowMs } = schedule;
  for (const event of commit.events) {
    if (event.kind === 'tasks.granted')
      for (const target of event.targets) grants.set(`${deployment}/${target}`, nowMs);
    if (event.kind !== 'task.cancelling' || event.why !== 'deadline') continue;
    const granted = grants.get(`${deployment}/${event.target}`) ?? 0;
    checked('I7');
    if (granted > scenario.faultsUntilMs + BACK_MS)
      violate(
        'I7',
        `${deployment}: step ${event.step} of target ${event.target} was not done in a world that is well`,
      );
  }
}

/** What keeps a worker from its leases. */
const EDGE: ReadonlySet<FaultPart> = new Set([
  'store',
  'commit',
  'board',
  'crash',
  'server',
  'worker',
  'process',
]);
const EDGE_AND_HOSTS: ReadonlySet<FaultPart> = new Set([...EDGE, 'host']);
/** After it whatever was struck works again: processes are restarted, calls that were lost are given up. */
const OVER_MS = 60_000;

type Taken = { readonly task: TaskId; readonly before: Claim | undefined; readonly attempt: number };

/** To go on after a wait is the same attempt: one more without a report between was begun while another worked on it. */
function checkTaken(
  { struckAtMs, checked, violate }: Eyes,
  { request }: Claimed,
  { task, before, attempt }: Taken,
): void {
  if (!before || attempt === before.attempt) return;
  checked('I4');
  if (struckAtMs(EDGE) + OVER_MS < before.atMs)
    violate('I4', `${request.worker} took ${task} from ${before.worker}, which works on it`);
}

/** What was struck has this long to work again, and to end a task and prove it: a little less than Edge itself waits. */
const PROOF_MS = 110_000;

function checkCancels(
  { schedule, struckAtMs, checked, violate }: Eyes,
  { lease: { deployment }, commit }: Committed,
): void {
  for (const event of commit.events) {
    if (event.kind !== 'task.unknown' || event.worker !== null) continue;
    checked('I7');
    if (struckAtMs(EDGE_AND_HOSTS) + PROOF_MS < schedule.nowMs)
      violate(
        'I7',
        `${deployment}: nobody has ended step ${event.step} of target ${event.target} in a world that is well`,
      );
  }
}
