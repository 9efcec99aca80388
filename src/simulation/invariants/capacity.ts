import { isInService, type MemberRef, type MemberState } from '../../domain/balancer.ts';
import { floorOf, memberKey, poolKey } from '../../domain/capacity.ts';
import type { Eyes, MakeInvariant, Watched } from '../eyes.ts';
import type { Fact } from '../facts.ts';

type Changed = Extract<Fact, { kind: 'member.changed' }>;
/** Since when a member is out of service, and by whose doing. */
type Out = { readonly sinceMs: number; readonly by: 'edge' | 'world' };

/**
 * What the world took down since the guard looked cannot be known to the drain that follows: a drain may be granted, its
 * worker may die, and its successor waits out the quarantine.
 */
const UNSEEN_MS = 240_000;

/**
 * I1: whenever Edge takes a member that serves out of its pool, the others that serve are at or above the floor of its plan.
 * Counted on the balancer, members that were down already with them.
 */
export const capacity: MakeInvariant = (eyes) => {
  const seen = new Members(eyes);
  return {
    see: (fact) => {
      if (fact.kind === 'member.changed' && takesOut(fact)) checkFloor(eyes, seen, fact);
      if (isNoted(fact)) seen.note(fact);
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

  constructor(eyes: Eyes) {
    this.#eyes = eyes;
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
    for (const ref of refsOf(this.#eyes, target)) {
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

  /** Whether a member that is out had to be known to be out. */
  isKnown(member: MemberRef): boolean {
    const out = this.#out.get(memberKey(member));
    if (out === undefined) return this.#stopped.has(member.member);
    return out.by === 'edge' || this.#eyes.schedule.nowMs - out.sinceMs > UNSEEN_MS;
  }
}

const takesOut = ({ before, after, by }: Changed): boolean =>
  by === 'edge' && isInService(before) && after.admin !== 'enabled';

function refsOf({ world }: Eyes, target: string) {
  return (world.targets.get(target)?.members ?? []).map((ref) => ({ ...ref, member: target }));
}

function checkFloor(eyes: Eyes, seen: Members, { target, member }: Changed): void {
  const active = eyes.activeOf(target);
  const floor = active?.plan.floors.find((one) => poolKey(one) === poolKey(member))?.floor;
  if (!active || !floor || seen.isJustBack(member)) return;
  const states = eyes.world.balancer(member.balancer).look(member.pool);
  const isMissing = (state: MemberState): boolean =>
    state.member === target || (!isInService(state) && seen.isKnown({ ...member, member: state.member }));
  const serving = states.filter((state) => !isMissing(state)).length;
  const needed = floorOf(floor, states.length);
  eyes.checked('I1');
  if (serving < needed) eyes.violate('I1', words(active, { serving, needed, target, pool: member.pool }));
}

const words = (
  { id }: Watched,
  { serving, needed, target, pool }: { serving: number; needed: number; target: string; pool: string },
): string => `${id} took ${target} out of ${pool}: ${serving} are left in service, the floor is ${needed}`;
