import * as z from 'zod';
import { type AsFound, isInService, type MemberState, placeOf } from '../../domain/balancer.ts';
import { nodeKey, portOf, shortName } from './names.ts';

/** A member as the device's configuration shows it. Unknown values of `state` stay readable: newer versions add some. */
const MemberSchema = z.object({
  fullPath: z.string(),
  session: z.string(),
  state: z.string(),
  ratio: z.number().optional(),
  priorityGroup: z.number().optional(),
  address: z.string().optional(),
});
export type WireMember = z.infer<typeof MemberSchema>;

/** A pool with its members inside. `items` is left out when a collection is empty. */
const PoolSchema = z.object({
  minActiveMembers: z.number().default(0),
  membersReference: z.object({ items: z.array(MemberSchema).default([]) }),
});
export type WirePool = { readonly minActiveMembers: number; readonly members: readonly WireMember[] };

/** A single member. Some versions answer 200 for one that is not there, and then leave out its address. */
export const parseMember = (body: unknown): WireMember | undefined =>
  MemberSchema.extend({ address: z.string() }).safeParse(body).data;
export function parsePool(body: unknown): WirePool | undefined {
  const pool = PoolSchema.safeParse(body).data;
  return pool && { minActiveMembers: pool.minActiveMembers, members: pool.membersReference.items };
}

/**
 * A member in the words of the port. Without statistics its connections are unknown, and so is its node. A disabled member
 * takes clients with a persistence record still, and no answer tells whether its pool has such a profile: it counts as having.
 */
export function memberState(wire: WireMember, partition: string, stats?: WireStats): MemberState {
  const admin = adminOf(wire);
  const { session, state, ratio, priorityGroup } = wire;
  return {
    member: shortName(wire.fullPath, partition),
    admin: admin === 'enabled' && stats?.nodeDisabled ? 'drained' : admin,
    health: healthOf(wire.state),
    connections: stats?.connections,
    persistent: true,
    ...placeOf(addressOf(wire), portOf(wire.fullPath)),
    asFound: {
      ...{ session, state },
      ...(ratio !== undefined && { ratio }),
      ...(priorityGroup !== undefined && { priorityGroup }),
    },
  };
}

/** Without its route domain (`10.0.0.1%2`). A node by name that has not resolved shows `any`, or no address at all. */
function addressOf({ address }: WireMember): string | undefined {
  const bare = address?.split('%', 1)[0];
  return bare === undefined || bare === '' || /^any6?$|^0\.0\.0\.0$|^::$/.test(bare) ? undefined : bare;
}

/**
 * The members of a pool in the words of the port. With `minActiveMembers`, groups become active from the highest down until
 * so many of their members are available; the others are in reserve (INTEGRATIONS.md 1.3).
 */
export function poolStates(
  { minActiveMembers, members }: WirePool,
  partition: string,
  stats: ReadonlyMap<string, WireStats>,
): readonly MemberState[] {
  const known = members.map((wire) => {
    const state = memberState(wire, partition, stats.get(nodeKey(wire.fullPath)));
    return { group: wire.priorityGroup ?? 0, state };
  });
  if (minActiveMembers === 0) return known.map(({ state }) => state);
  const groups = [...new Set(known.map(({ group }) => group))].sort((a, b) => b - a);
  const available = (least: number): number =>
    known.filter(({ group, state }) => group >= least && isInService(state)).length;
  const lowest = groups.find((group) => available(group) >= minActiveMembers) ?? 0;
  return known.map(({ group, state }) => {
    if (group < lowest) return { ...state, reserve: true };
    const isHelping = group === lowest && group !== groups[0];
    return isHelping ? { ...state, note: `priority group ${group} of its pool is active` } : state;
  });
}

export function adminOf(wire: { readonly session: string; readonly state: string }): MemberState['admin'] {
  if (wire.state === 'user-down') return 'offline';
  return wire.session === 'user-disabled' ? 'drained' : 'enabled';
}

function healthOf(state: string): MemberState['health'] {
  if (state === 'up' || state === 'fqdn-up') return 'up';
  if (state === 'down' || state === 'fqdn-down') return 'down';
  // Unchecked, forced by hand, or a name that has not resolved yet: the monitor says nothing.
  return state === 'checking' ? 'checking' : 'unknown';
}

/** The two writable fields. Both are sent each time: to enable the session alone leaves a forced-down member down. */
export type Writable = {
  readonly session: 'user-enabled' | 'user-disabled';
  readonly state: 'user-up' | 'user-down';
};

export const WRITES: Readonly<Record<MemberState['admin'], Writable>> = {
  enabled: { session: 'user-enabled', state: 'user-up' },
  drained: { session: 'user-disabled', state: 'user-up' },
  offline: { session: 'user-disabled', state: 'user-down' },
};

/**
 * What to write so that a member is as it was found. Readable `monitor-enabled` is written as `user-enabled`; a forced-down
 * member stays so. Only what Edge writes is written back: what a person changed beside it meanwhile is theirs.
 */
export function writableFrom(asFound: AsFound): Writable {
  return {
    session: asFound.session === 'user-disabled' ? 'user-disabled' : 'user-enabled',
    state: asFound.state === 'user-down' ? 'user-down' : 'user-up',
  };
}

/** What else was found, where it is another now. An Edge that knew less recorded less. */
export function differing(wire: WireMember, asFound: AsFound): Readonly<Record<string, number>> {
  const wanted = (['ratio', 'priorityGroup'] as const).flatMap((name) => {
    const found = asFound[name];
    return typeof found === 'number' && wire[name] !== undefined && wire[name] !== found
      ? [[name, found]]
      : [];
  });
  return Object.fromEntries(wanted);
}

/** Has a member taken what was written? Compared on the two things that can be written. */
export function hasTaken(wire: WireMember, wanted: Writable): boolean {
  const seen = writableFrom({ session: wire.session, state: wire.state });
  return seen.session === wanted.session && seen.state === wanted.state;
}

/** `connections`: those the device holds to the member, and those that wait for it. */
export type WireStats = { readonly connections: number; readonly nodeDisabled: boolean };

/** By `nodeKey`. Statistics are walked, not addressed: keys are URLs in most releases, and some leave out the nesting. */
export function parseStats(body: unknown): ReadonlyMap<string, WireStats> {
  const found = new Map<string, WireStats>();
  walk(body, (stats) => {
    const node = field(stats, 'nodeName', 'description');
    const port = field(stats, 'port', 'value');
    const current = field(stats, 'serverside.curConns', 'value');
    const queued = field(stats, 'connq.depth', 'value');
    if (typeof node !== 'string' || typeof port !== 'number' || typeof current !== 'number') return;
    const connections = current + (typeof queued === 'number' ? queued : 0);
    // The member's own settings do not show what was done to its node.
    const nodeDisabled = field(stats, 'status.enabledState', 'description') === 'disabled-by-parent';
    found.set(`${node}|${port}`, { connections, nodeDisabled });
  });
  return found;
}

const DEPTH_LIMIT = 8;

function walk(value: unknown, visit: (node: object) => void, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > DEPTH_LIMIT) return;
  if ('nodeName' in value) visit(value);
  else for (const child of Object.values(value)) walk(child, visit, depth + 1);
}

function field(stats: object, name: string, part: 'value' | 'description'): unknown {
  const entry: unknown = Object.getOwnPropertyDescriptor(stats, name)?.value;
  return typeof entry === 'object' && entry !== null
    ? Object.getOwnPropertyDescriptor(entry, part)?.value
    : undefined;
}

/** The message of an error answer; HTML and other texts are named, not quoted. */
export function messageOf(body: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(body)).message;
  } catch {
    return body.trimStart().startsWith('<') ? 'a page of HTML' : 'no message';
  }
}
