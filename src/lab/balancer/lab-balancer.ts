import { standalone } from './cluster.ts';
import { newFaultState } from './faults.ts';
import type { Pool, PoolCounters } from './pool.ts';
import { startVirtual, type Virtual } from './proxy.ts';
import { type LabUnit, newPools, type PoolSettings, required, startUnit, type UnitSettings } from './unit.ts';

export type LabBalancerSettings = UnitSettings;

/** What clients meet: the address of each pool, and what became of their requests. */
export type Front = {
  /** Where clients reach a pool. */
  virtualUrl(pool: string): string;
  counters(pool: string): Readonly<PoolCounters>;
};

export type LabBalancer = LabUnit & Front;

/**
 * A double of an F5 BIG-IP: it really carries HTTP traffic to the members of its pools, watches their health, and is
 * driven through the subset of iControl REST that `icontrol.ts` lists, errors included. Resolves after the first look of
 * every monitor, so that members which answer are up. `lab-pair.ts` makes two such units a pair.
 *
 * What it is not: no TCP or TLS virtual servers, no upgrades (WebSocket), no iRules, no ratios or slow ramp, no transactions.
 * Its connections are requests in flight (or pinned client connections), where a device also counts idle ones that it
 * keeps for reuse. It has the timing of a small process, not of a busy control plane: what passes here has still to pass
 * on the customer's device.
 */
export async function startLabBalancer(settings: LabBalancerSettings): Promise<LabBalancer> {
  const pools = newPools(settings.pools);
  const faults = newFaultState();
  const unit = await startUnit(settings, { pools, faults, cluster: standalone(() => faults.standby) });
  const virtuals = await startVirtuals(settings.pools, (name) => required(pools, name));
  return {
    ...unit,
    virtualUrl: (name) => required(virtuals, name).url,
    counters: (name) => required(pools, name).counters,
    close: async () => {
      await Promise.all([unit.close(), ...[...virtuals.values()].map((virtual) => virtual.close())]);
    },
  };
}

/** By the name of their pool, which is looked up anew for each request. */
export async function startVirtuals(
  settings: readonly PoolSettings[],
  poolOf: (name: string) => Pool,
): Promise<ReadonlyMap<string, Virtual>> {
  return new Map(
    await Promise.all(
      settings.map(
        async ({ name, virtual }) => [name, await startVirtual(() => poolOf(name), virtual ?? {})] as const,
      ),
    ),
  );
}
