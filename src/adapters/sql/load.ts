import type { Hold } from '../../domain/capacity.ts';
import { poolKey } from '../../domain/capacity.ts';
import { EdgeError } from '../../domain/errors.ts';
import type { StoredEvent } from '../../domain/event.ts';
import type { CommandId, DeploymentId, PlanHash, TaskId } from '../../domain/ids.ts';
import type { Plan } from '../../domain/plan.ts';
import type { Json } from '../../lib/json.ts';
import type { Lease, Loaded } from '../../ports/journal.ts';
import { type HoldRow, toHold } from './hold-row.ts';
import { parse } from './json.ts';
import { all, first, type Operation, type Scope } from './operation.ts';
import type { PackedLot } from './packed.ts';

/** `Journal.load`. */
export function* load(_scope: Scope, deployment: DeploymentId): Operation<Loaded> {
  const found = yield* first<{ plan_hash: PlanHash; body: string }>(
    'SELECT plan_hash, body FROM deployments JOIN plans ON hash = plan_hash WHERE id = ?',
    deployment,
  );
  if (!found) throw new EdgeError('deployment_unknown', `There is no deployment ${deployment}.`);
  const snapshot = yield* first<{ version: number; state: string }>(
    'SELECT version, state FROM snapshots WHERE deployment = ?',
    deployment,
  );
  return {
    plan: parse<Plan>(found.body),
    planHash: found.plan_hash,
    snapshot: snapshot ? { version: snapshot.version, state: parse<Json>(snapshot.state) } : null,
    events: yield* eventsAfter(deployment, snapshot?.version ?? 0),
  };
}

type EventRow = { readonly version: number; readonly at: number; readonly body: string };

/** Events of a deployment with a version above `after`, in order; all of them where no limit is given. */
export function* eventsAfter(
  deployment: DeploymentId,
  after: number,
  limit = Number.MAX_SAFE_INTEGER,
): Operation<readonly StoredEvent[]> {
  const rows = yield* all<EventRow>(
    'SELECT version, at, body FROM events WHERE deployment = ? AND version > ? ORDER BY version LIMIT ?',
    deployment,
    after,
    limit,
  );
  return rows.map(({ version, at, body }) => ({ deployment, version, at, event: parse(body) }));
}

/** `Journal.read`. One transaction: holds and pool versions belong together. */
export function* read(scope: Scope, lease: Lease, limit: number): Operation<PackedLot> {
  const { deployment } = lease;
  const rows = yield* all<{ id: CommandId; body: string }>(
    'SELECT id, body FROM inbox WHERE deployment = ? ORDER BY seq LIMIT ?',
    deployment,
    limit + 1,
  );
  return {
    now: scope.now,
    rows: rows.slice(0, limit).map(({ id }) => id),
    bodies: rows.slice(0, limit).map(({ body }) => body),
    more: rows.length > limit,
    overdue: yield* overdue(scope.now, deployment),
    holds: yield* holdsAround(deployment),
    poolVersions: yield* poolVersions(deployment),
  };
}

/** A task that has reported is not overdue: its answer is in the inbox. */
function* overdue(now: number, deployment: DeploymentId): Operation<readonly TaskId[]> {
  const rows = yield* all<{ id: TaskId }>(
    `SELECT id FROM tasks WHERE deployment = ? AND deadline_at <= ? AND state <> 'reported' ORDER BY n`,
    deployment,
    now,
  );
  return rows.map(({ id }) => id);
}

function* holdsAround(deployment: DeploymentId): Operation<readonly Hold[]> {
  const rows = yield* all<HoldRow>(
    `SELECT h.balancer, h.pool, h.member, h.deployment, h.target, h.phase, h.reason, h.as_found
     FROM deployment_pools p JOIN holds h ON h.balancer = p.balancer AND h.pool = p.pool WHERE p.deployment = ?`,
    deployment,
  );
  return rows.map(toHold);
}

function* poolVersions(deployment: DeploymentId): Operation<Readonly<Record<string, number>>> {
  const rows = yield* all<{ balancer: string; pool: string; version: number | null }>(
    `SELECT p.balancer, p.pool, v.version
     FROM deployment_pools p LEFT JOIN pools v ON v.balancer = p.balancer AND v.pool = p.pool WHERE p.deployment = ?`,
    deployment,
  );
  return Object.fromEntries(rows.map((row) => [poolKey(row), row.version ?? 0]));
}
