import type { TrafficStatistics } from '../../ports/traffic-statistics.ts';

/**
 * For balancers that count no errors of their members: F5 counts connections and requests, nginx without a licence nothing. That is unknown, and
 * never zero. `what`: the balancer as people know it, such as `F5 BIG-IP`.
 */
export const uncountedTraffic = (what: string): TrafficStatistics => ({
  read: async (_members, signal) => {
    signal.throwIfAborted();
    return { kind: 'unknown', why: `${what} counts no errors of its members` };
  },
  close: async () => {},
});
