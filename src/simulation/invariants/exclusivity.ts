import type { DeploymentId } from '../../domain/ids.ts';
import { deploys } from '../../domain/plan.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact } from '../facts.ts';

type Committed = Extract<Fact, { kind: 'committed' }>;
type Driven = { epoch: number; owner: string; version: number };

/**
 * I4: one active deployment per project and environment, and of one epoch's writes only one owner's are accepted. I10: the
 * epoch and the version only grow, and nothing is written after the end.
 */
export const exclusivity: MakeInvariant = (eyes) => {
  const driven = new Map<DeploymentId, Driven>();
  return {
    see: (fact) => {
      if (fact.kind === 'deployment.created') checkActive(eyes);
      if (fact.kind !== 'committed' || fact.committed.kind !== 'committed') return;
      checkActive(eyes);
      checkEpoch(eyes, driven, fact);
    },
    end: () => checkEnds(eyes),
  };
};

function checkActive(eyes: Eyes): void {
  const active = [...eyes.deployments.values()].filter(({ end, plan }) => end === null && deploys(plan.verb));
  eyes.checked('I4');
  for (const [project, of] of Map.groupBy(active, ({ plan }) => plan.project))
    if (of.length > 1)
      eyes.violate('I4', `${of.map(({ id }) => id).join(' and ')} are active for ${project}`);
}

function checkEpoch(
  eyes: Eyes,
  driven: Map<DeploymentId, Driven>,
  { lease, commit, committed }: Committed,
): void {
  const { deployment, epoch, owner } = lease;
  const before = driven.get(deployment);
  eyes.checked('I10');
  if (before && before.epoch === epoch && before.owner !== owner)
    eyes.violate('I4', `${before.owner} and ${owner} both wrote to ${deployment} in epoch ${epoch}`);
  if (before && before.epoch > epoch)
    eyes.violate('I10', `${deployment} went back from epoch ${before.epoch} to ${epoch}`);
  const version = committed.kind === 'committed' ? committed.version : 0;
  if (before && commit.expectedVersion < before.version)
    eyes.violate(
      'I10',
      `${deployment} was written at version ${commit.expectedVersion} after ${before.version}`,
    );
  const watched = eyes.deployments.get(deployment);
  const isEnd = commit.events.some(({ kind }) => kind === 'deployment.ended');
  if (watched?.end && !isEnd && commit.events.length > 0)
    eyes.violate('I10', `${deployment} was written to after its end`);
  driven.set(deployment, { epoch, owner, version });
}

type Row = { readonly id: DeploymentId; readonly status: string; readonly locks: number };

/** What the tables say in the end is what was committed. */
function checkEnds({ store, deployments, checked, violate }: Eyes): void {
  const rows = store.look<Row>(
    'SELECT id, status, (SELECT count(*) FROM locks l WHERE l.deployment = d.id) AS locks FROM deployments d',
  );
  for (const { id, status, locks } of rows) {
    const end = deployments.get(id)?.end;
    if (!end) continue;
    checked('I10');
    if (end.status !== status) violate('I10', `${id} ended ${end.status} and is ${status} now`);
    if (locks > 0) violate('I4', `${id} has ended and holds its lock`);
  }
}
