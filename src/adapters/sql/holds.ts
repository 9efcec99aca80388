import { type Hold, memberKey, poolKey } from '../../domain/capacity.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import type { Commit } from '../../ports/journal.ts';
import { all, each, first, insert, type Operation, run, type Scope } from './operation.ts';

type Pool = { readonly balancer: string; readonly pool: string };
type Changes = Pick<Commit, 'takeHolds' | 'parkHolds' | 'giveHolds' | 'poolVersions'>;

/** Whether the holds may be taken: every pool is as it was read, and no member is taken by another deployment. */
export function* canTake(scope: Scope, deployment: DeploymentId, changes: Changes): Operation<boolean> {
  for (const pool of poolsOf(changes.takeHolds)) {
    const row = yield* first<{ version: number }>(
      `SELECT version FROM pools WHERE balancer = ? AND pool = ? ${scope.dialect.forUpdate}`,
      pool.balancer,
      pool.pool,
    );
    if ((row?.version ?? 0) !== (changes.poolVersions[poolKey(pool)] ?? 0)) return false;
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
export function* changeHolds(scope: Scope, deployment: DeploymentId, changes: Changes): Operation<void> {
  const { takeHolds, parkHolds, giveHolds } = changes;
  if (takeHolds.length + parkHolds.length + giveHolds.length === 0) return;
  const left = yield* poolsOfTargets(scope, deployment, [...parkHolds, ...giveHolds]);
  yield* takeAll(scope, deployment, takeHolds);
  yield* each(
    `UPDATE holds SET phase = 'parked', reason = ? WHERE deployment = ? AND target = ?`,
    parkHolds.map(({ target, reason }) => [reason, deployment, target]),
  );
  yield* each(
    'DELETE FROM holds WHERE deployment = ? AND target = ?',
    giveHolds.map(({ target }) => [deployment, target]),
  );
  yield* raiseVersions(scope, poolsOf([...takeHolds, ...left]));
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

function* poolsOfTargets(
  scope: Scope,
  deployment: DeploymentId,
  targets: readonly { readonly target: string }[],
): Operation<readonly Pool[]> {
  if (targets.length === 0) return [];
  return yield* all<Pool>(
    `SELECT DISTINCT balancer, pool FROM holds WHERE deployment = ? AND ${scope.dialect.inTexts('target')}`,
    deployment,
    JSON.stringify(targets.map(({ target }) => target)),
  );
}

function* raiseVersions(scope: Scope, pools: readonly Pool[]): Operation<void> {
  for (const { balancer, pool } of pools) {
    yield* run(
      `${scope.dialect.insertIgnore} pools (balancer, pool, version) VALUES (?, ?, 0)`,
      balancer,
      pool,
    );
    yield* run('UPDATE pools SET version = version + 1 WHERE balancer = ? AND pool = ?', balancer, pool);
  }
}

function poolsOf(refs: readonly Pool[]): readonly Pool[] {
  return [...new Map(refs.map((ref) => [poolKey(ref), ref])).values()];
}
