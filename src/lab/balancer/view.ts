import type { JsonObject } from '../../lib/json.ts';
import type { SyncStatus, UnitSeen } from './cluster.ts';
import { type Member, nodeOf, sessionOf, stateOf } from './member.ts';
import type { Pool } from './pool.ts';

const VERSION = '16.1.2';

/** A member as the device's configuration shows it. */
export function memberView(pool: Pool, member: Member): JsonObject {
  const node = nodeOf(member);
  return {
    kind: 'tm:ltm:pool:members:membersstate',
    name: member.name,
    partition: member.partition,
    fullPath: `/${member.partition}/${member.name}`,
    generation: 1,
    selfLink: `${linkOf(pool, member)}?ver=${VERSION}`,
    address: member.address ?? node,
    connectionLimit: 0,
    dynamicRatio: 1,
    ephemeral: 'false',
    monitor: 'default',
    priorityGroup: member.priorityGroup,
    ratio: member.ratio,
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

/** A pool, with its members inside when they are asked for. */
export function poolView(pool: Pool, expanded: boolean): JsonObject {
  const items = pool.members.map((member) => memberView(pool, member));
  const link = `https://localhost/mgmt/tm/ltm/pool/${tilde(pool.name)}/members?ver=${VERSION}`;
  return {
    kind: 'tm:ltm:pool:poolstate',
    name: pool.name.slice(pool.name.lastIndexOf('/') + 1),
    partition: pool.partition,
    fullPath: pool.name,
    loadBalancingMode: 'round-robin',
    minActiveMembers: pool.minActiveMembers,
    slowRampTime: 10,
    membersReference: { link, isSubcollection: true, ...(expanded && items.length > 0 && { items }) },
  };
}

export function unitsView(units: readonly UnitSeen[]): JsonObject {
  const items = units.map(({ name, self, state }) => {
    return {
      kind: 'tm:cm:device:devicestate',
      name,
      hostname: name,
      selfDevice: String(self),
      failoverState: state,
    };
  });
  return { kind: 'tm:cm:device:devicecollectionstate', items };
}

/** The trust group and the one for shared data stand beside the one that people made. */
export function groupsView(
  group: { readonly name: string; readonly autoSync: boolean } | undefined,
): JsonObject {
  const internal = ['datasync-global-dg', 'device_trust_group'].map((name) => {
    return { name, fullPath: `/Common/${name}`, type: 'sync-only', autoSync: 'enabled' };
  });
  const own = group && {
    name: group.name,
    fullPath: `/Common/${group.name}`,
    type: 'sync-failover',
    autoSync: group.autoSync ? 'enabled' : 'disabled',
    saveOnAutoSync: 'false',
  };
  const items = [...internal, ...(own ? [own] : [])];
  return { kind: 'tm:cm:device-group:device-groupcollectionstate', items };
}

const CM = 'https://localhost/mgmt/tm/cm';

export function syncView({ status, color, summary, details }: SyncStatus): JsonObject {
  const lines = details.map((text, at) => {
    const entries = { details: { description: text } };
    return [`${CM}/syncStatus/0/details/${at}`, { nestedStats: { entries } }] as const;
  });
  const entries = {
    color: { description: color },
    mode: { description: status === 'Standalone' ? 'standalone' : 'high-availability' },
    status: { description: status },
    summary: { description: summary },
    [`${CM}/syncStatus/0/details`]: { nestedStats: { entries: Object.fromEntries(lines) } },
  };
  return {
    kind: 'tm:cm:sync-status:sync-statusstats',
    entries: { [`${CM}/sync-status/0`]: { nestedStats: { entries } } },
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
  const node = nodeOf(member);
  const port = Number(member.name.slice(node.length + 1));
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
    'status.availabilityState': { description: member.node === 'forcedDown' ? 'offline' : available[state] },
    'status.enabledState': { description: enabledState(member) },
    'status.statusReason': { description: `Pool member is ${available[state]}` },
    totRequests: { value: member.requests },
  };
}

/** What a person did to the member itself is shown before what was done to its node. */
function enabledState({ disabled, forcedDown, node }: Member): string {
  if (disabled || forcedDown) return 'disabled';
  return node === 'enabled' ? 'enabled' : 'disabled-by-parent';
}

function linkOf(pool: Pool, member: Member): string {
  return `https://localhost/mgmt/tm/ltm/pool/${tilde(pool.name)}/members/${tilde(`/${member.partition}/${member.name}`)}`;
}

const tilde = (path: string): string => path.replaceAll('/', '~').replaceAll('%', '%25');
