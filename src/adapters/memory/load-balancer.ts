import { type AsFound, type MemberState, placeOf } from '../../domain/balancer.ts';
import { EdgeError } from '../../domain/errors.ts';
import { hostAndPort } from '../../lib/host-port.ts';
import type { LoadBalancer, MayWrite, PoolMember } from '../../ports/load-balancer.ts';

type Admin = MemberState['admin'];
type Health = MemberState['health'];
type Entry = {
  admin: Admin;
  health: Health;
  connections: number | undefined;
  weight: number;
  persistent: boolean;
  address: string | undefined;
};

/** The world's side of a balancer in memory: what its monitor sees, and who is connected. */
export type MemoryBalancer = LoadBalancer & {
  /** The members of a pool as they are, without a call. */
  look(pool: string): readonly MemberState[];
  setHealth(member: PoolMember, health: Health): void;
  setConnections(member: PoolMember, connections: number | undefined): void;
  /** Somebody else changes a member, past Edge. */
  editByHand(member: PoolMember, to: { readonly admin?: Admin; readonly weight?: number }): void;
  /** Its traffic goes there from now on, as `host` or `host:port`; a pool without such a member gets it. */
  setAddress(member: PoolMember, address: string): void;
  /** Takes a member out of its pool for good. */
  remove(member: PoolMember): void;
  /** `false`: every call rejects with `balancer_unreachable`. */
  setReachable(reachable: boolean): void;
  /** `true`: every call rejects with `balancer_refused`, and nothing is done. */
  setRefusing(refusing: boolean): void;
  /** As a reload does: every member is enabled again, as its configuration says; weights stay. */
  forgetDrains(): void;
};

export type MemoryBalancerOptions = {
  /** Clients that were there before may come to a drained member. */
  readonly persistent?: boolean;
  /** Called within each change of what a member is set to, or of its health, whoever made it. */
  readonly onChange?: (member: PoolMember, before: MemberState, after: MemberState) => void;
};

/** A balancer without a network, a clock or randomness: for tests of the engine and for the simulation. */
export function createMemoryBalancer(
  pools: Readonly<Record<string, readonly string[]>>,
  { onChange, persistent = false }: MemoryBalancerOptions = {},
): MemoryBalancer {
  const world = new Map(Object.entries(pools).map(([pool, names]) => [pool, newEntries(names, persistent)]));
  let reachable = true;
  let refusing = false;
  const look = (signal: AbortSignal): void => {
    signal.throwIfAborted();
    if (!reachable) throw new EdgeError('balancer_unreachable', 'the balancer in memory is switched off');
    if (refusing) throw new EdgeError('balancer_refused', 'the balancer in memory refuses every call');
  };
  const change = (member: PoolMember, to: Partial<Entry>): MemberState => {
    const entry = entryOf(world, member);
    const before = stateOf(member.member, entry);
    const after = stateOf(member.member, Object.assign(entry, to));
    if (before.admin !== after.admin || before.health !== after.health) onChange?.(member, before, after);
    return after;
  };
  const write = async (
    member: PoolMember,
    to: Partial<Entry>,
    { signal, mayWrite }: { readonly signal: AbortSignal; readonly mayWrite: MayWrite | undefined },
  ): Promise<MemberState> => {
    look(signal);
    mayWrite?.();
    return change(member, to);
  };
  return {
    members: async (pool, signal) => {
      look(signal);
      return [...entriesOf(world, pool)].map(([name, entry]) => stateOf(name, entry));
    },
    disable: (member, to, signal, mayWrite) => write(member, { admin: to }, { signal, mayWrite }),
    restore: (member, asFound, signal, mayWrite) =>
      write(member, parseAsFound(asFound), { signal, mayWrite }),
    close: async () => {},
    look: (pool) => [...entriesOf(world, pool)].map(([name, entry]) => stateOf(name, entry)),
    setHealth: (member, health) => void change(member, { health }),
    setConnections: (member, connections) => void change(member, { connections }),
    editByHand: (member, to) => void change(member, to),
    setAddress: ({ pool, member }, address) => {
      const entries = entriesOf(world, pool);
      entries.set(member, { ...(entries.get(member) ?? newEntry(persistent)), address });
    },
    remove: ({ pool, member }) => void entriesOf(world, pool).delete(member),
    setReachable: (to) => {
      reachable = to;
    },
    setRefusing: (to) => {
      refusing = to;
    },
    forgetDrains: () => {
      for (const [pool, entries] of world)
        for (const member of entries.keys()) change({ pool, member }, { admin: 'enabled' });
    },
  };
}

type World = ReadonlyMap<string, Map<string, Entry>>;

function newEntries(names: readonly string[], persistent: boolean): Map<string, Entry> {
  return new Map(names.map((name) => [name, newEntry(persistent)]));
}

const newEntry = (persistent: boolean): Entry => ({
  ...{ admin: 'enabled', health: 'up', connections: 0, weight: 1, persistent },
  address: undefined,
});

function entriesOf(world: World, pool: string): Map<string, Entry> {
  const entries = world.get(pool);
  if (!entries) throw new EdgeError('balancer_member_unknown', `no pool ${pool}`);
  return entries;
}

function entryOf(world: World, { pool, member }: PoolMember): Entry {
  const entry = entriesOf(world, pool).get(member);
  if (!entry) throw new EdgeError('balancer_member_unknown', `pool ${pool} has no member ${member}`);
  return entry;
}

function stateOf(member: string, entry: Entry): MemberState {
  const { admin, health, connections, weight, persistent, address } = entry;
  const asFound = { admin, weight };
  const { host, port } = address === undefined ? {} : hostAndPort(address);
  return {
    ...{ member, admin, health, connections, asFound },
    ...(persistent && { persistent }),
    ...placeOf(host, port),
  };
}

function parseAsFound({ admin, weight }: AsFound): Pick<Entry, 'admin' | 'weight'> {
  if ((admin === 'enabled' || admin === 'drained' || admin === 'offline') && typeof weight === 'number')
    return { admin, weight };
  throw new EdgeError('internal', 'what was found there was not recorded by this adapter');
}
