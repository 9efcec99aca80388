import type { DeploymentId } from '../../domain/ids.ts';
import { DRIVER_TOPIC } from '../../domain/topics.ts';
import type { Acquire, Lease } from '../../ports/journal.ts';
import type { Dialect } from './dialect.ts';
import { read } from './load.ts';
import { all, type Operation, run, type Scope } from './operation.ts';
import type { PackedAcquired } from './packed.ts';

type Row = {
  readonly id: DeploymentId;
  readonly lease_owner: string | null;
  readonly lease_epoch: number;
  readonly lease_until: number;
};

/**
 * What only a lease that has run out or whose owner is gone, or the caller's own, lets through; and only where there is
 * something to do. A deployment without a driver is to be driven, whether or not it has rows that say so. One that somebody
 * is just changing is left to the next sweep.
 */
const selectSql = ({ alongIndex, forUpdateOfFree }: Dialect): string =>
  `SELECT id, lease_owner, lease_epoch, lease_until FROM deployments d ${alongIndex('deployments_open')}
  WHERE open = 1 AND (lease_owner = ? OR lease_until <= ? OR lease_owner IN (?))
    AND ((ended_at IS NULL AND (lease_until <= ? OR wake_at <= ? OR lease_owner IN (?)))
      OR EXISTS (SELECT 1 FROM inbox i WHERE i.deployment = d.id)
      OR EXISTS (SELECT 1 FROM tasks t WHERE t.deployment = d.id AND t.deadline_at <= ? AND t.state <> 'reported'))
  ORDER BY driven_at LIMIT ? ${forUpdateOfFree}`;

/** `Journal.acquire`. Oldest driven first; an own lease is renewed in its second half only, so that most calls write nothing. */
export function* acquire(scope: Scope, wanted: Acquire): Operation<readonly PackedAcquired[]> {
  const { now } = scope;
  const { gone } = wanted;
  const params = [wanted.owner, now, gone, now, now, gone, now, wanted.limit];
  const rows = yield* all<Row>(selectSql(scope.dialect), ...params);
  const acquired: PackedAcquired[] = [];
  for (const row of rows) {
    const lease = yield* take(now, row, wanted);
    acquired.push({ lease, lot: yield* read(scope, lease, wanted.lot) });
  }
  return acquired;
}

function* take(now: number, row: Row, wanted: Acquire): Operation<Lease> {
  const { owner, leaseMs } = wanted;
  const isOwn = row.lease_owner === owner;
  const leftMs = row.lease_until - now;
  if (isOwn && leftMs > leaseMs / 2) {
    return { deployment: row.id, owner, epoch: row.lease_epoch, leaseMs: leftMs };
  }
  const epoch = isOwn ? row.lease_epoch : row.lease_epoch + 1;
  yield* run(
    'UPDATE deployments SET lease_owner = ?, lease_epoch = ?, lease_until = ?, driven_at = ? WHERE id = ?',
    owner,
    epoch,
    now + leaseMs,
    now,
    row.id,
  );
  return { deployment: row.id, owner, epoch, leaseMs };
}

/** `Journal.release`. The epoch stays: whoever takes over raises it. */
export function* release(scope: Scope, owner: string): Operation<void> {
  const { now } = scope;
  yield* run(
    'UPDATE deployments SET lease_until = ? WHERE open = 1 AND lease_owner = ? AND lease_until > ?',
    now,
    owner,
    now,
  );
  scope.ring(DRIVER_TOPIC);
}
