import { isInService } from '../../domain/balancer.ts';
import { memberKey } from '../../domain/capacity.ts';
import { deploys } from '../../domain/plan.ts';
import type { Eyes, MakeInvariant, Watched } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import { refsOf } from '../scenario.ts';

/** I8: what Edge has enabled counts as done only once its balancer has had it in service. */
export const returned: MakeInvariant = (eyes) => {
  /** Enabled by Edge, and never in service since. */
  const awaited = new Set<string>();
  return {
    see: (fact) => {
      if (fact.kind === 'member.changed') {
        if (fact.by === 'edge' && fact.after.admin === 'enabled') awaited.add(memberKey(fact.member));
        else awaited.delete(memberKey(fact.member));
      }
      if (fact.kind === 'member.changed' || fact.kind === 'health.seen')
        for (const { key, serves } of membersOf(eyes, fact.target)) if (serves) awaited.delete(key);
      if (fact.kind === 'committed' && fact.committed.kind === 'committed') checkDone(eyes, fact, awaited);
    },
  };
};

function membersOf({ world }: Eyes, target: string): readonly { key: string; serves: boolean }[] {
  const known = world.targets.get(target);
  return (known ? refsOf(known) : []).map((ref) => ({
    key: memberKey(ref),
    serves: isInService(world.member(ref.balancer, ref)),
  }));
}

type Committed = Extract<Fact, { kind: 'committed' }>;

function checkDone(eyes: Eyes, { lease, commit }: Committed, awaited: ReadonlySet<string>): void {
  const watched = eyes.deployments.get(lease.deployment);
  if (!watched || !deploys(watched.plan.verb)) return;
  for (const event of commit.events) {
    if (event.kind !== 'target.succeeded') continue;
    const name = nameOf(watched, event.target);
    eyes.checked('I8');
    const waiting = membersOf(eyes, name).filter(({ key }) => awaited.has(key));
    if (waiting.length > 0)
      eyes.violate('I8', `${watched.id} counts ${name} as done; ${waiting[0]?.key} was never in service`);
  }
}

const nameOf = ({ plan }: Watched, target: number): string => plan.targets[target]?.name ?? '';
