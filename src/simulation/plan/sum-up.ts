import { floorOf } from '../../domain/capacity.ts';
import {
  ENDINGS,
  type PlanSimulation,
  type SimulatedCapacity,
  type SimulatedCase,
  type Spread,
} from '../../domain/plan-simulation.ts';
import type { PlanRun } from './run-watch.ts';

/** All runs of one kind of release, as they are told of. */
export function summedUp(
  release: 'good' | 'bad',
  runs: readonly PlanRun[],
  request: PlanSimulation,
): SimulatedCase {
  const endings = Object.fromEntries(
    ENDINGS.map((ending) => [ending, runs.filter((run) => run.ending === ending).length]),
  ) as SimulatedCase['endings'];
  return {
    ...{ release, runs: runs.length, endings },
    durationMs: spreadOf(runs.map(({ durationMs }) => durationMs)),
    touched: spreadOf(runs.map(({ touched }) => touched)),
    ran: spreadOf(runs.map(({ ran }) => ran)),
    served: spreadOf(runs.map(({ served }) => served)),
    pools: capacityOf(runs, request),
  };
}

function capacityOf(runs: readonly PlanRun[], { plan, pools }: PlanSimulation): readonly SimulatedCapacity[] {
  return plan.floors.map(({ balancer, pool, zone, floor }, index) => {
    const seen = pools.find((one) => one.balancer === balancer && one.pool === pool)?.members.length;
    const configured = zone?.members.length ?? seen ?? membersIn(plan, balancer, pool);
    const lowest = runs.flatMap((run) => run.lowest[index] ?? []);
    return {
      ...{ balancer, pool, ...(zone && { zone: zone.name }), configured, floor: floorOf(floor, configured) },
      ...{ usual: sorted(lowest)[Math.floor(lowest.length / 2)] ?? 0, lowest: Math.min(...lowest) },
    };
  });
}

function membersIn({ targets }: PlanSimulation['plan'], balancer: string, pool: string): number {
  const members = targets.flatMap((target) =>
    target.members
      .filter((ref) => ref.balancer === balancer && ref.pool === pool)
      .map(({ member }) => member),
  );
  return new Set(members).size;
}

const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);

function spreadOf(numbers: readonly number[]): Spread {
  const all = sorted(numbers);
  const at = (share: number): number => all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), most: all.at(-1) ?? 0 };
}
