import type { BalancerConfig, MemberRef, MemberState } from '../../domain/balancer.ts';
import { poolKey } from '../../domain/capacity.ts';
import { EdgeError } from '../../domain/errors.ts';
import type { ActionContext } from '../../ports/action.ts';
import type { LoadBalancer } from '../../ports/load-balancer.ts';

/** How to reach the balancers, by the name that members use. */
export type Balancers = Readonly<Record<string, BalancerConfig>>;

/** A member with what its balancer says of it now. */
export type SeenMember = MemberRef & { readonly state: MemberState };

/** A pool of the members, with all its members as they are now. */
export type SeenPool = {
  readonly balancer: string;
  readonly pool: string;
  readonly states: readonly MemberState[];
};

export async function balancerOf(
  context: ActionContext,
  balancers: Balancers,
  name: string,
): Promise<LoadBalancer> {
  const config = balancers[name];
  if (!config) throw new EdgeError('config_reference', `The plan names no balancer \`${name}\``);
  return context.ports.balancer(config);
}

/** Each pool that one of the members is in, asked once, in the order of the members. */
export async function lookAtPools(
  context: ActionContext,
  balancers: Balancers,
  members: readonly MemberRef[],
): Promise<readonly SeenPool[]> {
  const pools = new Map(members.map((member) => [poolKey(member), member]));
  const seen: SeenPool[] = [];
  for (const { balancer, pool } of pools.values()) {
    const device = await balancerOf(context, balancers, balancer);
    seen.push({ balancer, pool, states: await device.members(pool, context.signal) });
  }
  return seen;
}

/** What the pools say of the members. Throws `balancer_member_unknown` for one that its pool does not have. */
export function pick<Ref extends MemberRef>(
  pools: readonly SeenPool[],
  members: readonly Ref[],
): readonly (Ref & SeenMember)[] {
  return members.map((ref) => {
    const pool = pools.find((one) => poolKey(one) === poolKey(ref));
    const state = pool?.states.find(({ member }) => member === ref.member);
    if (state) return { ...ref, state };
    throw new EdgeError(
      'balancer_member_unknown',
      `The pool ${ref.pool} of the balancer ${ref.balancer} has no member ${ref.member}`,
      { where: { member: `${ref.balancer}/${ref.pool}/${ref.member}` } },
    );
  });
}

export const nameOf = ({ balancer, pool, member }: MemberRef): string => `${member} (${pool} of ${balancer})`;
