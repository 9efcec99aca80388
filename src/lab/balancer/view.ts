import type { JsonObject } from '../../lib/json.ts';
import { type Member, sessionOf, stateOf } from './member.ts';
import type { Pool } from './pool.ts';

const VERSION = '16.1.2';

/** A member as the device's configuration shows it. */
export function memberView(pool: Pool, member: Member): JsonObject {
  const { node } = nodeAndPort(member.name);
  return {
    kind: 'tm:ltm:pool:members:membersstate',
    name: member.name,
    partition: member.partition,
    fullPath: `/${member.partition}/${member.name}`,
    generation: 1,
    selfLink: `${linkOf(pool, member)}?ver=${VERSION}`,
    address: node,
    connectionLimit: 0,
    dynamicRatio: 1,
    ephemeral: 'false',
    monitor: 'default',
    priorityGroup: 0,
    ratio: 1,
    session: sessionOf(member),
    state: stateOf(member),
  };
}

/** A collection leaves out `items` when it has none. */
export function collectionView(pool: Pool): JsonObject {
  const items = pool.members.map((member) => memberView(pool, member));
  return {
    kind: 'tm:ltm:pool:members:memberscollectionstate',
    selfLink: `https://localhost/mgmt/tm/ltm/pool/${tilde(pool.name)}/members?ver=${VERSION}`,
    ...(items.length > 0 && { items }),
  };
}

/** Statistics of some members: nested under addresses that always say localhost, or flat for one member. */
export function statsView(pool: Pool, members: readonly Member[], flat: boolean): JsonObject {
  const kind = 'tm:ltm:pool:members:memberscollectionstats';
  const [only] = members;
  if (flat && only && members.length === 1) return { kind, entries: statsOf(pool, only) };
  if (flat)
    return {
      kind,
      entries: Object.fromEntries(members.map((m) => [linkOf(pool, m), { entries: statsOf(pool, m) }])),
    };
  const entries = members.map((member) => [
    `${linkOf(pool, member)}/stats`,
    { nestedStats: { kind: 'tm:ltm:pool:members:membersstats', entries: statsOf(pool, member) } },
  ]);
  return { kind, ...(entries.length > 0 && { entries: Object.fromEntries(entries) }) };
}

function statsOf(pool: Pool, member: Member): JsonObject {
  const { node, port } = nodeAndPort(member.name);
  const state = stateOf(member);
  const available = {
    up: 'available',
    unchecked: 'unknown',
    checking: 'unknown',
    down: 'offline',
    'user-down': 'offline',
  };
  return {
    addr: { description: node },
    nodeName: { description: `/${member.partition}/${node}` },
    poolName: { description: pool.name },
    port: { value: port },
    'connq.depth': { value: 0 },
    curSessions: { value: member.connections },
    monitorStatus: { description: member.monitored ? member.health : 'unchecked' },
    'serverside.curConns': { value: member.connections },
    'serverside.totConns': { value: member.requests },
    sessionStatus: { description: member.disabled ? 'user-disabled' : 'enabled' },
    'status.availabilityState': { description: available[state] },
    'status.enabledState': { description: member.disabled ? 'disabled' : 'enabled' },
    'status.statusReason': { description: `Pool member is ${available[state]}` },
    totRequests: { value: member.requests },
  };
}

function linkOf(pool: Pool, member: Member): string {
  return `https://localhost/mgmt/tm/ltm/pool/${tilde(pool.name)}/members/${tilde(`/${member.partition}/${member.name}`)}`;
}

const tilde = (path: string): string => path.replaceAll('/', '~').replaceAll('%', '%25');

/** `web-1:8080`, or `2001:db8::7.80`: an IPv6 address has a dot before its port. */
function nodeAndPort(name: string): { node: string; port: number } {
  const at = name.split(':').length > 2 ? name.lastIndexOf('.') : name.lastIndexOf(':');
  return { node: name.slice(0, at), port: Number(name.slice(at + 1)) };
}
