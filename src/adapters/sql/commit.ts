import type { NewDeployment } from '../../domain/command.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import { DRIVER_TOPIC, WATCH_TOPIC } from '../../domain/topics.ts';
import type { Committed, Lease } from '../../ports/journal.ts';
import { insertDeployment } from './create.ts';
import { canTake, changeHolds, lockPools } from './holds.ts';
import { all, first, insert, type Operation, run, type Scope } from './operation.ts';
import type { PackedCommit } from './packed.ts';
import { changedRecords } from './records.ts';
import { changeTasks } from './tasks.ts';

type Place = { readonly project: string; readonly environment: string };

/** `Journal.commit`. All questions come before the first write, so that `lost` and `stale` have changed nothing. */
export function* commit(scope: Scope, lease: Lease, changes: PackedCommit): Operation<Committed> {
  const { deployment } = lease;
  const place = yield* ownedPlace(scope, lease, changes.expectedVersion);
  if (!place) return { kind: 'lost' };
  const pools = yield* lockPools(scope, deployment, changes);
  if (!(yield* canTake(deployment, changes, pools))) return { kind: 'stale' };
  const changed = yield* changedRecords(scope, changes.madeFrom ?? []);
  if (changed.length > 0) return { kind: 'outdated', changed };
  const version = yield* appendEvents(scope, deployment, changes);
  yield* removeHandled(scope, deployment, changes.handled);
  yield* changeTasks(scope, deployment, changes);
  yield* changeHolds(scope, deployment, { ...changes, pools });
  yield* recordPlaced(scope, { ...place, deployment }, changes);
  yield* summarize(scope, deployment, { ...changes, version });
  if (changes.successor) yield* handOver(scope, deployment, changes.successor);
  if (changes.summary.ended) yield* close(scope, deployment);
  scope.ring(WATCH_TOPIC);
  return { kind: 'committed', version, now: scope.now };
}

/** The compare of the compare-and-set: nothing, if another owner, epoch or version is there. */
function* ownedPlace(scope: Scope, lease: Lease, version: number): Operation<Place | undefined> {
  return yield* first<Place>(
    `SELECT project, environment FROM deployments
     WHERE id = ? AND lease_owner = ? AND lease_epoch = ? AND stream_version = ? ${scope.dialect.forUpdate}`,
    lease.deployment,
    lease.owner,
    lease.epoch,
    version,
  );
}

function* appendEvents(scope: Scope, deployment: DeploymentId, changes: PackedCommit): Operation<number> {
  const { expectedVersion, events, snapshot } = changes;
  const version = expectedVersion + events.length;
  yield* insert(
    { into: 'INSERT INTO events (deployment, version, at, body)', row: '(?, ?, ?, ?)' },
    events.map((event, index) => [deployment, expectedVersion + index + 1, scope.now, event]),
  );
  if (snapshot === undefined) return version;
  yield* run(
    `INSERT INTO snapshots (deployment, version, state) VALUES (?, ?, ?)
     ${scope.dialect.orUpdate(['deployment'], ['version', 'state'])}`,
    deployment,
    version,
    snapshot,
  );
  return version;
}

/** Where others add rows meanwhile, by key: a DELETE that searches would wait for theirs. */
function* removeHandled(
  { dialect }: Scope,
  deployment: DeploymentId,
  handled: PackedCommit['handled'],
): Operation<void> {
  if (handled.length === 0) return;
  const which = `FROM inbox WHERE id IN (?) AND deployment = ?`;
  if (!dialect.manyWriters) {
    yield* run(`DELETE ${which}`, handled, deployment);
    return;
  }
  const rows = yield* all<{ seq: number }>(`SELECT seq ${which}`, handled, deployment);
  if (rows.length === 0) return;
  yield* run(
    `DELETE FROM inbox WHERE seq IN (?)`,
    rows.map(({ seq }) => seq),
  );
}

function* recordPlaced(
  scope: Scope,
  at: Place & { readonly deployment: DeploymentId },
  changes: Pick<PackedCommit, 'placed' | 'unproven'>,
): Operation<void> {
  const key = ['project', 'environment', 'target'];
  yield* insert(
    {
      into: 'INSERT INTO placed (project, environment, target, release_id, at, deployment, unproven)',
      row: '(?, ?, ?, ?, ?, ?, 0)',
      end: scope.dialect.orUpdate(key, ['release_id', 'at', 'deployment', 'unproven']),
    },
    changes.placed.map(({ target, release }) => [
      at.project,
      at.environment,
      target,
      release,
      scope.now,
      at.deployment,
    ]),
  );
  if (changes.unproven.length === 0) return;
  yield* run(
    `UPDATE placed SET unproven = 1 WHERE project = ? AND environment = ? AND target IN (?)`,
    at.project,
    at.environment,
    changes.unproven,
  );
}

function* summarize(
  scope: Scope,
  deployment: DeploymentId,
  changes: PackedCommit & { readonly version: number },
): Operation<void> {
  const { summary, isStart, version, wakeAt } = changes;
  const startedAt = isStart ? scope.now : null;
  yield* run(
    `UPDATE deployments SET status = ?, reason = ?, counts = ?, exceptions = ?, stream_version = ?, wake_at = ?,
       started_at = COALESCE(started_at, ?), ended_at = COALESCE(ended_at, ?), driven_at = ? WHERE id = ?`,
    summary.status,
    summary.reason,
    JSON.stringify(summary.counts),
    summary.exceptions,
    version,
    wakeAt,
    startedAt,
    summary.ended ? scope.now : null,
    scope.now,
    deployment,
  );
}

/** The rollback gets the lock and what its parent holds, in the transaction that makes it (contract C7). */
function* handOver(scope: Scope, parent: DeploymentId, successor: NewDeployment): Operation<void> {
  yield* insertDeployment(scope, successor);
  yield* run('UPDATE locks SET deployment = ? WHERE deployment = ?', successor.id, parent);
  yield* run('UPDATE holds SET deployment = ? WHERE deployment = ?', successor.id, parent);
}

/**
 * Frees the lock, and leaves nothing that a worker could still claim. A driver looks at the deployment again only if the
 * inbox still has something for it.
 */
function* close(scope: Scope, deployment: DeploymentId): Operation<void> {
  yield* run('DELETE FROM locks WHERE deployment = ?', deployment);
  yield* run('DELETE FROM tasks WHERE deployment = ?', deployment);
  const waiting = yield* first('SELECT 1 FROM inbox WHERE deployment = ? LIMIT 1', deployment);
  yield* run('UPDATE deployments SET open = ? WHERE id = ?', waiting ? 1 : 0, deployment);
  scope.ring(DRIVER_TOPIC);
}
