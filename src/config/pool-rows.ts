import type { MemberState } from '../domain/balancer.ts';
import { composed } from '../domain/fields.ts';
import type { PoolSource } from '../domain/inventory.ts';
import { hostAndPort } from '../lib/host-port.ts';
import type { InventoryRows } from './inventory-rows.ts';

const HINT =
  'The balancer does not tell all that the target needs: write `name` or `address` of the inventory so that they need no more, or exclude it.';

/** The members of a pool as rows: each is the host that it says, and a member there. */
export function poolRows(
  source: PoolSource,
  members: readonly Pick<MemberState, 'member' | 'address' | 'port'>[],
): InventoryRows {
  const rows = members.map((state) => ({
    value: targetOf(source, state),
    at: `member ${state.member}`,
    hint: HINT,
  }));
  return { rows, problems: [] };
}

function targetOf(
  source: PoolSource,
  { member, address, port }: Pick<MemberState, 'member' | 'address' | 'port'>,
): object {
  const told = { member, host: hostOf(member), address, port };
  const name = composed(source.name, told);
  const words = { ...told, name };
  const at = composed(source.address, words);
  const of = source.balancer === undefined ? {} : { balancer: source.balancer };
  const others = (source.also ?? []).map((form) => {
    const text = composed(form, words);
    const slash = text?.indexOf('/') ?? 0;
    return text === undefined ? null : { ...of, pool: text.slice(0, slash), member: text.slice(slash + 1) };
  });
  return {
    ...(name !== undefined && { name }),
    ...(at !== undefined && { address: at }),
    ...(port !== undefined && { port }),
    members: [{ ...of, pool: source.pool, member }, ...others],
  };
}

/** `web-1` of `/Common/web-1:8080`. */
const hostOf = (member: string): string => hostAndPort(member.slice(member.lastIndexOf('/') + 1)).host;
