import { type Member, type MemberSettings, newMember, takesNew, takesPersistent } from './member.ts';

/** A pool by its full path, `/Common/web`, with or without folders between. */
export type PoolMembers = {
  readonly name: string;
  readonly members: readonly MemberSettings[];
  readonly monitored: boolean;
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
    counters: { requests: 0, answered: 0, noMember: 0, memberFailed: 0, clientAborted: 0 },
    cursor: 0,
  };
}

/** Round robin over the members that take new traffic. */
export function nextMember(pool: Pool): Member | undefined {
  for (let tried = 0; tried < pool.members.length; tried += 1) {
    const member = pool.members[pool.cursor % pool.members.length];
    pool.cursor = (pool.cursor + 1) % pool.members.length;
    if (member && takesNew(member)) return member;
  }
  return undefined;
}

/** The member that a persistence record names, if it may still have that traffic. */
export function persistentMember(pool: Pool, name: string | undefined): Member | undefined {
  return pool.members.find((member) => member.name === name && takesPersistent(member));
}

export function memberOf(pool: Pool, path: string): Member | undefined {
  return pool.members.find((member) => `/${member.partition}/${member.name}` === path);
}
