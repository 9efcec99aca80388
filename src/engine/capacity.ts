import {
  type Floor,
  floorOf,
  type GuardOutputs,
  type HeldMember,
  inServiceAfter,
  poolKey,
} from '../domain/capacity.ts';
import type { Event } from '../domain/event.ts';
import type { Facts } from './facts.ts';
import type { Model } from './model.ts';
import type { TargetState } from './state.ts';

const DEFAULT_FLOOR: Floor = { percent: 75 };

/**
 * Whether a target's members may be taken out of service, given what its guard has just seen and all holds (DESIGN.md
 * section 5, "Floor"). Members that are out already, or that this deployment or a parked hold has, cost nothing more.
 */
export function askCapacity(
  model: Model,
  target: number,
  record: TargetState,
  seen: GuardOutputs,
  facts: Facts,
): Event {
  const foreign = seen.members
    .map((member) => facts.holds.of(member))
    .find((hold) => hold?.phase === 'taken' && hold.deployment !== model.id);
  const short = foreign ? { pool: foreign.pool, inService: 0, floor: 0 } : shortPool(model, seen, facts);
  if (!short)
    return { kind: 'capacity.taken', target, members: seen.members.map((member) => adopted(member, facts)) };
  const since = record.refusedSince ?? facts.now;
  const wakeAt = facts.now + askAgainAfter(model, facts.now - since);
  return { kind: 'capacity.refused', target, ...short, since, wakeAt };
}

const MOST_MS = 60_000;

/** The longer the wait, the longer the pauses: each question is an event, and a hold may last a day. */
function askAgainAfter(model: Model, waitedMs: number): number {
  const { retryMs } = model.plan.policy.capacity;
  return Math.max(retryMs, Math.min(MOST_MS, Math.ceil(waitedMs / 10)));
}

type Short = { readonly pool: string; readonly inService: number; readonly floor: number };

/** The first pool that would fall under its floor. */
function shortPool(model: Model, seen: GuardOutputs, facts: Facts): Short | undefined {
  for (const observed of seen.observed) {
    const out = new Set(observed.out);
    const key = poolKey(observed);
    const members = seen.members.filter((member) => poolKey(member) === key);
    const taking = members.filter(
      (member) => !out.has(member.member) && facts.holds.of(member) === undefined,
    );
    if (taking.length === 0) continue;
    const inService = inServiceAfter(
      observed,
      facts.holds.in(observed),
      taking.map((member) => member.member),
    );
    const floor = floorOf(floorFor(model, key), observed.configured);
    if (inService < floor) return { pool: observed.pool, inService, floor };
  }
  return undefined;
}

function floorFor(model: Model, key: string): Floor {
  return model.plan.floors.find((floor) => poolKey(floor) === key)?.floor ?? DEFAULT_FLOOR;
}

/** A member that is held already keeps the settings it was first found with: what is seen now is Edge's own doing. */
function adopted(member: HeldMember, facts: Facts): HeldMember {
  const hold = facts.holds.of(member);
  return hold ? { ...member, asFound: hold.asFound } : member;
}

/** Whether capacity has been refused for so long that a person should look. */
export function refusedTooLong(model: Model, event: Event, resumedAt: number, now: number): boolean {
  return (
    event.kind === 'capacity.refused' &&
    now - Math.max(event.since, resumedAt) >= model.plan.policy.capacity.holdAfterMs
  );
}
