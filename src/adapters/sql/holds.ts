import { type Hold, memberKey, poolKey } from '../../domain/capacity.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import type { Commit } from '../../ports/journal.ts';
import { all, each, first, insert, type Operation, run, type Scope } from './operation.ts';

type Pool = { readonly balancer: string; readonly pool: string };
type Changes = Pick<Commit, 'takeHolds' | 'parkHolds' | 'giveHolds' | 'keepOut' | 'poolVersions'>;

/** Versions of pools by `poolKey`; 0 of a pool that nobody has held a member of. */
export type LockedPools = ReadonlyMap<string, Pool & { readonly version: number }>;

/** The pools whose holds the commit changes, in one order for all commits; until it ends nobody else changes them. */
export function* lockPools(
  scope: Scope,
  deployment: DeploymentId,
  { takeHolds, parkHolds, giveHolds }: Changes,
): Operation<LockedPools> {
  const left = yield* poolsOfTargets(deployment, [...parkHolds, ...giveHolds]);
  const pools = poolsOf([...takeHolds, ...left]).toSorted((a, b) => (poolKey(a) < poolKey(b) ? -1 : 1));
  const locked = new Map<string, Pool & { readonly version: number }>();
  for (const pool of pools) locked.set(poolKey(pool), { ...pool, version: yield* lockPool(scope, pool) });
  return locked;
}

/** A row that is not there cannot be locked: of two deployments that are the first in a pool, one waits for the other here. */
function* lockPool({ dialect }: Scope, { balancer, pool }: Pool): Operation<number> {
  const select = `SELECT version FROM pools WHERE balancer = ? AND pool = ? ${dialect.forUpdate}`;
  const row = yield* first<{ version: number }>(select, balancer, pool);
  if (row) return row.version;
  const orIgnore = dialect.orIgnore(['balancer', 'pool']);
  yield* run(`INSERT INTO pools (balancer, pool, version) VALUES (?, ?, 0) ${orIgnore}`, balancer, pool);
  return (yield* first<{ version: number }>(select, balancer, pool))?.version ?? 0;
}

/** Whether the holds may be taken: every pool is as it was read, and no member is taken by another deployment. */
export function* canTake(
  deployment: DeploymentId,
  changes: Changes,
  locked: LockedPools,
): Operation<boolean> {
  for (const pool of poolsOf(changes.takeHolds)) {
    const version = locked.get(poolKey(pool))?.version ?? 0;
    if (version !== (changes.poolVersions[poolKey(pool)] ?? 0)) return false;
    if (!(yield* isFree(deployment, pool, changes.takeHolds))) return false;
  }
  return true;
}

/** A member that is parked may be adopted by any deployment; one that is taken only by its own. */
function* isFree(deployment: DeploymentId, pool: Pool, wanted: readonly Hold[]): Operation<boolean> {
  const others = yield* all<{ member: string }>(
    `SELECT member FROM holds WHERE balancer = ? AND pool = ? AND phase = 'taken' AND deployment <> ?`,
    pool.balancer,
    pool.pool,
    deployment,
  );
  if (others.length === 0) return true;
  const taken = new Set(others.map(({ member }) => memberKey({ ...pool, member })));
  return !wanted.some((hold) => taken.has(memberKey(hold)));
}

/** Writes the changes of a commit to `holds` and raises the version of each pool that they touch. */
export function* changeHolds(
  scope: Scope,
  deployment: DeploymentId,
  { takeHolds, parkHolds, giveHolds, keepOut, pools }: Changes & { readonly pools: LockedPools },
): Operation<void> {
  yield* takeAll(scope, deployment, takeHolds);
  yield* each(
    `UPDATE holds SET phase = 'parked', reason = ? WHERE deployment = ? AND target = ?`,
    parkHolds.map(({ target, reason }) => [reason, deployment, target]),
  );
  yield* keep(deployment, keepOut);
  yield* each(
    'DELETE FROM holds WHERE deployment = ? AND target = ?',
    giveHolds.map(({ target }) => [deployment, target]),
  );
  yield* each(
    'UPDATE pools SET version = version + 1 WHERE balancer = ? AND pool = ?',
    [...pools.values()].map(({ balancer, pool }) => [balancer, pool]),
  );
}

/** The settings a member was found with are those of its first taker: `as_found` of a row that exists stays. */
function* takeAll(scope: Scope, deployment: DeploymentId, holds: readonly Hold[]): Operation<void> {
  const key = ['balancer', 'pool', 'member'];
  yield* insert(
    {
      into: 'INSERT INTO holds (balancer, pool, member, deployment, target, phase, reason, as_found)',
      row: "(?, ?, ?, ?, ?, 'taken', ?, ?)",
      end: scope.dialect.orUpdate(key, ['deployment', 'target', 'phase', 'reason']),
    },
    holds.map(({ balancer, pool, member, target, reason, asFound }) => [
      balancer,
      pool,
      member,
      deployment,
      target,
      reason,
      JSON.stringify(asFound),
    ]),
  );
}

/** A drain that has ended, and a return that begins: what the keepers of the pool are told next. */
function* keep(deployment: DeploymentId, keepOut: Commit['keepOut']): Operation<void> {
  for (const { target, pool: workerPool, members } of keepOut) {
    yield* run('UPDATE holds SET keep_as = NULL WHERE deployment = ? AND target = ?', deployment, target);
    yield* each(
      `UPDATE holds SET keep_as = ?, worker_pool = ?, reach = ?
       WHERE balancer = ? AND pool = ? AND member = ? AND deployment = ? AND target = ?`,
      members.map(({ balancer, pool, member, as, reach }) => {
        return [as, workerPool, JSON.stringify(reach), balancer, pool, member, deployment, target];
      }),
    );
  }
}

function* poolsOfTargets(
  deployment: DeploymentId,
  targets: readonly { readonly target: string }[],
): Operation<readonly Pool[]> {
  if (targets.length === 0) return [];
  return yield* all<Pool>(
    `SELECT DISTINCT balancer, pool FROM holds WHERE deployment = ? AND target IN (?)`,
    deployment,
    targets.map(({ target }) => target),
  );
}

function poolsOf(refs: readonly Pool[]): readonly Pool[] {
  return [...new Map(refs.map((ref) => [poolKey(ref), ref])).values()];
}
