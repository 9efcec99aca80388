import { isInService } from '../../domain/balancer.ts';
import type { NewDeployment } from '../../domain/command.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import { deploys, targetCount } from '../../domain/plan.ts';
import type { Eyes, MakeInvariant, Watched } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import { refsOf } from '../scenario.ts';
import { strangersOf } from './orphans.ts';

/**
 * I6: in the end every step that was granted has a result. I8: `succeeded` means that every target that did runs what the plan
 * has for it, is well and serves as it did before. I9: a rollback returns each target to its own release from before, and it
 * serves there. Both leave alone only what is on the release already.
 */
export const endings: MakeInvariant = (eyes) => {
  const verified: Verified = new Map();
  /** Targets on which a command of an earlier deployment has ended since the active one began to change them. */
  const disturbed = new Set<string>();
  const changedBy = new Map<string, DeploymentId | undefined>();
  const strangerOf = strangersOf(eyes);
  return {
    see: (fact) => {
      const stranger = strangerOf(fact);
      if (stranger !== undefined) disturbed.add(stranger);
      if (isChange(fact) && changedBy.get(fact.target) !== eyes.activeOf(fact.target)?.id) {
        changedBy.set(fact.target, eyes.activeOf(fact.target)?.id);
        disturbed.delete(fact.target);
      }
      if (fact.kind === 'probe.answered' && fact.version !== null)
        verified.set(fact.target, eyes.schedule.nowMs);
      if (fact.kind === 'deployment.created') checkLeftAlone(eyes, fact.made);
      if (fact.kind === 'committed' && fact.committed.kind === 'committed')
        checkEnd(eyes, fact, { verified, disturbed });
    },
    end: () => checkSteps(eyes),
  };
};

/** A command that people run beside a deployment changes nothing. */
const isChange = (fact: Fact): fact is Extract<Fact, { kind: 'command.started' }> =>
  fact.kind === 'command.started' && fact.what !== 'look';

/** When each target last answered as one that is well. */
type Verified = Map<string, number>;
type Committed = Extract<Fact, { kind: 'committed' }>;

type Known = { readonly verified: Verified; readonly disturbed: ReadonlySet<string> };

function checkEnd(eyes: Eyes, { lease, commit }: Committed, { verified, disturbed }: Known): void {
  const watched = eyes.deployments.get(lease.deployment);
  if (!watched || !commit.events.some(({ kind }) => kind === 'deployment.ended')) return;
  if (!deploys(watched.plan.verb)) return;
  for (const { name } of watched.plan.targets)
    if (watched.succeeded.has(name))
      checkTarget(eyes, watched, { name, verifiedAtMs: verified.get(name), isOwn: !disturbed.has(name) });
  if (watched.end?.status === 'succeeded') checkWhole(eyes, watched, commit.summary.exceptions);
  if (commit.successor) checkRollback(eyes, watched, commit.successor.plan.targets);
}

/** What the world has done to it since it was verified is not the deployment's to answer for. */
const FRESH_MS = 30_000;

/** What serves, and is not in the plan of a deployment, is left alone because it is on the release already. */
function checkLeftAlone(eyes: Eyes, { id, plan }: NewDeployment): void {
  if (plan.verb !== 'deploy' || plan.release === null) return;
  const planned = new Set(plan.targets.map(({ name }) => name));
  for (const target of eyes.scenario.targets) {
    const { name, project } = target;
    if (project !== plan.project || planned.has(name)) continue;
    if (eyes.disturbedAtMs(name) > eyes.schedule.nowMs - FRESH_MS) continue;
    const serves = refsOf(target).every((ref) => isInService(eyes.world.member(ref.balancer, ref)));
    if (!serves) continue;
    eyes.checked('I8');
    const { current } = eyes.world.service(name);
    if (current !== plan.release)
      eyes.violate('I8', `${id} of ${plan.release} leaves out ${name}, which has ${current}`);
  }
}

/** `isOwn`: nothing but the deployment itself has changed its service since. */
type Done = { readonly name: string; readonly verifiedAtMs: number | undefined; readonly isOwn: boolean };

/** Between the check of its health and its end there may be long waits: for a worker, or to settle. */
function checkTarget(eyes: Eyes, watched: Watched, { name, verifiedAtMs, isOwn }: Done): void {
  const planned = watched.plan.targets.find((target) => target.name === name);
  const freshAtMs = (watched.succeeded.get(name) ?? 0) - FRESH_MS;
  if (!planned || eyes.disturbedAtMs(name) > Math.min(freshAtMs, verifiedAtMs ?? freshAtMs)) return;
  const service = eyes.world.service(name);
  const invariant = watched.plan.verb === 'rollback' ? 'I9' : 'I8';
  eyes.checked(invariant);
  if (isOwn && planned.release !== null && service.current !== planned.release)
    eyes.violate(
      invariant,
      `${watched.id} counts ${name} as done with ${planned.release}; it has ${service.current}`,
    );
  if (!planned.inServiceBefore || watched.plan.hard) return;
  if (isOwn && planned.release !== null && service.running !== planned.release)
    eyes.violate(
      invariant,
      `${watched.id} counts ${name} as done with ${planned.release}; ${service.running} runs`,
    );
  checkServing(eyes, { watched, name, invariant, isOwn });
}

function checkServing(
  eyes: Eyes,
  { watched, name, invariant, isOwn }: { watched: Watched; name: string; invariant: string; isOwn: boolean },
): void {
  const known = eyes.world.targets.get(name);
  if (known?.found !== 'serves') return;
  for (const { balancer, pool, member } of refsOf(known)) {
    // Who takes it out by hand once Edge has returned it has the last word.
    if (eyes.world.lastEditedByHand(balancer, { pool, member })) continue;
    const state = eyes.world.member(balancer, { pool, member });
    const found = eyes.foundAs({ balancer, pool, member });
    const isServing = isOwn ? isInService(state) : state.admin === 'enabled';
    if (!isServing && found !== 'unsure' && (found === 'enabled' || state.admin !== found))
      eyes.violate(
        invariant,
        `${watched.id} counts ${name} as done; in ${pool} it is ${state.admin} and ${state.health}`,
      );
    if (state.asFound.weight !== 1)
      eyes.violate(invariant, `${name} has the weight ${state.asFound.weight} in ${pool}`);
  }
}

/** All of its targets are done, but for those that it names as exceptions. */
function checkWhole(eyes: Eyes, { id, plan, succeeded }: Watched, exceptions: number): void {
  eyes.checked('I8');
  const missing = targetCount(plan) - succeeded.size;
  if (missing > exceptions)
    eyes.violate('I8', `${id} succeeded: ${missing} targets are not done, it tells of ${exceptions}`);
}

type Targets = Watched['plan']['targets'];

function checkRollback(eyes: Eyes, parent: Watched, targets: Targets): void {
  for (const target of targets.filter(({ hook }) => !hook)) {
    const before = parent.plan.targets.find(({ name }) => name === target.name)?.before ?? null;
    eyes.checked('I9');
    if (target.release !== before)
      eyes.violate(
        'I9',
        `the rollback of ${parent.id} brings ${target.name} to ${target.release}; it had ${before}`,
      );
  }
}

type Row = { readonly deployment: string; readonly granted: number; readonly ended: number };

/** Grants carry a list of targets; each of them ends, or is tried again under another group. */
function checkSteps({ store, checked, violate }: Eyes): void {
  const rows = store.look<Row>(`SELECT deployment,
      sum(CASE json_extract(body, '$.kind') WHEN 'tasks.granted' THEN json_array_length(body, '$.targets') ELSE 0 END) AS granted,
      sum(CASE WHEN json_extract(body, '$.kind') IN ('task.succeeded', 'task.failed', 'task.unknown') THEN 1 ELSE 0 END) AS ended
    FROM events GROUP BY deployment`);
  for (const { deployment, granted, ended } of rows) {
    checked('I6');
    if (granted !== ended) violate('I6', `${deployment} granted ${granted} tasks; ${ended} have a result`);
  }
}
