import type { MemberRef } from '../domain/balancer.ts';
import { memberKey, poolKey } from '../domain/capacity.ts';
import type { Batch, Plan } from '../domain/plan.ts';
import type { Part, Pool } from './pools.ts';
import { takesCapacity, type Worked } from './stages.ts';

/**
 * What a pool, or a zone in it, has in service around a batch: before it, at its lowest, and after it if all goes well. Lanes that run side
 * by side are counted as if each were alone; the engine keeps the floor over all of them.
 */
export type PoolCapacity = {
  readonly stage: number;
  readonly lane: number;
  readonly batch: number;
  readonly balancer: string;
  readonly pool: string;
  /** Of its members only, where zones have a floor of their own. */
  readonly zone?: string;
  readonly configured: number;
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
  const inService = new Map<Part, number>();
  return roundsOf(stages).flatMap(({ place, batch }) =>
    movesOf(batch, { targets, pools, out }).map(({ part, takenAtOnce, returned }): PoolCapacity => {
      const { balancer, pool, zone, configured, least: floor } = part;
      const before = inService.get(part) ?? configured - part.missing.size;
      const after = before + returned.length;
      inService.set(part, after);
      for (const member of returned) out.delete(member);
      const kept = isHard(batch) ? 0 : Math.min(floor, before);
      const lowest = Math.max(kept, before - takenAtOnce);
      const of = { balancer, pool, ...(zone && { zone: zone.name }) };
      return { ...place, ...of, configured, floor, before, lowest, after };
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

type Move = { readonly part: Part; readonly takenAtOnce: number; readonly returned: readonly string[] };
type Fleet = {
  readonly targets: readonly Worked[];
  readonly pools: ReadonlyMap<string, Pool>;
  readonly out: ReadonlySet<string>;
};

/** Per pool of a batch, and its zone there: how many serving members are out at once, and which come back that were out. */
function movesOf(batch: Batch, { targets, pools, out }: Fleet): readonly Move[] {
  const counted = batch.targets
    .flatMap((index) => targets[index] ?? [])
    .filter(({ other, sequence }) => !other || sequence === 'cold');
  const shares = counted.flatMap((target) =>
    membersByPart(target, pools).map(([part, members]) => ({ part, ...shareOf(target, members, out) })),
  );
  return [...Map.groupBy(shares, ({ part }) => part)].map(([part, ofPart]) => ({
    part,
    takenAtOnce: largest(
      ofPart.map(({ taken }) => taken),
      batch.parallel,
    ),
    returned: ofPart.flatMap(({ returned }) => returned),
  }));
}

/** The members of a target in each of its pools, and in its zone there if that has a floor of its own; without those in reserve. */
function membersByPart(
  { members, zone }: Worked,
  pools: ReadonlyMap<string, Pool>,
): readonly (readonly [Part, readonly MemberRef[]])[] {
  return [...Map.groupBy(members, poolKey)].flatMap(([key, inPool]) => {
    const pool = pools.get(key);
    const ofZone = pool?.zones.find((part) => part.zone?.name === zone);
    return [pool, ofZone].flatMap((part) =>
      part ? [[part, inPool.filter(({ member }) => part.sharing.has(member))] as const] : [],
    );
  });
}

/** What one target does to one of its pools, or to its zone there: how many serving members it takes out, and which it brings back. */
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
