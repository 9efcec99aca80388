import { EdgeError } from '../../domain/errors.ts';
import type { AnswerTimes, MemberCounts } from '../../domain/traffic.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PoolMember } from '../../ports/load-balancer.ts';
import type { TrafficStatistics } from '../../ports/traffic-statistics.ts';

/** The world's side of a balancer that counts, in memory. */
export type MemoryStatistics = TrafficStatistics & {
  /** So many requests end at a member, and so many of them badly. */
  count(member: PoolMember, ended: Pick<MemberCounts, 'requests' | 'errors'>): void;
  /** Its process ends and another begins, which has counted nothing. */
  restart(): void;
  /** `false`: every call rejects with `balancer_unreachable`. */
  setReachable(reachable: boolean): void;
};

/** Its answers take no time to speak of. */
const TIMES: AnswerTimes = { queueMs: 0, connectMs: 0, responseMs: 1, totalMs: 1 };

/** The counters of one balancer without a network: for tests and for the simulation. */
export function createMemoryStatistics(
  pools: Readonly<Record<string, readonly string[]>>,
  clock: Pick<Clock, 'now'>,
): MemoryStatistics {
  const state = { reachable: true, pid: 1, sinceMs: clock.now() };
  const counted = new Map<string, Pick<MemberCounts, 'requests' | 'errors'>>();
  const keyOf = ({ pool, member }: PoolMember): string => `${pool} ${member}`;
  const countsOf = (at: PoolMember): MemberCounts => {
    const { requests, errors } = counted.get(keyOf(at)) ?? { requests: 0, errors: 0 };
    return { member: at.member, requests, errors, ...(requests > errors && { times: TIMES }) };
  };
  return {
    read: async ({ pool, members }, signal) => {
      signal.throwIfAborted();
      if (!state.reachable) throw new EdgeError('balancer_unreachable', 'the balancer in memory is off');
      const names = pools[pool];
      if (!names) throw new EdgeError('balancer_member_unknown', `no pool ${pool}`);
      const known = names.filter((name) => members.includes(name));
      const [atMs, { pid, sinceMs }] = [clock.now(), state];
      const instance = { instance: 'memory', pid, uptimeMs: atMs - sinceMs };
      const each = known.map((member) => countsOf({ pool, member }));
      return { kind: 'counted', atMs, instances: [{ kind: 'counted', ...instance, members: each }] };
    },
    close: async () => {},
    count: (at, ended) => {
      const { requests, errors } = countsOf(at);
      counted.set(keyOf(at), { requests: requests + ended.requests, errors: errors + ended.errors });
    },
    restart: () => {
      counted.clear();
      Object.assign(state, { pid: state.pid + 1, sinceMs: clock.now() });
    },
    setReachable: (reachable) => void Object.assign(state, { reachable }),
  };
}
