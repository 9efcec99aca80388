import * as z from 'zod';
import type { AsFound, MemberState } from '../../domain/balancer.ts';
import { shortName } from './names.ts';

/** A member as the device's configuration shows it. Unknown values of `state` stay readable: newer versions add some. */
const MemberSchema = z.object({ fullPath: z.string(), session: z.string(), state: z.string() });
export type WireMember = z.infer<typeof MemberSchema>;

/** `items` is left out when a collection is empty. */
const CollectionSchema = z.object({ items: z.array(MemberSchema).default([]) });

/** A single member. Some versions answer 200 for one that is not there, and then leave out its address. */
export const parseMember = (body: unknown): WireMember | undefined =>
  MemberSchema.extend({ address: z.string() }).safeParse(body).data;
export const parseMembers = (body: unknown): readonly WireMember[] | undefined =>
  CollectionSchema.safeParse(body).data?.items;

/** A member in the words of the port. `connections` is unknown when no statistics name it. */
export function memberState(
  wire: WireMember,
  partition: string,
  connections: number | undefined,
): MemberState {
  return {
    member: shortName(wire.fullPath, partition),
    admin: adminOf(wire),
    health: healthOf(wire.state),
    connections,
    asFound: { session: wire.session, state: wire.state },
  };
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

/** Has a member taken what was written? Compared on the two things that can be written. */
export function hasTaken(wire: WireMember, wanted: Writable): boolean {
  const seen = writableFrom({ session: wire.session, state: wire.state });
  return seen.session === wanted.session && seen.state === wanted.state;
}

/**
 * Live connections by `nodeKey`: those the device holds to the member, and those that wait for it. Statistics are walked,
 * not addressed: keys are URLs in most releases, and some leave out the nesting.
 */
export function parseConnections(body: unknown): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  walk(body, (stats) => {
    const node = field(stats, 'nodeName', 'description');
    const port = field(stats, 'port', 'value');
    const current = field(stats, 'serverside.curConns', 'value');
    const queued = field(stats, 'connq.depth', 'value');
    if (typeof node !== 'string' || typeof port !== 'number' || typeof current !== 'number') return;
    found.set(`${node}|${port}`, current + (typeof queued === 'number' ? queued : 0));
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

/** The failover state of the unit that answers, or `undefined` if it does not say. */
export function parseFailover(body: unknown): string | undefined {
  const units = z
    .object({ items: z.array(z.object({ selfDevice: z.string(), failoverState: z.string() })) })
    .safeParse(body);
  return units.data?.items.find((unit) => unit.selfDevice === 'true')?.failoverState;
}

/** The message of an error answer; HTML and other texts are named, not quoted. */
export function messageOf(body: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(body)).message;
  } catch {
    return body.trimStart().startsWith('<') ? 'a page of HTML' : 'no message';
  }
}
