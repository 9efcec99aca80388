import { isInService, type MemberRef, type MemberState } from '../../domain/balancer.ts';
import { type Floor, floorOf, memberKey, partName, poolKey } from '../../domain/capacity.ts';
import { amountField } from '../../domain/fields.ts';
import { floorFrom } from '../../plan/amounts.ts';
import type { Eyes, MakeInvariant, Watched } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import { refsOf } from '../scenario.ts';

type Changed = Extract<Fact, { kind: 'member.changed' }>;
/** Since when a member is out of service, and by whose doing. */
type Out = { readonly sinceMs: number; readonly by: 'edge' | 'world' };

/**
 * What the world took down since the guard looked cannot be known to the drain that follows: a drain may be granted, its
 * worker may die, and its successor waits out the quarantine.
 */
const UNSEEN_MS = 240_000;

/**
 * I1: whenever Edge takes a member that serves out of its pool, the others that serve are at or above the floor of its plan; and
 * so are those of its zone, whose floor is that of the policy, and whose members are the targets that people put there.
 * Counted on the balancer, members that were down already with them. And what is out already costs nothing, so that it is not
 * made to wait for capacity.
 */
export const capacity: MakeInvariant = (eyes) => {
  const seen = new Members(eyes);
  return {
    see: (fact) => {
      if (fact.kind === 'deployment.created') seen.begin();
      if (fact.kind === 'member.changed' && takesOut(fact)) checkFloor(eyes, seen, fact);
      if (isNoted(fact)) seen.note(fact);
      if (fact.kind === 'committed' && fact.committed.kind === 'committed') checkRefused(eyes, seen, fact);
    },
  };
};

type Noted = Extract<Fact, { kind: 'member.changed' | 'service.changed' | 'health.seen' }>;
const isNoted = (fact: Fact): fact is Noted =>
  fact.kind === 'member.changed' || fact.kind === 'service.changed' || fact.kind === 'health.seen';

/** Since when members are out of service, and by whose doing; and since when they are back. */
class Members {
  readonly #eyes: Eyes;
  readonly #out = new Map<string, Out>();
  readonly #back = new Map<string, number>();
  readonly #stopped = new Set<string>();
  #isBegun = false;

  constructor(eyes: Eyes) {
    this.#eyes = eyes;
  }

  /** What is out before anything happens has always been so. */
  begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    for (const target of this.#eyes.scenario.targets)
      for (const ref of refsOf(target))
        if (!isInService(this.#eyes.world.member(ref.balancer, ref)))
          this.#out.set(memberKey(ref), { sinceMs: Number.NEGATIVE_INFINITY, by: 'world' });
  }

  note(fact: Noted): void {
    const { target } = fact;
    const { nowMs } = this.#eyes.schedule;
    // A hard deployment asks nobody: to the others it is the world.
    const isHard = this.#eyes.activeOf(target)?.plan.hard === true;
    if (fact.kind === 'service.changed') {
      if (fact.isWell) this.#stopped.delete(target);
      else if (fact.by === 'edge' && !isHard) this.#stopped.add(target);
    }
    const isEdges = this.#stopped.has(target) || (fact.kind === 'member.changed' && fact.by === 'edge');
    for (const ref of membersOf(this.#eyes, target)) {
      const key = memberKey(ref);
      if (!isInService(this.#eyes.world.member(ref.balancer, ref)))
        this.#out.set(key, this.#out.get(key) ?? { sinceMs: nowMs, by: isEdges ? 'edge' : 'world' });
      else if (this.#out.delete(key)) this.#back.set(key, nowMs);
    }
  }

  /** Whether it was out a while ago: one that is out costs nothing when it is granted, and its drain does not see it come back. */
  isJustBack(member: MemberRef): boolean {
    return (
      this.#eyes.schedule.nowMs - (this.#back.get(memberKey(member)) ?? Number.NEGATIVE_INFINITY) < UNSEEN_MS
    );
  }

  /** How long it has been out of service, ms. */
  outForMs(member: MemberRef): number {
    return this.#eyes.schedule.nowMs - (this.#out.get(memberKey(member))?.sinceMs ?? Infinity);
  }

  /** Whether a member that is out had to be known to be out. */
  isKnown(member: MemberRef): boolean {
    const out = this.#out.get(memberKey(member));
    if (out === undefined) return this.#stopped.has(this.#eyes.world.ownerOf(member));
    return out.by === 'edge' || this.#eyes.schedule.nowMs - out.sinceMs > UNSEEN_MS;
  }
}

const takesOut = ({ before, after, by }: Changed): boolean =>
  by === 'edge' && isInService(before) && after.admin !== 'enabled';

function membersOf({ world }: Eyes, target: string): readonly MemberRef[] {
  const known = world.targets.get(target);
  return known ? refsOf(known) : [];
}

function checkFloor(eyes: Eyes, seen: Members, { target, member }: Changed): void {
  const active = eyes.activeOf(target);
  if (!active || seen.isJustBack(member)) return;
  const all = eyes.world.balancer(member.balancer).look(member.pool);
  const isMissing = (state: MemberState): boolean =>
    eyes.world.ownerOf({ ...member, member: state.member }) === target ||
    (!isInService(state) && seen.isKnown({ ...member, member: state.member }));
  for (const { zone, floor, isOfIt } of floorsAround(eyes, active, member)) {
    const states = all.filter((state) => isOfIt(state.member));
    const serving = states.filter((state) => !isMissing(state)).length;
    const needed = floorOf(floor, states.length);
    eyes.checked('I1');
    const pool = partName(member.pool, zone);
    if (serving < needed) eyes.violate('I1', words(active, { serving, needed, target, pool }));
  }
}

type FloorAround = {
  readonly zone?: string;
  readonly floor: Floor;
  readonly isOfIt: (member: string) => boolean;
};

/** The floors that a member is under: that of its pool, and that of its zone there. A hard deployment has none. */
function floorsAround(eyes: Eyes, { plan }: Watched, member: MemberRef): readonly FloorAround[] {
  const planned = plan.floors.filter((one) => poolKey(one) === poolKey(member));
  const ofPool = planned.flatMap(({ zone, floor }) => (zone ? [] : [{ floor, isOfIt: () => true }]));
  const { minInServicePerZone: written } = eyes.scenario.policy;
  if (ofPool.length === 0) return [];
  if (written !== undefined)
    return [...ofPool, zoneAround(eyes, member, floorFrom(amountField.parse(written)))];
  // Of a simulated plan there is no policy but what it says itself.
  const ofZone = planned.flatMap(({ zone, floor }) =>
    zone?.members.includes(member.member)
      ? [{ zone: zone.name, floor, isOfIt: (name: string) => zone.members.includes(name) }]
      : [],
  );
  return [...ofPool, ...ofZone];
}

/** As the estate has it, whatever the plan says: the targets of the same project in the same zone. */
function zoneAround({ world }: Eyes, member: MemberRef, floor: Floor): FloorAround {
  const targetOf = (name: string) => world.targets.get(world.ownerOf({ ...member, member: name }));
  const own = targetOf(member.member);
  const isOfIt = (name: string): boolean =>
    targetOf(name)?.zone === own?.zone && targetOf(name)?.project === own?.project;
  return { zone: own?.zone ?? '', floor, isOfIt };
}

type Committed = Extract<Fact, { kind: 'committed' }>;

/** A floor of 0 is that of a member which another deployment holds. */
function checkRefused(eyes: Eyes, seen: Members, { lease, commit }: Committed): void {
  const watched = eyes.deployments.get(lease.deployment);
  for (const event of commit.events) {
    if (event.kind !== 'capacity.refused' || event.floor === 0) continue;
    const target = eyes.world.targets.get(watched?.plan.targets[event.target]?.name ?? '');
    if (!target) continue;
    eyes.checked('I1');
    if (refsOf(target).every((member) => seen.outForMs(member) > UNSEEN_MS))
      eyes.violate(
        'I1',
        `${lease.deployment} makes ${target.name} wait for ${event.pool}, and it is out already`,
      );
  }
}

const words = (
  { id }: Watched,
  { serving, needed, target, pool }: { serving: number; needed: number; target: string; pool: string },
): string => `${id} took ${target} out of ${pool}: ${serving} are left in service, the floor is ${needed}`;
