import { memberKey } from '../../domain/capacity.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import { refsOf } from '../scenario.ts';
import { strangersOf } from './orphans.ts';

type Started = Extract<Fact, { kind: 'command.started' }>;
type Committed = Extract<Fact, { kind: 'committed' }>;
type Changed = Extract<Fact, { kind: 'member.changed' }>;
type Streak = { passes: number; version: string | null };

/**
 * I2: nothing is stopped under traffic, nor changed by a step of a team's own, and no member gets traffic from Edge before its
 * service has passed its health check as often in a row as it must, with the version that the plan has for it. What a command of
 * an earlier deployment does between the last look and the return, one of which people were told that it may still run, is not seen.
 */
export const traffic: MakeInvariant = (eyes) => {
  const streaks = new Map<string, Streak>();
  const strangerOf = strangersOf(eyes);
  /** Targets on which a stranger has ended since the last look. */
  const disturbed = new Set<string>();
  /** When the world put back a member that no drain has begun to look at since: what came with it nobody waits for. */
  const undone = new Map<string, number>();
  /** When the drain of a target was last begun, or taken over. */
  const begun = new Map<string, number>();
  return {
    see: (fact) => {
      const stranger = strangerOf(fact);
      if (stranger !== undefined) disturbed.add(stranger);
      switch (fact.kind) {
        case 'probe.answered': {
          disturbed.delete(fact.target);
          const before = streaks.get(fact.target)?.passes ?? 0;
          streaks.set(fact.target, { passes: fact.version === null ? 0 : before + 1, version: fact.version });
          return;
        }
        case 'service.changed':
          if (fact.by === 'edge') streaks.delete(fact.target);
          return;
        case 'claimed':
          for (const { action, target } of fact.tasks)
            if (action.startsWith('balancer.drain@')) begun.set(target, eyes.schedule.nowMs);
          return;
        case 'command.started':
          if (mayDisturb(eyes, fact)) checkStop(eyes, undone, fact);
          return;
        case 'committed':
          if (fact.committed.kind === 'committed') checkDrains(eyes, { undone, begun }, fact);
          return;
        case 'member.changed':
          if (fact.by === 'world' && fact.after.admin === 'enabled')
            undone.set(memberKey(fact.member), eyes.schedule.nowMs);
          if (fact.by === 'edge' && fact.after.admin === 'enabled')
            checkEnable(eyes, fact, disturbed.has(fact.target) ? 'disturbed' : streaks.get(fact.target));
          return;
        default:
      }
    },
  };
};

/** What was out of service when it was planned is not drained: that the world has started it since its plan does not know. */
function mayDisturb(eyes: Eyes, { target, what }: Started): boolean {
  const planned = eyes.activeOf(target)?.plan.targets.find(({ name }) => name === target);
  return what === 'stop' || (what === 'change' && planned?.inServiceBefore === true);
}

function checkStop(eyes: Eyes, undone: ReadonlyMap<string, number>, { target, what }: Started): void {
  const active = eyes.activeOf(target);
  const known = eyes.world.targets.get(target);
  if (!known || !active || active.plan.hard || known.found !== 'serves') return;
  for (const { balancer, ...member } of refsOf(known)) {
    const { pool } = member;
    if (undone.has(memberKey({ balancer, ...member }))) continue;
    if (eyes.world.lastEditedByHand(balancer, member)) continue;
    const { admin, connections, health } = eyes.world.member(balancer, member);
    if (health !== 'up') continue;
    eyes.checked('I2');
    if (admin === 'enabled')
      eyes.violate('I2', `${active.id} ${what}s ${target} while ${pool} sends it traffic`);
    else if (admin === 'drained' && connections !== 0)
      eyes.violate('I2', `${active.id} ${what}s ${target} with ${connections} connections open`);
  }
}

type Drained = { readonly members: readonly { readonly member: string; readonly admin: string }[] };

/**
 * A drain is done when its last look found nothing enabled: whoever undid it before it began, it was done again. Its report may be
 * long under way, and who undid it then is not known to it.
 */
function checkDrains(
  eyes: Eyes,
  { undone, begun }: { readonly undone: Map<string, number>; readonly begun: ReadonlyMap<string, number> },
  { lease, commit }: Committed,
): void {
  const plan = eyes.deployments.get(lease.deployment)?.plan;
  for (const event of commit.events) {
    const planned = event.kind === 'task.succeeded' ? plan?.targets[event.target] : undefined;
    if (event.kind !== 'task.succeeded' || !planned || !('forced' in event.outputs)) continue;
    const beganMs = begun.get(planned.name) ?? Number.NEGATIVE_INFINITY;
    for (const key of planned.members.map(memberKey))
      if ((undone.get(key) ?? Number.POSITIVE_INFINITY) < beganMs) undone.delete(key);
    eyes.checked('I2');
    const { members } = event.outputs as unknown as Drained;
    const left = members.find(({ admin }) => admin === 'enabled');
    if (left) eyes.violate('I2', `${lease.deployment} counts ${left.member} as drained, and it is enabled`);
  }
}

function checkEnable(
  eyes: Eyes,
  { target, member }: Changed,
  streak: Streak | 'disturbed' | undefined,
): void {
  const active = eyes.activeOf(target);
  if (!active) {
    eyes.violate('I2', `${target} was enabled for no deployment`);
    return;
  }
  const found = eyes.foundAs(member);
  if (found === 'drained' || found === 'offline')
    eyes.violate('I2', `${active.id} enabled ${target}, which it found ${found}`);
  const planned = active.plan.targets.find(({ name }) => name === target);
  const project = eyes.scenario.projects.find(({ name }) => name === active.plan.project);
  const passes = project?.health.passes ?? 0;
  // Without a health check nothing is verified.
  if (!planned || passes === 0 || active.plan.hard) return;
  if (streak === 'disturbed') return;
  // Not verified, and shown as that.
  if (active.byHand.get(target)?.includes('health.verify@1')) return;
  eyes.checked('I2');
  if ((streak?.passes ?? 0) < passes)
    eyes.violate(
      'I2',
      `${active.id} enabled ${target} after ${streak?.passes ?? 0} of ${passes} passes in a row`,
    );
  const version = planned.release === null ? null : active.plan.releases[planned.release]?.version;
  if (version !== null && streak?.version !== version)
    eyes.violate('I2', `${active.id} enabled ${target} with ${streak?.version}, planned is ${version}`);
}
