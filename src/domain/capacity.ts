import type { AsFound, BalancerConfig, MemberRef, MemberState, PoolObservation } from './balancer.ts';
import type { DeploymentId } from './ids.ts';

/**
 * A member that Edge has taken, or means to take, out of service (contract C8). Its key is balancer + pool + member, so
 * two deployments can never hold one member. `parked` holds outlive their deployment until the member is returned.
 */
export type Hold = MemberRef & {
  readonly deployment: DeploymentId;
  readonly phase: 'taken' | 'parked';
  /** Why it was taken or is parked; one sentence for `edge status`. */
  readonly reason: string;
  readonly asFound: AsFound;
  readonly target: string;
};

/**
 * A member that is kept out of service, from the end of its drain until its return begins: `as` it was left, drained again if its
 * balancer forgets that.
 */
export type KeptMember = MemberRef & {
  readonly as: Exclude<MemberState['admin'], 'enabled'>;
  /** How its balancer is reached. */
  readonly reach: BalancerConfig;
};

/** A member with the settings it was found with. */
export type HeldMember = MemberRef & { readonly asFound: AsFound };

/** The outputs of a step marked `hold: 'take'`: what the pools of a target looked like, and how its members were found. */
export type GuardOutputs = {
  readonly observed: readonly PoolObservation[];
  readonly members: readonly HeldMember[];
};

export const memberKey = (ref: MemberRef): string => `${ref.balancer}|${ref.pool}|${ref.member}`;
export const poolKey = (ref: { balancer: string; pool: string }): string => `${ref.balancer}|${ref.pool}`;

/** `percent` is of the configured members, rounded up. */
export type Floor = { readonly count: number } | { readonly percent: number };

export function floorOf(floor: Floor, configured: number): number {
  return 'count' in floor ? floor.count : Math.ceil((configured * floor.percent) / 100);
}

/**
 * What would be in service if `taking` were taken: configured members less those seen out and less all that are held.
 * A set, not a difference of counts: a member that is held *and* seen out counts once, and a hold whose drain was not
 * yet applied when the pool was observed still counts (docs/decisions/0002).
 */
export function inServiceAfter(
  observed: PoolObservation,
  holds: Iterable<MemberRef>,
  taking: readonly string[],
): number {
  const out = new Set(observed.out);
  for (const hold of holds) if (poolKey(hold) === poolKey(observed)) out.add(hold.member);
  for (const member of taking) out.add(member);
  return observed.configured - out.size;
}

/** What a floor is of: a pool as it was seen, or what was seen of some of its members, without those in reserve. */
export function seenAmong(
  observed: PoolObservation,
  members?: ReadonlySet<string>,
): { readonly seen: PoolObservation; readonly isOfIt: (ref: MemberRef) => boolean } {
  const { balancer, pool, out, reserve = [] } = observed;
  if (!members) return { seen: observed, isOfIt: ({ member }) => !reserve.includes(member) };
  const sharing = reserve.length > 0 ? members.difference(new Set(reserve)) : members;
  const seen = { balancer, pool, configured: sharing.size, out: out.filter((member) => sharing.has(member)) };
  return { seen, isOfIt: ({ member }) => sharing.has(member) };
}

/** What a floor is of, in words: a pool, or the members that a zone has in it. */
export const partName = (pool: string, zone: string | undefined): string =>
  zone === undefined ? pool : `zone ${zone} of ${pool}`;
