import type { BalancerConfig, MemberRef, MemberState } from '../domain/balancer.ts';
import { asEdgeError } from '../domain/errors.ts';
import type { ActionContext } from '../ports/action.ts';
import { withTimeout } from './timeout.ts';

/** The members of a target, and how their balancers are reached. */
export type MembersPlace = {
  readonly members: readonly MemberRef[];
  readonly balancers: Readonly<Record<string, BalancerConfig>>;
};

/**
 * Whether the monitors of the balancers see every member up. A member that is drained is looked at as ever; of one that is
 * offline, or without a monitor, a balancer knows nothing, and that is said and no pass.
 */
export async function lookAtMembers(
  context: ActionContext,
  { members, balancers }: MembersPlace,
  timeoutMs: number,
): Promise<{ readonly passed: boolean; readonly seen: string }> {
  try {
    const seen = await withTimeout(context, timeoutMs, (signal) => {
      return Promise.all(members.map((ref) => stateOf(context, balancers[ref.balancer], ref, signal)));
    });
    if (seen === 'timeout') return { passed: false, seen: `no balancer answered within ${timeoutMs} ms` };
    const wrong = seen.flatMap((state, index) => wrongWith(state, members[index]));
    return {
      passed: wrong.length === 0,
      seen: wrong.join(', ') || `its balancer sees ${namesOf(members)} up`,
    };
  } catch (thrown) {
    context.signal.throwIfAborted();
    return { passed: false, seen: asEdgeError(thrown).message };
  }
}

async function stateOf(
  { ports }: ActionContext,
  config: BalancerConfig | undefined,
  { pool, member }: MemberRef,
  signal: AbortSignal,
): Promise<MemberState | undefined> {
  if (config === undefined) return undefined;
  const device = await ports.balancer(config);
  return (await device.members(pool, signal)).find((state) => state.member === member);
}

function wrongWith(state: MemberState | undefined, ref: MemberRef | undefined): readonly string[] {
  const name = ref ? nameOf(ref) : '';
  if (state === undefined) return [`${name} is not there`];
  if (state.admin === 'offline')
    return [`whether ${name} is up is unknown: its balancer looks at no member that is offline`];
  if (state.health === 'unknown') return [`whether ${name} is up is unknown: it has no monitor`];
  return state.health === 'up' ? [] : [`its balancer sees ${name} as ${state.health}`];
}

const nameOf = ({ balancer, pool, member }: MemberRef): string => `${member} (${pool} of ${balancer})`;
const namesOf = (members: readonly MemberRef[]): string => members.map(nameOf).join(', ');
