import type { MemberState } from '../../domain/balancer.ts';
import { isInService } from '../../domain/balancer.ts';
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
  const out = new Map<string, Out>();
  const back = new Map<string, number>();
  const note = (target: string, by: 'edge' | 'world'): void => {
    for (const ref of refsOf(eyes, target)) {
      const isIn = isInService(eyes.world.member(ref.balancer, ref));
      if (isIn && out.delete(memberKey(ref))) back.set(memberKey(ref), eyes.schedule.nowMs);
      if (isIn) continue;
      if (!out.has(memberKey(ref))) out.set(memberKey(ref), { sinceMs: eyes.schedule.nowMs, by });
    }
  };
  return {
    see: (fact) => {
      // One that was out costs nothing when it is granted; that it came back since is not seen by its drain.
      const isBack = (one: Changed) =>
        eyes.schedule.nowMs - (back.get(memberKey(one.member)) ?? -Infinity) < UNSEEN_MS;
      if (fact.kind === 'member.changed' && fact.by === 'edge' && takesOut(fact) && !isBack(fact))
        checkFloor(eyes, out, fact);
      if (fact.kind === 'member.changed' || fact.kind === 'service.changed') note(fact.target, fact.by);
    },
  };
};

const takesOut = ({ before, after }: Changed): boolean => isInService(before) && after.admin !== 'enabled';

function refsOf({ world }: Eyes, target: string) {
  return (world.targets.get(target)?.members ?? []).map((ref) => ({ ...ref, member: target }));
}

function checkFloor(eyes: Eyes, out: ReadonlyMap<string, Out>, { target, member }: Changed): void {
  const active = eyes.activeOf(target);
  if (!active) return;
  const floor = active.plan.floors.find((one) => poolKey(one) === poolKey(member))?.floor;
  if (!floor) return;
  const states = eyes.world.balancer(member.balancer).look(member.pool);
  const isMissing = (state: MemberState): boolean => {
    if (state.member === member.member) return true;
    if (isInService(state)) return false;
    const known = out.get(memberKey({ ...member, member: state.member }));
    return known?.by !== 'world' || eyes.schedule.nowMs - known.sinceMs > UNSEEN_MS;
  };
  const serving = states.filter((state) => !isMissing(state)).length;
  const needed = floorOf(floor, states.length);
  eyes.checked('I1');
  if (serving < needed) eyes.violate('I1', words(active, { serving, needed, target, pool: member.pool }));
}

const words = (
  { id }: Watched,
  { serving, needed, target, pool }: { serving: number; needed: number; target: string; pool: string },
): string => `${id} took ${target} out of ${pool}: ${serving} are left in service, the floor is ${needed}`;
