import { isInService, type MemberRef, type MemberState, withoutReserve } from '../domain/balancer.ts';
import { type Floor, floorOf, memberKey, poolKey } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import { didYouMean } from '../lib/nearest.ts';
import { floorFrom } from './amounts.ts';
import type { Settings } from './settings.ts';

/** A pool as its balancer shows it now. */
export type PoolSeen = {
  readonly balancer: string;
  readonly pool: string;
  readonly members: readonly Pick<MemberState, 'member' | 'admin' | 'health' | 'reserve'>[];
};

/** What a floor is of: a whole pool, or the members that a zone has in it. */
export type Part = {
  readonly balancer: string;
  readonly pool: string;
  readonly zone?: ZonePart;
  readonly floor: Floor;
  /** The floor in members. */
  readonly least: number;
  /** Names of the members that its traffic is shared among: without those in reserve. */
  readonly sharing: ReadonlySet<string>;
  /** So many. */
  readonly configured: number;
  /** Those of them that are out of service. */
  readonly missing: ReadonlySet<string>;
};

/** Names of members, those in reserve too. */
type ZonePart = { readonly name: string; readonly members: ReadonlySet<string> };

/** A pool when the plan is made. */
export type Pool = Part & {
  readonly key: string;
  /** Those that have a floor of their own. */
  readonly zones: readonly Part[];
  /** Members that get traffic only once too few others are available. */
  readonly reserve: number;
  /** Names of members that are out of service, those in reserve too. */
  readonly out: ReadonlySet<string>;
  readonly enabled: ReadonlySet<string>;
  /** The balancer was asked; if not, every member is taken to be in service. */
  readonly seen: boolean;
};

/** A member of a target of that zone. */
export type ZonedMember = MemberRef & { readonly zone: string };

/**
 * The pools that these members are in, in order of appearance. Throws `balancer_member_unknown` if a pool that was seen lacks a
 * member that the configuration names.
 */
export function poolsOf(
  members: readonly ZonedMember[],
  seen: readonly PoolSeen[],
  settings: Settings,
): ReadonlyMap<string, Pool> {
  const named = Map.groupBy(members, poolKey);
  const found = new Map(seen.map((pool) => [poolKey(pool), pool]));
  const pools = [...named].map(([key, refs]) => poolOf(refs, found.get(key), settings));
  return new Map(pools.map((pool) => [pool.key, pool]));
}

function poolOf(refs: readonly ZonedMember[], seen: PoolSeen | undefined, settings: Settings): Pool {
  const [first] = refs;
  if (!first) throw new EdgeError('internal', 'a pool without members');
  const members =
    seen?.members ?? refs.map(({ member }): SeenMember => ({ member, admin: 'enabled', health: 'up' }));
  refuseUnknown(refs, members);
  const own = settings.floors[`${first.balancer}/${first.pool}`] ?? settings.floors[first.pool];
  const floor = floorFrom(own ?? settings.policy.minInService);
  const counted = withoutReserve(members);
  const sharing = new Set(counted.map(({ member }) => member));
  const missing = outOf(counted);
  const { balancer, pool } = first;
  return {
    key: poolKey(first),
    balancer,
    pool,
    floor,
    least: floorOf(floor, sharing.size),
    sharing,
    configured: sharing.size,
    reserve: members.length - counted.length,
    out: outOf(members),
    missing,
    // Said of this very pool, that it may be empty is said of each zone in it.
    zones: own === 0 || own === '0%' ? [] : zonesOf(refs, { sharing, missing }, settings),
    enabled: new Set(members.filter(({ admin }) => admin === 'enabled').map(({ member }) => member)),
    seen: seen !== undefined,
  };
}

/** A floor of nothing is none; one of members that are all in reserve now may be one of some later. */
function zonesOf(
  refs: readonly ZonedMember[],
  { sharing, missing }: Readonly<Record<'sharing' | 'missing', ReadonlySet<string>>>,
  { policy: { minInServicePerZone: amount = 0 } }: Settings,
): readonly Part[] {
  const floor = floorFrom(amount);
  return [...Map.groupBy(refs, ({ zone }) => zone)].flatMap(([name, ofZone]): readonly Part[] => {
    const members = new Set(ofZone.map(({ member }) => member));
    const [first] = ofZone;
    if (!first || floorOf(floor, members.size) === 0) return [];
    const { balancer, pool } = first;
    const inZone = { sharing: members.intersection(sharing), missing: missing.intersection(members) };
    const configured = inZone.sharing.size;
    const least = floorOf(floor, configured);
    return [{ balancer, pool, zone: { name, members }, floor, least, configured, ...inZone }];
  });
}

type SeenMember = PoolSeen['members'][number];

const outOf = (members: readonly SeenMember[]): ReadonlySet<string> =>
  new Set(members.filter((state) => !isInService(state)).map(({ member }) => member));

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

/** A pool, and its zones that have a floor of their own. */
export const partsOf = (pool: Pool): readonly Part[] => [pool, ...pool.zones];

/** The same for the floor of a plan and what it is of. */
export function partKey(part: {
  readonly balancer: string;
  readonly pool: string;
  readonly zone?: { readonly name: string };
}): string {
  return part.zone ? zoneKey(part, part.zone.name) : poolKey(part);
}

export const zoneKey = (pool: { readonly balancer: string; readonly pool: string }, zone: string): string =>
  `${poolKey(pool)}|${zone}`;

/**
 * How many members of a pool, or of a zone in it, a plan may have out at once: those above the floor, once the members that are
 * going to be back (`returning`, by member key: parked ones of the plan, and those that other deployments hold) are back.
 */
export function spareOf(pool: Part, returning: ReadonlySet<string>): number {
  const lost = [...pool.missing].filter((member) => !returning.has(memberKey({ ...pool, member })));
  return pool.configured - lost.length - pool.least;
}

/** As a sentence begins. */
export const partTitle = (part: Part): string =>
  part.zone ? `Zone ${part.zone.name} of ${poolName(part)}` : `The pool ${poolName(part)}`;

export const poolName = (pool: { readonly balancer: string; readonly pool: string }) =>
  `${pool.balancer}/${pool.pool}`;
