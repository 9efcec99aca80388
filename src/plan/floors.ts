import { memberKey, poolKey } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import { type Pool, poolName, spareOf } from './pools.ts';
import type { PlanRequest } from './request.ts';
import { takesCapacity, type Worked } from './stages.ts';

export type Spare = {
  /** By pool key: how many members may be out at once. */
  readonly spare: ReadonlyMap<string, number>;
  /** Pools that cannot spare a target yet, but will when members are back. */
  readonly short: readonly Pool[];
};

/** Throws `floor_impossible` if the floor of a pool leaves no target of the plan that may ever be taken out. */
export function spareCapacity(
  targets: readonly Worked[],
  pools: ReadonlyMap<string, Pool>,
  heldByOthers: PlanRequest['heldByOthers'],
): Spare {
  const parked = targets.filter((target) => target.parked).flatMap(({ members }) => members);
  const returning = new Set([...parked, ...heldByOthers].map(memberKey));
  const spare = new Map([...pools].map(([key, pool]) => [key, spareOf(pool, returning)]));
  const short: Pool[] = [];
  for (const [key, most] of mostTaken(targets)) {
    const pool = pools.get(key);
    if (!pool) continue;
    if ((spare.get(key) ?? 0) < most) throw impossible(pool, most);
    if (pool.configured - pool.out.size - pool.least < most) short.push(pool);
  }
  return { spare, short };
}

/** By pool key: the most members that a single target takes out of it. */
function mostTaken(targets: readonly Worked[]): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  for (const { members } of targets.filter(takesCapacity)) {
    const taken = new Map<string, number>();
    for (const member of members) taken.set(poolKey(member), (taken.get(poolKey(member)) ?? 0) + 1);
    for (const [key, count] of taken) most.set(key, Math.max(most.get(key) ?? 0, count));
  }
  return most;
}

function impossible(pool: Pool, most: number): EdgeError {
  const inService = pool.configured - pool.out.size;
  const one = pool.configured === 1;
  return new EdgeError(
    'floor_impossible',
    `The pool ${poolName(pool)} has ${inService} of ${pool.configured} members in service and a floor of ${pool.least}: ` +
      `taking out ${most} is not possible`,
    {
      where: { path: `floors.${pool.pool}` },
      ...(one && {
        hint: 'A pool of one needs an explicit `minInService: 0`; nothing serves while it changes.',
      }),
    },
  );
}
