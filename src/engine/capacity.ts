import type { MemberRef, PoolObservation } from '../domain/balancer.ts';
import {
  floorOf,
  type GuardOutputs,
  type HeldMember,
  inServiceAfter,
  poolKey,
  seenAmong,
} from '../domain/capacity.ts';
import type { Event } from '../domain/event.ts';
import type { Facts } from './facts.ts';
import type { KeptFloor, Model } from './model.ts';
import type { TargetState } from './state.ts';

type Taken = Extract<Event, { kind: 'capacity.taken' }>;
type Refused = Extract<Event, { kind: 'capacity.refused' }>;
type Answer = {
  readonly event: Taken | Refused;
  /** Refused while members of the deployment itself are out of what is short: it gives back what it needs next. */
  readonly isOwnDoing: boolean;
};

/**
 * Whether a target's members may be taken out of service, given what its guard has just seen and all holds (DESIGN.md
 * section 5, "Floor"). Members that are out already, or that this deployment has taken, cost nothing more. One that is parked
 * and serves all the same, since its balancer forgot that it was drained, costs like any other. Whoever asks has taken nothing
 * yet: what is taken is another's.
 */
export function askCapacity(
  model: Model,
  target: number,
  record: TargetState,
  seen: GuardOutputs,
  facts: Facts,
): Answer {
  const foreign = seen.members
    .map((member) => facts.holds.of(member))
    .find((hold) => hold?.phase === 'taken');
  const short = foreign ? { pool: foreign.pool, inService: 0, floor: 0 } : shortPool(model, seen, facts);
  if (!short) {
    const members = seen.members.map((member) => adopted(member, facts));
    return { event: { kind: 'capacity.taken', target, members }, isOwnDoing: false };
  }
  const { isOwnDoing = false, ...of } = short;
  const since = record.refusedSince ?? facts.now;
  const wakeAt = facts.now + askAgainAfter(model, facts.now - since);
  return { event: { kind: 'capacity.refused', target, ...of, since, wakeAt }, isOwnDoing };
}

const MOST_MS = 60_000;

/** The longer the wait, the longer the pauses: each question is an event, and a hold may last a day. */
function askAgainAfter(model: Model, waitedMs: number): number {
  const { retryMs } = model.plan.policy.capacity;
  return Math.max(retryMs, Math.min(MOST_MS, Math.ceil(waitedMs / 10)));
}

type Short = {
  readonly pool: string;
  readonly zone?: string;
  readonly inService: number;
  readonly floor: number;
  readonly isOwnDoing?: boolean;
};

/** The first pool, or zone of a pool, that would fall under its floor. */
function shortPool(model: Model, { observed, members }: GuardOutputs, facts: Facts): Short | undefined {
  for (const pool of observed) {
    const key = poolKey(pool);
    const taking = members.filter((member) => poolKey(member) === key);
    const holds = [...facts.holds.in(pool)];
    const own = holds.filter(({ deployment, phase }) => deployment === model.id && phase === 'taken');
    for (const floor of model.floors.get(key) ?? []) {
      const short = shortOf(floor, { pool, taking, holds, own });
      if (short) return short;
    }
  }
  return undefined;
}

type Seen = {
  readonly pool: PoolObservation;
  readonly taking: readonly MemberRef[];
  readonly holds: readonly MemberRef[];
  /** Of them those of the deployment that asks, whose targets it works on. */
  readonly own: readonly MemberRef[];
};

/** Taking what is out already costs nothing. */
function shortOf(
  { floor, members, named }: KeptFloor,
  { pool, taking, holds, own }: Seen,
): Short | undefined {
  const { seen, isOfIt } = seenAmong(pool, members);
  const out = new Set(seen.out);
  const taken = taking.filter((ref) => isOfIt(ref) && !out.has(ref.member));
  if (taken.length === 0) return undefined;
  const inService = inServiceAfter(
    seen,
    holds.filter(isOfIt),
    taken.map(({ member }) => member),
  );
  const least = floorOf(floor, seen.configured);
  const short = { pool: pool.pool, ...named, inService, floor: least, isOwnDoing: own.some(isOfIt) };
  return inService < least ? short : undefined;
}

/** A member that is held already keeps the settings it was first found with: what is seen now is Edge's own doing. */
function adopted(member: HeldMember, facts: Facts): HeldMember {
  const hold = facts.holds.of(member);
  return hold ? { ...member, asFound: hold.asFound } : member;
}

/** Whether capacity has been refused for so long that a person should look. */
export function isTooLong(model: Model, since: number, resumedAt: number, now: number): boolean {
  return now - Math.max(since, resumedAt) >= model.plan.policy.capacity.holdAfterMs;
}
