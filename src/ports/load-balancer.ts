import type { AsFound, MemberState } from '../domain/balancer.ts';

/**
 * Member state of one balancer (contract C10): nothing of traffic weights or inventory. Idempotent: each `set` reads back
 * before it resolves. Rejects with `balancer_unreachable`, `balancer_refused` or `balancer_member_unknown` (EdgeError).
 */
export interface LoadBalancer {
  /** All members of a pool, from the active unit, now. */
  members(pool: string, signal: AbortSignal): Promise<readonly MemberState[]>;
  /**
   * `drained`: existing connections go on, no new ones (persistent clients may still come). `offline`: nothing new at all.
   * Resolves with the member as read back; rejects if the balancer did not take it.
   */
  disable(
    member: PoolMember,
    to: 'drained' | 'offline',
    signal: AbortSignal,
    mayWrite?: MayWrite,
  ): Promise<MemberState>;
  /** Returns a member to exactly the settings it was found with, and reads back. */
  restore(
    member: PoolMember,
    asFound: AsFound,
    signal: AbortSignal,
    mayWrite?: MayWrite,
  ): Promise<MemberState>;
  /** Ends sessions on the device (tokens) and connections. */
  close(): Promise<void>;
}

/**
 * Throws if the caller may not write any more. It is asked in the moment of each write and of each new try of one, after all that it
 * waits for (others' turns, log-ins, looks, pauses): a process that was paused meanwhile goes on here before any signal tells it of its
 * lease. Where a library connects and sends in one, it is asked before both.
 */
export type MayWrite = () => void;

export type PoolMember = { readonly pool: string; readonly member: string };
