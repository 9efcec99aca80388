import type { NewDeployment } from '../../domain/command.ts';
import type { Event } from '../../domain/event.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import { deploys, targetCount } from '../../domain/plan.ts';
import { DRIVER_TOPIC, WATCH_TOPIC } from '../../domain/topics.ts';
import type { Created, Summary } from '../../ports/journal.ts';
import { first, insert, type Operation, type Row, run, type Scope } from './operation.ts';

/**
 * `Journal.create`. Of many at once for one project and environment, the unique key of `locks` lets one through. What does not deploy
 * has a row there that is its own: it is in nobody's way.
 */
export function* create(scope: Scope, made: NewDeployment): Operation<Created> {
  const { id, plan } = made;
  // A caller that lost the reply comes again with the same id.
  if (yield* first('SELECT 1 FROM deployments WHERE id = ?', id)) return { kind: 'created' };
  const place = deploys(plan.verb) ? [plan.project, plan.environment] : ['', id];
  const holder = yield* first<{ deployment: DeploymentId }>(
    `SELECT deployment FROM locks WHERE project = ? AND environment = ? ${scope.dialect.forUpdate}`,
    ...place,
  );
  if (holder) return { kind: 'locked', holder: holder.deployment };
  yield* insertDeployment(scope, made);
  yield* run('INSERT INTO locks (project, environment, deployment) VALUES (?, ?, ?)', ...place, id);
  return { kind: 'created' };
}

/** The rows of a deployment that is about to exist, without its lock. */
export function* insertDeployment(scope: Scope, made: NewDeployment): Operation<void> {
  const { id, plan, planHash } = made;
  const orIgnore = scope.dialect.orIgnore(['hash']);
  yield* run(`INSERT INTO plans (hash, body) VALUES (?, ?) ${orIgnore}`, planHash, JSON.stringify(plan));
  yield* run(INSERT_DEPLOYMENT, ...deploymentRow(scope.now, made));
  yield* insert(
    { into: 'INSERT INTO deployment_pools (deployment, balancer, pool)', row: '(?, ?, ?)' },
    poolRows(made),
  );
  yield* run(
    'INSERT INTO events (deployment, version, at, body) VALUES (?, 1, ?, ?)',
    id,
    scope.now,
    JSON.stringify(createdEvent(made)),
  );
  scope.ring(DRIVER_TOPIC);
  scope.ring(WATCH_TOPIC);
}

const INSERT_DEPLOYMENT = `INSERT INTO deployments (
  id, project, environment, verb, hard, release_id, release_version, plan_hash, created_by, caused_by, created_at,
  status, reason, counts, exceptions, stream_version, lease_epoch, lease_until, driven_at, open
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, 0, 1, 0, 0, ?, 1)`;

function deploymentRow(now: number, { id, plan, planHash, by, reason }: NewDeployment): Row {
  const counts: Summary['counts'] = {
    total: targetCount(plan),
    succeeded: 0,
    failed: 0,
    skipped: 0,
    active: 0,
  };
  return [
    id,
    plan.project,
    plan.environment,
    plan.verb,
    plan.hard ? 1 : 0,
    plan.release,
    plan.release === null ? null : (plan.releases[plan.release]?.version ?? null),
    planHash,
    by,
    plan.causedBy?.deployment ?? null,
    now,
    reason,
    JSON.stringify(counts),
    now,
  ];
}

/** Every pool that a target of the plan is in: whose holds the driver wants to see (contract C8). */
function poolRows({ id, plan }: NewDeployment): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const { balancer, pool } of [...plan.floors, ...plan.targets.flatMap((target) => target.members)]) {
    rows.set(JSON.stringify([balancer, pool]), [id, balancer, pool]);
  }
  return [...rows.values()];
}

function createdEvent({ plan, planHash, by, reason, madeFrom, listed, recordAt }: NewDeployment): Event {
  return {
    kind: 'deployment.created',
    planHash,
    project: plan.project,
    environment: plan.environment,
    verb: plan.verb,
    by,
    reason,
    ...(plan.causedBy && { causedBy: plan.causedBy.deployment }),
    ...(madeFrom && { madeFrom }),
    ...(listed !== undefined && { listed }),
    ...(recordAt !== undefined && { recordAt }),
  };
}
