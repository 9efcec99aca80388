import { type Member, type MemberConfig, nodeOf, setMember } from './member.ts';
import { memberOf, type Pool } from './pool.ts';
import type { Saved } from './saved.ts';
import type { Tokens } from './tokens.ts';

/**
 * What can go wrong with the device, switched on from the test or demo that holds the handle. A number is how many of the
 * next requests meet the fault; each is taken from the wire facts of real devices (INTEGRATIONS.md section 1).
 */
export type Faults = {
  /** Every token of now answers 401 `has expired`. */
  expireTokens(): void;
  /** Every token of now answers 401 `does not exist`, as after a failover or an upgrade. */
  forgetTokens(): void;
  /** 401 without a reason, though the token is good. */
  spurious401(requests: number): void;
  /** 404 `Public URI path not registered`: the control plane starts. */
  starting(requests: number): void;
  /** 503 `There is an active asynchronous task executing.` to writes. */
  busy(writes: number): void;
  /** 503 with a page of HTML. */
  restartingPage(requests: number): void;
  /** The write is applied, its answer never comes. */
  applyThenTimeout(writes: number): void;
  /** The write is answered as done, but not applied. */
  ignoreWrites(writes: number): void;
  /** Statistics are answered when the returned function is called, and not before. */
  holdStats(): () => void;
  /** The unit says that it is the standby of a pair. */
  standby(on: boolean): void;
  /** The account may not read what belongs to the cluster: units, groups, status. */
  hideCluster(on: boolean): void;
  /** Asked for a member that is not there, it answers 200 with next to nothing, as some versions do. */
  bareMembers(on: boolean): void;
  /** A reboot: what was not saved is as it was before, and no token lives. */
  reboot(): void;
  /** Statistics come in the flat form of some releases. */
  flatStats(on: boolean): void;
  /** Somebody changes a member by hand, past the API. */
  editByHand(pool: string, member: string, to: Partial<MemberConfig>): void;
  /** Somebody disables a node, or forces it offline: it counts in every pool that the node is in. */
  editNode(node: string, to: Member['node']): void;
};

/** What the request handler asks before it answers. */
export type FaultState = {
  readonly counts: Record<CountedFault, number>;
  standby: boolean;
  flatStats: boolean;
  bareMembers: boolean;
  hideCluster: boolean;
  /** Statistics wait for it. */
  held: Promise<void> | undefined;
};

type CountedFault =
  | 'spurious401'
  | 'starting'
  | 'busy'
  | 'restartingPage'
  | 'applyThenTimeout'
  | 'ignoreWrites';

export function newFaultState(): FaultState {
  const counts = {
    spurious401: 0,
    starting: 0,
    busy: 0,
    restartingPage: 0,
    applyThenTimeout: 0,
    ignoreWrites: 0,
  };
  return {
    counts,
    standby: false,
    flatStats: false,
    bareMembers: false,
    hideCluster: false,
    held: undefined,
  };
}

/** Uses up one occurrence of a fault, if any is left. */
export function meets(state: FaultState, fault: CountedFault): boolean {
  if (state.counts[fault] === 0) return false;
  state.counts[fault] -= 1;
  return true;
}

/** What the faults work on. */
export type Faulty = {
  readonly faults: FaultState;
  readonly tokens: Tokens;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly saved: Saved;
  /** A change that the other unit does not know of. */
  readonly changed: () => void;
};

export function faultsOf({ faults: state, tokens, pools, saved, changed }: Faulty): Faults {
  const count = (fault: CountedFault) => (times: number) => {
    state.counts[fault] = times;
  };
  return {
    expireTokens: () => tokens.endAll('expired'),
    forgetTokens: () => tokens.endAll('forgotten'),
    spurious401: count('spurious401'),
    starting: count('starting'),
    busy: count('busy'),
    restartingPage: count('restartingPage'),
    applyThenTimeout: count('applyThenTimeout'),
    ignoreWrites: count('ignoreWrites'),
    holdStats: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      state.held = promise;
      return resolve;
    },
    standby: (on) => {
      state.standby = on;
    },
    flatStats: (on) => {
      state.flatStats = on;
    },
    bareMembers: (on) => {
      state.bareMembers = on;
    },
    hideCluster: (on) => {
      state.hideCluster = on;
    },
    reboot: () => {
      tokens.endAll('forgotten');
      saved.bringBack();
    },
    editByHand: (pool, member, to) => {
      setMember(required(pools, pool, member), to);
      changed();
    },
    editNode: (node, to) => {
      for (const pool of pools.values())
        for (const member of pool.members) if (nodeOf(member) === node) member.node = to;
      changed();
    },
  };
}

function required(pools: ReadonlyMap<string, Pool>, poolName: string, name: string): Member {
  const pool = pools.get(poolName);
  const member = pool && memberOf(pool, name.startsWith('/') ? name : `/${pool.partition}/${name}`);
  if (!member) throw new Error(`the lab has no member ${name} in ${poolName}`);
  return member;
}
