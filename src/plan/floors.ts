import { memberKey, poolKey } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import { type Part, type Pool, partKey, partsOf, partTitle, spareOf, zoneKey } from './pools.ts';
import type { PlanRequest } from './request.ts';
import { reloads, takesCapacity, type Worked } from './stages.ts';

export type Spare = {
  /** By key of the part: how many members may be out at once. */
  readonly spare: ReadonlyMap<string, number>;
  /** Pools, and zones in them, that cannot spare a target yet, but will when members are back. */
  readonly short: readonly Part[];
};

/** Throws `floor_impossible` if a floor leaves no target of the plan that may ever be taken out. */
export function spareCapacity(
  targets: readonly Worked[],
  pools: ReadonlyMap<string, Pool>,
  heldByOthers: PlanRequest['heldByOthers'],
): Spare {
  const parked = targets.filter((target) => target.parked).flatMap(({ members }) => members);
  const returning = new Set([...parked, ...heldByOthers].map(memberKey));
  const parts = new Map([...pools.values()].flatMap(partsOf).map((part) => [partKey(part), part]));
  const counted = [...parts].filter(([, { zone, configured }]) => !zone || configured > 0);
  const spare = new Map(counted.map(([key, part]) => [key, spareOf(part, returning)]));
  const short: Part[] = [];
  // A reload that fails is rolled back by way of the guard.
  for (const [part, most] of mostTaken(targets.filter(reloads), parts))
    if ((spare.get(partKey(part)) ?? 0) < most) throw impossible(part, most);
  for (const [part, most] of mostTaken(targets.filter(takesCapacity), parts)) {
    if ((spare.get(partKey(part)) ?? 0) < most) throw impossible(part, most);
    if (part.configured - part.missing.size - part.least < most) short.push(part);
  }
  return { spare, short };
}

/** The most members that a single target takes out of each part. */
function mostTaken(targets: readonly Worked[], parts: ReadonlyMap<string, Part>): ReadonlyMap<Part, number> {
  const most = new Map<Part, number>();
  for (const target of targets) {
    const taken = Map.groupBy(partsTakenBy(target, parts), (part) => part);
    for (const [part, { length }] of taken) most.set(part, Math.max(most.get(part) ?? 0, length));
  }
  return most;
}

/** Each part as often as it loses a member. One in reserve is no loss. */
function partsTakenBy({ members, zone }: Worked, parts: ReadonlyMap<string, Part>): readonly Part[] {
  return members.flatMap((ref) => {
    const of = [parts.get(poolKey(ref)), parts.get(zoneKey(ref, zone))];
    return of.flatMap((part) => (part?.sharing.has(ref.member) ? [part] : []));
  });
}

function impossible(part: Part, most: number): EdgeError {
  const inService = part.configured - part.missing.size;
  const hint = part.zone ? hintOnZone(part) : hintOnPool(part);
  return new EdgeError(
    'floor_impossible',
    `${partTitle(part)} has ${inService} of ${part.configured} members in service and a floor of ${part.least}: ` +
      `taking out ${most} is not possible`,
    {
      where: { path: part.zone ? 'policy.minInServicePerZone' : `floors.${part.pool}` },
      ...(hint !== undefined && { hint }),
    },
  );
}

const hintOnPool = ({ configured }: Part): string | undefined =>
  configured === 1
    ? 'A pool of one needs an explicit `minInService: 0`; nothing serves while it changes.'
    : undefined;

const hintOnZone = ({ configured }: Part): string =>
  configured === 1
    ? 'A zone of one can keep none in service: leave out `minInServicePerZone`, or let the pool be empty with 0 in `floors`.'
    : 'Lower minInServicePerZone, or bring servers of the zone back into service first.';
