import { newPair, type Pair } from './cluster.ts';
import { newFaultState } from './faults.ts';
import { type Front, startVirtuals } from './lab-balancer.ts';
import type { PoolCounters } from './pool.ts';
import { type LabUnit, newPools, required, startUnit, type UnitSettings } from './unit.ts';

export type LabPairSettings = UnitSettings & {
  /** `true`: the group syncs by itself; else somebody has to push. */
  readonly autoSync?: boolean;
  readonly syncMs?: number;
};

export type LabPair = Front & {
  readonly units: readonly [LabUnit, LabUnit];
  /** Which units are active; a pair in order has one. */
  setActive(units: readonly (0 | 1)[]): void;
  /** The management of a unit answers no more, and the other unit does not see it. */
  vanish(unit: 0 | 1): Promise<void>;
  /** Pushes begin, and end only when the returned function is called. */
  holdSync: Pair['holdSync'];
  /** Pushes since the start, by the unit that they came from. */
  pushes: Pair['pushes'];
  close(): Promise<void>;
};

/** The name of the pair's device group. */
export const LAB_GROUP = 'dg-lab';

/**
 * Two units of the lab balancer with one address for clients: the active unit has the traffic, by its own configuration and
 * with its own counts. Requests under way stay with the unit that took them when the other one becomes active.
 */
export async function startLabPair(settings: LabPairSettings): Promise<LabPair> {
  const pools = [newPools(settings.pools), newPools(settings.pools)] as const;
  const { autoSync = false, syncMs = 20 } = settings;
  const pair = newPair(pools, { group: LAB_GROUP, autoSync, syncMs });
  const start = (at: 0 | 1): Promise<LabUnit> =>
    startUnit(settings, { pools: pools[at], cluster: pair.clusterOf(at), faults: newFaultState() });
  const units = [await start(0), await start(1)] as const;
  const virtuals = await startVirtuals(settings.pools, (name) => required(pools[pair.serving()], name));
  return {
    units,
    virtualUrl: (name) => required(virtuals, name).url,
    counters: (name) => sum(required(pools[0], name).counters, required(pools[1], name).counters),
    setActive: (active) => {
      for (const at of [0, 1] as const) pair.set(at, { active: active.includes(at) });
    },
    vanish: async (at) => {
      pair.set(at, { gone: true });
      await units[at].close();
    },
    holdSync: pair.holdSync,
    pushes: pair.pushes,
    close: async () => {
      await Promise.all([
        ...units.map((unit) => unit.close()),
        ...[...virtuals.values()].map((v) => v.close()),
      ]);
    },
  };
}

function sum(a: PoolCounters, b: PoolCounters): PoolCounters {
  return {
    requests: a.requests + b.requests,
    answered: a.answered + b.answered,
    noMember: a.noMember + b.noMember,
    memberFailed: a.memberFailed + b.memberFailed,
    clientAborted: a.clientAborted + b.clientAborted,
  };
}
