import type { MemberRef } from '../domain/balancer.ts';
import { poolKey } from '../domain/capacity.ts';
import type { Batch, Lane, Stage, Verb } from '../domain/plan.ts';
import type { InlineStrategy } from '../domain/strategy.ts';
import { cutLane, type Slot } from './batches.ts';
import { zoneKey } from './pools.ts';
import type { SequenceName } from './sequences.ts';

/** A target that the plan works on; its place in the list is its index in the plan. */
export type Worked = {
  readonly zone: string;
  readonly members: readonly MemberRef[];
  readonly sequence: SequenceName;
  /** Was out of service before: comes last, and its failures do not count. */
  readonly other: boolean;
  /** Parked by Edge. It comes first in its lane, because it gives capacity back. */
  readonly parked: boolean;
};

export type Course = {
  readonly verb: Verb;
  readonly hard: boolean;
  readonly canary: boolean;
  readonly strategy: InlineStrategy;
  /** In the order in which deployments go through them. */
  readonly zones: readonly string[];
  /** By key of a pool, or of a zone in it: how many members may be out at once. */
  readonly spare: ReadonlyMap<string, number>;
};

/** The order of the work: stages, their lanes, their batches. Every target is in exactly one batch. */
export function stagesOf(targets: readonly Worked[], course: Course): readonly Stage[] {
  const indexes = targets.map((_, index) => index);
  const counted = indexes.filter((index) => !targets[index]?.other);
  const others = indexes.filter((index) => targets[index]?.other);
  const main =
    course.verb === 'rollback'
      ? rollbackStages(targets, counted, course)
      : rollingStages(targets, counted, course);
  const last = stage('others', others, { targets, course, cut: whole('others'), counts: false });
  return [...main, last].filter(({ lanes }) => lanes.length > 0);
}

type Cut = (lane: readonly number[], zone: string) => readonly Slot[];
type Shape = {
  readonly targets: readonly Worked[];
  readonly course: Course;
  readonly cut: Cut;
  readonly counts: boolean;
};

const whole =
  (name: string): Cut =>
  (targets) =>
    targets.length === 0 ? [] : [{ name, targets }];

function rollingStages(
  targets: readonly Worked[],
  counted: readonly number[],
  course: Course,
): readonly Stage[] {
  const used = course.zones.filter((zone) => counted.some((index) => targets[index]?.zone === zone));
  const { strategy } = course;
  const sideBySide = strategy.zones === 'side-by-side';
  const canary = course.canary && !course.hard ? strategy.canary : 0;
  const cut: Cut = (lane, zone) =>
    cutLane(lane, sideBySide || zone === used[0] ? canary : 0, strategy.batches);
  const shape = { targets, course, cut, counts: true };
  if (sideBySide && used.length > 1) return [stage('all zones', counted, shape)];
  return used.map((zone) =>
    stage(
      zone,
      counted.filter((index) => targets[index]?.zone === zone),
      shape,
    ),
  );
}

/** What is out of service first, all at once; then the rest, without canary; failures do not stop it. */
function rollbackStages(
  targets: readonly Worked[],
  counted: readonly number[],
  course: Course,
): readonly Stage[] {
  const isOut = (index: number) => targets[index]?.parked || targets[index]?.sequence === 'cold';
  const shape = (name: string) => ({ targets, course, cut: whole(name), counts: false });
  return [
    stage('out of service', counted.filter(isOut), shape('all at once')),
    stage(
      'in service',
      counted.filter((index) => !isOut(index)),
      shape('all'),
    ),
  ];
}

function stage(name: string, indexes: readonly number[], shape: Shape): Stage {
  const { targets, course } = shape;
  const byZone = Map.groupBy(indexes, (index) => targets[index]?.zone ?? '');
  const lanes = course.zones.map((zone): Lane => {
    const lane = parkedFirst(byZone.get(zone) ?? [], targets);
    return { zone, batches: shape.cut(lane, zone).flatMap((slot) => batchesOf(slot, shape)) };
  });
  return { name, lanes: lanes.filter(({ batches }) => batches.length > 0) };
}

function parkedFirst(indexes: readonly number[], targets: readonly Worked[]): readonly number[] {
  const isParked = (index: number) => targets[index]?.parked === true;
  return [...indexes.filter(isParked), ...indexes.filter((index) => !isParked(index))];
}

/** A batch does one sequence; a slot of mixed targets becomes several batches, one after the other. */
function batchesOf({ name, targets: indexes }: Slot, { targets, course, counts }: Shape): readonly Batch[] {
  const bySequence = Map.groupBy(indexes, (index) => targets[index]?.sequence ?? 'rolling');
  return [...bySequence].map(([sequence, members]) => ({
    name: bySequence.size === 1 ? name : `${name} ${sequence}`,
    sequence,
    targets: members,
    parallel: parallelOf(members, targets, course),
    countsFailures: counts,
  }));
}

/** As many at once as the strategy and the floors allow; the rest of the batch follows as places become free. */
function parallelOf(batch: readonly number[], targets: readonly Worked[], course: Course): number {
  const most = Math.min(batch.length, course.strategy.parallel);
  const limited = batch.flatMap((index) => tightest(targets[index], course) ?? []);
  const free = batch.length - limited.length;
  const byPool = Map.groupBy(limited, ({ pool }) => pool);
  const allowed = [...byPool.values()].map((places) =>
    Math.min(places.length, ...places.map(({ atOnce }) => atOnce)),
  );
  return Math.max(1, Math.min(most, free + allowed.reduce((sum, places) => sum + places, 0)));
}

/** The pool of a target that allows the fewest at once, itself or in the zone of the target. A target that takes no capacity has no limit. */
function tightest(
  target: Worked | undefined,
  { spare }: Course,
): { pool: string; atOnce: number } | undefined {
  if (!target || !(takesCapacity(target) || reloads(target))) return undefined;
  const limits = [...Map.groupBy(target.members, poolKey)].map(([pool, members]) => {
    const inZone = members[0] && spare.get(zoneKey(members[0], target.zone));
    const most = Math.min(spare.get(pool) ?? 1, inZone ?? Number.POSITIVE_INFINITY);
    return { pool, atOnce: Math.max(1, Math.floor(most / members.length)) };
  });
  return limits.toSorted((a, b) => a.atOnce - b.atOnce)[0];
}

/** It takes no capacity if all goes well: so many at once are told to reload as might be lost. */
export const reloads = ({ sequence }: Pick<Worked, 'sequence'>): boolean => sequence === 'reload';

/** Its step `guard` asks for members that serve now. */
export function takesCapacity({ sequence, parked }: Pick<Worked, 'sequence' | 'parked'>): boolean {
  return (sequence === 'rolling' || sequence === 'restart') && !parked;
}
