import { isInService, type MemberRef, type MemberState } from '../domain/balancer.ts';
import { type Floor, floorOf, memberKey, poolKey } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import { didYouMean } from '../lib/nearest.ts';
import { floorFrom } from './amounts.ts';
import type { Settings } from './settings.ts';

/** A pool as its balancer shows it now. */
export type PoolSeen = {
  readonly balancer: string;
  readonly pool: string;
  readonly members: readonly Pick<MemberState, 'member' | 'admin' | 'health'>[];
};

/** A pool when the plan is made. `out` and `enabled` hold names of members. */
export type Pool = {
  readonly key: string;
  readonly balancer: string;
  readonly pool: string;
  readonly floor: Floor;
  /** The floor in members. */
  readonly least: number;
  readonly configured: number;
  readonly out: ReadonlySet<string>;
  readonly enabled: ReadonlySet<string>;
  /** The balancer was asked; if not, every member is taken to be in service. */
  readonly seen: boolean;
};

/**
 * The pools that these members are in, in order of appearance. Throws `balancer_member_unknown` if a pool that was seen lacks a
 * member that the configuration names.
 */
export function poolsOf(
  members: readonly MemberRef[],
  seen: readonly PoolSeen[],
  settings: Settings,
): ReadonlyMap<string, Pool> {
  const named = Map.groupBy(members, poolKey);
  const found = new Map(seen.map((pool) => [poolKey(pool), pool]));
  const pools = [...named].map(([key, refs]) => poolOf(refs, found.get(key), settings));
  return new Map(pools.map((pool) => [pool.key, pool]));
}

function poolOf(refs: readonly MemberRef[], seen: PoolSeen | undefined, settings: Settings): Pool {
  const [first] = refs;
  if (!first) throw new EdgeError('internal', 'a pool without members');
  const members =
    seen?.members ?? refs.map(({ member }) => ({ member, admin: 'enabled', health: 'up' }) as const);
  refuseUnknown(refs, members);
  const amount =
    settings.floors[`${first.balancer}/${first.pool}`] ??
    settings.floors[first.pool] ??
    settings.policy.minInService;
  const floor = floorFrom(amount);
  const configured = new Set(members.map(({ member }) => member)).size;
  return {
    key: poolKey(first),
    balancer: first.balancer,
    pool: first.pool,
    floor,
    least: floorOf(floor, configured),
    configured,
    out: new Set(members.filter((state) => !isInService(state)).map(({ member }) => member)),
    enabled: new Set(members.filter(({ admin }) => admin === 'enabled').map(({ member }) => member)),
    seen: seen !== undefined,
  };
}

function refuseUnknown(refs: readonly MemberRef[], members: PoolSeen['members']): void {
  const names = new Set(members.map(({ member }) => member));
  const unknown = refs.find(({ member }) => !names.has(member));
  if (!unknown) return;
  throw new EdgeError(
    'balancer_member_unknown',
    `The pool ${unknown.pool} of ${unknown.balancer} has no member "${unknown.member}"`,
    { hint: didYouMean(unknown.member, names), where: { member: memberName(unknown) } },
  );
}

const memberName = ({ balancer, pool, member }: MemberRef) => `${balancer}/${pool}/${member}`;

/**
 * How many members of a pool a plan may have out at once: those above the floor, once the members that are going to be back
 * (`returning`, by member key: parked ones of the plan, and those that other deployments hold) are back.
 */
export function spareOf(pool: Pool, returning: ReadonlySet<string>): number {
  const lost = [...pool.out].filter((member) => !returning.has(memberKey({ ...pool, member })));
  return pool.configured - lost.length - pool.least;
}

export const poolName = (pool: { readonly balancer: string; readonly pool: string }) =>
  `${pool.balancer}/${pool.pool}`;
