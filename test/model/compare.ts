import assert from 'node:assert/strict';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { deploymentPlan, loadView } from '../../src/operations/deployments.ts';
import { type Deployment, exceptionsOf, hasEnded, shown, stepsOf } from './deployment-model.ts';
import type { Model } from './model.ts';
import { holderOf, type Place } from './place-model.ts';
import { DEVICE, ENVIRONMENT, POOL, type RealEdge } from './real-edge.ts';

/** Everything that an operator could see is as the model says, and the members are as the record says. */
export async function checkWorld(model: Model, real: RealEdge): Promise<void> {
  assert.deepEqual(real.faults, [], 'no turn met a fault');
  for (const place of model.places) {
    await checkDeployments(model, real, place);
    await checkLock(model, real, place);
  }
  await checkFleet(model, real);
  await checkMembers(model, real);
}

async function checkDeployments(model: Model, { ports }: RealEdge, place: Place): Promise<void> {
  const filter = { project: place.project, environment: ENVIRONMENT, limit: 1_000 };
  const rows = await ports.views.deployments(filter);
  learnIds(model, place, rows);
  assert.deepEqual(
    rows.map((row) => [row.id, row.verb, row.version, row.status, row.ended, row.causedBy]),
    place.deployments.map((d) => [
      ...[model.ids.get(d), d.plan.verb, d.plan.release, d.status, hasEnded(d)],
      d.causedBy ? model.ids.get(d.causedBy) : null,
    ]),
    `the deployments of ${place.project}`,
  );
  for (const [index, d] of place.deployments.entries()) {
    const version = rows[index]?.streamVersion ?? 0;
    const sealed = model.sealed.get(d);
    if (sealed !== undefined) assert.equal(version, sealed, 'what has ended never changes');
    else await checkDeployment(model, { ports }, d);
    if (hasEnded(d)) {
      assert.equal(rows[index]?.exceptions, exceptionsOf(d), 'exceptions');
      model.sealed.set(d, version);
    }
  }
}

/** Newest first on both sides; the ids are Edge's to choose. */
function learnIds(
  { ids }: Model,
  { deployments }: Place,
  rows: readonly { readonly id: DeploymentId }[],
): void {
  assert.equal(rows.length, deployments.length, 'how many deployments there are');
  for (const [index, d] of deployments.entries()) {
    const id = rows[index]?.id;
    if (id && !ids.has(d)) ids.set(d, id);
  }
}

async function checkDeployment(
  model: Model,
  { ports }: Pick<RealEdge, 'ports'>,
  d: Deployment,
): Promise<void> {
  const id = idOf(model, d);
  const { targets, overall } = await loadView(ports.views, id);
  assert.deepEqual(
    Object.fromEntries(targets.map(({ name, status }) => [name, status])),
    Object.fromEntries([...d.targets.values()].map((target) => [target.name, shown(target)])),
    `the targets of ${id}`,
  );
  assert.equal(overall.stopping !== null, d.stop !== null && !hasEnded(d), `${id} is stopping`);
  const steps = stepsOf(d.plan);
  const open = [...d.targets.values()].filter(({ task }) => task !== 'none');
  const tasks = await ports.views.tasks(id);
  assert.deepEqual(
    tasks.map(({ target, step }) => `${target} ${step}`).toSorted(),
    open.map(({ name, step }) => `${name} ${steps[step]}`).toSorted(),
    `the open tasks of ${id}`,
  );
}

/** Asked of the lock itself: whoever comes now is told who has it. */
async function checkLock(model: Model, { ports }: RealEdge, place: Place): Promise<void> {
  const holder = holderOf(place);
  if (!holder) return;
  const { plan, hash } = await deploymentPlan(ports, ASKING, { deployment: idOf(model, holder) });
  const made = { id: ports.ids.deployment(), plan, planHash: hash, by: 'bob', reason: 'second' };
  const expected = { kind: 'locked', holder: idOf(model, holder) };
  assert.deepEqual(await ports.journal.create(made), expected, `the lock of ${place.project}`);
}

const ASKING = { name: 'bob', permissions: new Set(['deployment.read'] as const), expiresAt: null };

async function checkFleet(model: Model, { ports }: RealEdge): Promise<void> {
  const { holds, targets } = await ports.views.fleet({ environment: ENVIRONMENT });
  assert.deepEqual(
    Object.fromEntries(holds.map(({ target, deployment, phase }) => [target, `${phase} by ${deployment}`])),
    Object.fromEntries(
      [...model.fleet.holds].map(([name, { owner, parked }]) => {
        return [name, `${parked ? 'parked' : 'taken'} by ${idOf(model, owner)}`];
      }),
    ),
    'who holds what',
  );
  assert.deepEqual(
    Object.fromEntries(targets.map((row) => [row.target, `${versionOf(row.release)} ${row.unproven}`])),
    Object.fromEntries([...model.fleet.placed].map(([name, at]) => [name, `${at.release} ${at.unproven}`])),
    'which release is where',
  );
}

const versionOf = (release: string) => release.slice(0, release.lastIndexOf('-'));

/** The world itself: what nobody holds is in service, with the settings that it was found with at the very first. */
async function checkMembers({ fleet }: Model, { balancer }: RealEdge): Promise<void> {
  const members = await balancer.members(POOL, new AbortController().signal);
  const free = members.filter(({ member }) => !fleet.holds.has(member));
  assert.deepEqual(
    free.map(({ member, asFound }) => [member, asFound]),
    free.map(({ member }) => [
      member,
      { admin: 'enabled', weight: members.findIndex((m) => m.member === member) + 1 },
    ]),
    `members of ${DEVICE} that nobody holds are as they were found`,
  );
}

export function idOf({ ids }: Model, d: Deployment): DeploymentId {
  const id = ids.get(d);
  assert.ok(id, 'a deployment that Edge does not have');
  return id;
}
