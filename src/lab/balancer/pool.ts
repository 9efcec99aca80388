import { type Member, type MemberSettings, newMember, takesNew, takesPersistent } from './member.ts';

/** A pool by its full path, `/Common/web`, with or without folders between. */
export type PoolMembers = {
  readonly name: string;
  readonly members: readonly MemberSettings[];
  readonly monitored: boolean;
  readonly minActiveMembers?: number;
};

/** What happened to the traffic of a pool since the start. Each failed request is counted in exactly one of them. */
export type PoolCounters = {
  requests: number;
  answered: number;
  /** No member was in service. */
  noMember: number;
  /** The member refused, reset or cut the answer off. */
  memberFailed: number;
  /** The client went away first: nobody else's fault. */
  clientAborted: number;
};

export type Pool = {
  readonly name: string;
  readonly partition: string;
  readonly members: readonly Member[];
  /** Above 0, priority groups count: lower ones get traffic only while fewer members than this are available above them. */
  readonly minActiveMembers: number;
  readonly counters: PoolCounters;
  cursor: number;
};

export function newPool(settings: PoolMembers): Pool {
  const partition = /^\/([^/]+)\/.+$/.exec(settings.name)?.[1];
  if (partition === undefined) throw new Error(`a pool is named by its full path, not ${settings.name}`);
  return {
    name: settings.name,
    partition,
    members: settings.members.map((member) => newMember(member, partition, settings.monitored)),
    minActiveMembers: settings.minActiveMembers ?? 0,
    counters: { requests: 0, answered: 0, noMember: 0, memberFailed: 0, clientAborted: 0 },
    cursor: 0,
  };
}

/** Round robin over the members that take new traffic and whose priority group is active. */
export function nextMember(pool: Pool): Member | undefined {
  const lowest = lowestActiveGroup(pool);
  for (let tried = 0; tried < pool.members.length; tried += 1) {
    const member = pool.members[pool.cursor % pool.members.length];
    pool.cursor = (pool.cursor + 1) % pool.members.length;
    if (member && takesNew(member) && member.priorityGroup >= lowest) return member;
  }
  return undefined;
}

/** Groups become active from the highest down, until enough of their members are available. */
export function lowestActiveGroup({ members, minActiveMembers }: Pool): number {
  const groups = [...new Set(members.map(({ priorityGroup }) => priorityGroup))].sort((a, b) => b - a);
  const available = (group: number): number =>
    members.filter((member) => member.priorityGroup >= group && takesNew(member)).length;
  return (minActiveMembers > 0 && groups.find((group) => available(group) >= minActiveMembers)) || 0;
}

/** The member that a persistence record names, if it may still have that traffic. */
export function persistentMember(pool: Pool, name: string | undefined): Member | undefined {
  return pool.members.find((member) => member.name === name && takesPersistent(member));
}

export function memberOf(pool: Pool, path: string): Member | undefined {
  return pool.members.find((member) => `/${member.partition}/${member.name}` === path);
}
