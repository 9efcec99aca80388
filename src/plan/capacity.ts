import type { MemberRef } from '../domain/balancer.ts';
import { memberKey, poolKey } from '../domain/capacity.ts';
import type { Batch, Plan } from '../domain/plan.ts';
import type { Pool } from './pools.ts';
import { takesCapacity, type Worked } from './stages.ts';

/**
 * What a pool has in service around a batch: before it, at its lowest, and after it if all goes well. Lanes that run side
 * by side are counted as if each were alone; the engine keeps the floor over all of them.
 */
export type PoolCapacity = {
  readonly stage: number;
  readonly lane: number;
  readonly batch: number;
  readonly balancer: string;
  readonly pool: string;
  readonly floor: number;
  readonly before: number;
  readonly lowest: number;
  readonly after: number;
};

/** The capacity curve of a plan. `targets` are those of the plan, by index. */
export function capacityCurve(
  stages: Plan['stages'],
  targets: readonly Worked[],
  pools: ReadonlyMap<string, Pool>,
): readonly PoolCapacity[] {
  const out = new Set(
    [...pools.values()].flatMap((pool) => [...pool.out].map((member) => memberKey({ ...pool, member }))),
  );
  const inService = new Map([...pools].map(([key, pool]) => [key, pool.configured - pool.out.size]));
  return roundsOf(stages).flatMap(({ place, batch }) =>
    movesOf(batch, targets, out).flatMap(({ key, takenAtOnce, returned }): PoolCapacity[] => {
      const pool = pools.get(key);
      if (!pool) return [];
      const before = inService.get(key) ?? 0;
      const after = before + returned.length;
      inService.set(key, after);
      for (const member of returned) out.delete(member);
      const kept = isHard(batch) ? 0 : Math.min(pool.least, before);
      const lowest = Math.max(kept, before - takenAtOnce);
      return [
        { ...place, balancer: pool.balancer, pool: pool.pool, floor: pool.least, before, lowest, after },
      ];
    }),
  );
}

function roundsOf(stages: Plan['stages']) {
  return stages.flatMap(({ lanes }, stage) =>
    lanes.flatMap(({ batches }, lane) =>
      batches.map((batch, index) => ({ place: { stage, lane, batch: index }, batch })),
    ),
  );
}

type Move = { readonly key: string; readonly takenAtOnce: number; readonly returned: readonly string[] };

/** Per pool of a batch: how many serving members are out at once, and which members come back that were out. */
function movesOf(batch: Batch, targets: readonly Worked[], out: ReadonlySet<string>): readonly Move[] {
  const counted = batch.targets
    .flatMap((index) => targets[index] ?? [])
    .filter(({ other, sequence }) => !other || sequence === 'cold');
  const shares = counted.flatMap((target) =>
    [...Map.groupBy(target.members, poolKey)].map(([key, members]) => ({
      key,
      ...shareOf(target, members, out),
    })),
  );
  return [...Map.groupBy(shares, ({ key }) => key)].map(([key, ofPool]) => ({
    key,
    takenAtOnce: largest(
      ofPool.map(({ taken }) => taken),
      batch.parallel,
    ),
    returned: ofPool.flatMap(({ returned }) => returned),
  }));
}

/** What one target does to one of its pools: how many serving members it takes out, and which it brings back. */
function shareOf(target: Worked, members: readonly MemberRef[], out: ReadonlySet<string>) {
  const [down, serving] = partition(members.map(memberKey), (member) => out.has(member));
  const brings = !isHard(target) && (target.parked || target.sequence.endsWith('cold'));
  return {
    taken: takesCapacity(target) || isHard(target) ? serving.length : 0,
    returned: brings ? down : [],
  };
}

const isHard = ({ sequence }: { readonly sequence: string }) => sequence.endsWith('hard');

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

/** The sum of the `count` largest numbers. */
function largest(numbers: readonly number[], count: number): number {
  const sorted = numbers.toSorted((a, b) => b - a);
  return sorted.slice(0, count).reduce((sum, each) => sum + each, 0);
}
