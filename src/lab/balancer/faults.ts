import { type Member, setMember } from './member.ts';
import { memberOf, type Pool } from './pool.ts';
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
  /** The unit is the standby of its pair. */
  standby(on: boolean): void;
  /** Statistics come in the flat form of some releases. */
  flatStats(on: boolean): void;
  /** Somebody changes a member by hand, past the API. */
  editByHand(
    pool: string,
    member: string,
    to: { readonly disabled?: boolean; readonly forcedDown?: boolean },
  ): void;
};

/** What the request handler asks before it answers. */
export type FaultState = {
  readonly counts: Record<CountedFault, number>;
  standby: boolean;
  flatStats: boolean;
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
  return { counts, standby: false, flatStats: false, held: undefined };
}

/** Uses up one occurrence of a fault, if any is left. */
export function meets(state: FaultState, fault: CountedFault): boolean {
  if (state.counts[fault] === 0) return false;
  state.counts[fault] -= 1;
  return true;
}

export function faultsOf(state: FaultState, tokens: Tokens, pools: ReadonlyMap<string, Pool>): Faults {
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
    editByHand: (pool, member, to) => setMember(required(pools, pool, member), to),
  };
}

function required(pools: ReadonlyMap<string, Pool>, poolName: string, name: string): Member {
  const pool = pools.get(poolName);
  const member = pool && memberOf(pool, name.startsWith('/') ? name : `/${pool.partition}/${name}`);
  if (!member) throw new Error(`the lab has no member ${name} in ${poolName}`);
  return member;
}
