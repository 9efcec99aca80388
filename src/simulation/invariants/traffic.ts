import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact } from '../facts.ts';

type Started = Extract<Fact, { kind: 'command.started' }>;
type Changed = Extract<Fact, { kind: 'member.changed' }>;
type Streak = { passes: number; version: string | null };

/**
 * I2: nothing is stopped under traffic, and no member gets traffic from Edge before its service has passed its health check as
 * often in a row as it must, with the version that the plan has for it.
 */
export const traffic: MakeInvariant = (eyes) => {
  const streaks = new Map<string, Streak>();
  return {
    see: (fact) => {
      switch (fact.kind) {
        case 'probe.answered': {
          const before = streaks.get(fact.target)?.passes ?? 0;
          streaks.set(fact.target, { passes: fact.version === null ? 0 : before + 1, version: fact.version });
          return;
        }
        case 'service.changed':
          if (fact.by === 'edge') streaks.delete(fact.target);
          return;
        case 'command.started':
          if (fact.what === 'stop') checkStop(eyes, fact);
          return;
        case 'member.changed':
          if (fact.by === 'edge' && fact.after.admin === 'enabled')
            checkEnable(eyes, fact, streaks.get(fact.target));
          return;
        default:
      }
    },
  };
};

function checkStop(eyes: Eyes, { target }: Started): void {
  const active = eyes.activeOf(target);
  const known = eyes.world.targets.get(target);
  if (!known || !active || active.plan.hard || known.found !== 'serves') return;
  for (const { balancer, pool } of known.members) {
    const member = { pool, member: target };
    if (eyes.world.lastEditedByHand(balancer, member)) continue;
    const { admin, connections, health } = eyes.world.member(balancer, member);
    if (health !== 'up') continue;
    eyes.checked('I2');
    if (admin === 'enabled')
      eyes.violate('I2', `${active.id} stops ${target} while ${pool} sends it traffic`);
    else if (admin === 'drained' && connections !== 0)
      eyes.violate('I2', `${active.id} stops ${target} with ${connections} connections open`);
  }
}

function checkEnable(eyes: Eyes, { target, member }: Changed, streak: Streak | undefined): void {
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
  if (!planned || !project || active.plan.hard) return;
  eyes.checked('I2');
  const { passes } = project.health;
  if ((streak?.passes ?? 0) < passes)
    eyes.violate(
      'I2',
      `${active.id} enabled ${target} after ${streak?.passes ?? 0} of ${passes} passes in a row`,
    );
  const version = planned.release === null ? null : active.plan.releases[planned.release]?.version;
  if (version !== null && streak?.version !== version)
    eyes.violate('I2', `${active.id} enabled ${target} with ${streak?.version}, planned is ${version}`);
}
