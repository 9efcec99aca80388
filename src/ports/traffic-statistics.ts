import type { TrafficReading } from '../domain/traffic.ts';

/**
 * What a balancer counts of the traffic of its members, so that a canary can be judged where nothing else measures. It has counters and no history:
 * two readings make a step (`trafficBetween`). It is asked and never changed.
 */
export interface TrafficStatistics {
  /**
   * The counters of these members, from all instances, now. An instance that does not answer is `silent` in it; where none does, it rejects
   * with `balancer_unreachable`. `unknown`: this balancer counts no errors, which is not that there are none. Rejects with
   * `balancer_member_unknown` for a pool that is not there, and `balancer_refused` (EdgeError).
   */
  read(members: PoolMembers, signal: AbortSignal): Promise<TrafficAnswer>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export type PoolMembers = { readonly pool: string; readonly members: readonly string[] };

export type TrafficAnswer =
  | ({ readonly kind: 'counted' } & TrafficReading)
  | { readonly kind: 'unknown'; readonly why: string };
