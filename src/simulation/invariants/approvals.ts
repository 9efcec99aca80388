import type { Command, NewDeployment } from '../../domain/command.ts';
import type { CommandId, DeploymentId } from '../../domain/ids.ts';
import type { Commit } from '../../ports/journal.ts';
import type { MakeInvariant } from '../eyes.ts';

type Word = Extract<Command, { kind: 'approve' | 'promote' }>;

/**
 * I11: nothing of a deployment begins, be it to prepare a target, before so many people have approved that very plan as it says, none
 * of them who asked for it; or one has promoted it. Counted from what people said, and not from what the engine wrote of it. A
 * rollback that a failure causes waits for nobody.
 */
export const approvals: MakeInvariant = (eyes) => {
  const said = new Map<CommandId, Word>();
  const heard = new Map<DeploymentId, Word[]>();
  return {
    see: (fact) => {
      if (fact.kind === 'asked' && isWord(fact.command)) said.set(fact.command.id, fact.command);
      if (fact.kind !== 'committed' || fact.committed.kind !== 'committed') return;
      const { deployment } = fact.lease;
      const { commit } = fact;
      const words = heard.get(deployment) ?? [];
      heard.set(deployment, [...words, ...commit.handled.flatMap((id) => said.get(id) ?? [])]);
      const made = eyes.deployments.get(deployment)?.made;
      if (made?.plan.approvals && begins(commit)) {
        eyes.checked('I11');
        const why = whyNot(made, heard.get(deployment) ?? []);
        if (why !== undefined) eyes.violate('I11', `${deployment} begins, and ${why}`);
      }
      if (commit.successor?.plan.approvals)
        eyes.violate('I11', `${commit.successor.id} is a rollback that waits`);
    },
  };
};

const isWord = (command: Command): command is Word =>
  command.kind === 'approve' || command.kind === 'promote';

const begins = ({ open, events, takeHolds }: Commit): boolean =>
  open.length > 0 || takeHolds.length > 0 || events.some(({ kind }) => kind === 'deployment.started');

function whyNot({ plan, planHash, by }: NewDeployment, words: readonly Word[]): string | undefined {
  if (words.some(({ kind }) => kind === 'promote')) return undefined;
  const people = words.flatMap((word) =>
    word.kind === 'approve' && word.planHash === planHash && word.by !== by ? [word.by] : [],
  );
  const { size } = new Set(people);
  const { count = 0 } = plan.approvals ?? {};
  return size >= count ? undefined : `${size} of ${count} have approved it`;
}
