import type { StoredEvent } from '../../domain/event.ts';
import type { DeploymentId, PlanHash, ReleaseId, TaskId } from '../../domain/ids.ts';
import type { Plan, PlanVerb } from '../../domain/plan.ts';
import type { Summary } from '../../ports/journal.ts';
import type {
  DeploymentFilter,
  DeploymentRow,
  Fleet,
  OutputQuery,
  OutputRow,
  PlacedRelease,
  TaskRow,
} from '../../ports/views.ts';
import { type HoldRow, toHold } from './hold-row.ts';
import { parse } from './json.ts';
import { eventsAfter } from './load.ts';
import { all, first, type Operation, type Scope } from './operation.ts';
import { DEPLOYS, whereAll } from './where.ts';

type StoredDeployment = {
  readonly id: DeploymentId;
  readonly project: string;
  readonly environment: string;
  readonly verb: PlanVerb;
  readonly hard: number;
  readonly release_id: ReleaseId | null;
  readonly release_version: string | null;
  readonly plan_hash: PlanHash;
  readonly created_by: string;
  readonly caused_by: DeploymentId | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly status: Summary['status'];
  readonly reason: string;
  readonly counts: string;
  readonly exceptions: number;
  readonly stream_version: number;
};

/** `Views.deployments`. */
export function* viewDeployments(
  _scope: Scope,
  filter: DeploymentFilter,
): Operation<readonly DeploymentRow[]> {
  const ended = filter.ended === undefined ? undefined : Number(filter.ended);
  const deploying = filter.deploys === undefined ? undefined : Number(filter.deploys);
  const where = whereAll([
    ['id = ?', filter.id],
    ['project = ?', filter.project],
    ['environment = ?', filter.environment],
    ['release_id = ?', filter.release],
    ['(ended_at IS NOT NULL) = ?', ended],
    [DEPLOYS, deploying],
    ['verb = ?', filter.verb],
    ['verb <> ?', filter.besides],
    ['created_by = ?', filter.by],
    ['created_at <= ?', filter.until],
  ]);
  const rows = yield* all<StoredDeployment>(
    `SELECT id, project, environment, verb, hard, release_id, release_version, plan_hash, created_by, caused_by,
       created_at, started_at, ended_at, status, reason, counts, exceptions, stream_version
     FROM deployments ${where.sql} ORDER BY created_at DESC, id DESC LIMIT ?`,
    ...where.params,
    filter.limit,
  );
  return rows.map(toDeploymentRow);
}

const toDeploymentRow = (row: StoredDeployment): DeploymentRow => ({
  id: row.id,
  project: row.project,
  environment: row.environment,
  verb: row.verb,
  hard: row.hard === 1,
  release: row.release_id,
  version: row.release_version,
  planHash: row.plan_hash,
  by: row.created_by,
  causedBy: row.caused_by,
  createdAt: row.created_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  status: row.status,
  reason: row.reason,
  counts: parse(row.counts),
  ended: row.ended_at !== null,
  exceptions: row.exceptions,
  streamVersion: row.stream_version,
});

/** `Views.plan`. */
export function* viewPlan(_scope: Scope, deployment: DeploymentId): Operation<Plan | null> {
  const row = yield* first<{ body: string }>(
    'SELECT body FROM deployments JOIN plans ON hash = plan_hash WHERE id = ?',
    deployment,
  );
  return row ? parse<Plan>(row.body) : null;
}

/** `Views.events`. */
export function* viewEvents(
  _scope: Scope,
  deployment: DeploymentId,
  range: { readonly after: number; readonly limit: number },
): Operation<readonly StoredEvent[]> {
  return yield* eventsAfter(deployment, range.after, range.limit);
}

type StoredTask = {
  readonly id: TaskId;
  readonly target: string;
  readonly step: string;
  readonly action: string;
  readonly pool: string;
  readonly state: 'ready' | 'waiting' | 'claimed' | 'reported';
  readonly owner: string | null;
  readonly attempt: number;
  readonly wake_at: number;
  readonly deadline_at: number;
  readonly progress: string | null;
};

/** `Views.tasks`. One that has reported counts as claimed until the engine has dealt with it. */
export function* viewTasks(_scope: Scope, deployment: DeploymentId): Operation<readonly TaskRow[]> {
  const rows = yield* all<StoredTask>(
    `SELECT id, target, step, action, pool, state, owner, attempt, wake_at, deadline_at, progress
     FROM tasks WHERE deployment = ? ORDER BY n`,
    deployment,
  );
  return rows.map(({ id, state, owner, wake_at, deadline_at, ...row }) => ({
    ...row,
    task: id,
    status: state === 'reported' ? 'claimed' : state,
    worker: owner,
    wakeAt: wake_at,
    deadlineAt: deadline_at,
  }));
}

type StoredOutput = Omit<OutputRow, 'text'> & { readonly body: string };

/** `Views.output`. */
export function* viewOutput(_scope: Scope, query: OutputQuery): Operation<readonly OutputRow[]> {
  const where = whereAll([
    ['deployment = ?', query.deployment],
    ['id > ?', query.after],
    ['task = ?', query.task],
    ['target = ?', query.target],
  ]);
  const rows = yield* all<StoredOutput>(
    `SELECT id, task, target, step, at, body FROM output ${where.sql} ORDER BY id LIMIT ?`,
    ...where.params,
    query.limit,
  );
  return rows.map(({ body, ...row }) => ({ ...row, text: body }));
}

type StoredPlaced = Omit<PlacedRelease, 'release' | 'unproven'> & {
  readonly release_id: ReleaseId;
  readonly unproven: number;
};
type FleetQuery = { readonly project?: string; readonly environment?: string };

/** `Views.fleet`. */
export function* viewFleet(_scope: Scope, query: FleetQuery): Operation<Fleet> {
  const where = whereAll([
    ['project = ?', query.project],
    ['environment = ?', query.environment],
  ]);
  const holds = yield* all<HoldRow>(
    `SELECT h.balancer, h.pool, h.member, h.deployment, h.target, h.phase, h.reason, h.as_found
     FROM holds h JOIN deployments d ON d.id = h.deployment ${where.sql} ORDER BY h.balancer, h.pool, h.member`,
    ...where.params,
  );
  const placed = yield* all<StoredPlaced>(
    `SELECT project, environment, target, release_id, at, deployment, unproven FROM placed
     ${where.sql} ORDER BY project, environment, target`,
    ...where.params,
  );
  return {
    holds: holds.map(toHold),
    targets: placed.map(({ release_id, unproven, ...row }) => {
      return { ...row, release: release_id, unproven: unproven !== 0 };
    }),
  };
}
