import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { type EdgeClient, edgeClient } from '../../src/api/client.ts';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { type CliResult, cli } from '../support/cli-process.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { ENVIRONMENT, PROJECT } from '../support/scene-configuration.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const NEXT = 'next';

describe('who lets a deployment start', { skip: sshd.skip ?? false }, () => {
  let scene: Scene;
  const tokens = new Map<string, string>();
  before(async () => {
    scene = await openScene({ sshdPath: sshd.path ?? '', network: '127.93.1', servers: 2, fronts: [] });
    for (const [name, role] of [
      ...[['ann', 'lead'] as const, ['bob', 'approve'] as const, ['eve', 'lead'] as const],
      ['dan', 'deploy'] as const,
    ])
      tokens.set(name, (await scene.edge.createToken({ name, role })).secret);
  });
  after(() => scene?.stop());

  /** A command line of a person; the administrator is `first`. */
  const edge = (name: string, ...argv: readonly string[]): Promise<CliResult> => {
    const token = tokens.get(name) ?? scene.server.token;
    return cli(argv, { settings: { server: scene.server.url, token } });
  };
  const client = (name: string): EdgeClient =>
    edgeClient({ server: scene.server.url, token: tokens.get(name) ?? '' });

  async function asked(count: number): Promise<DeploymentId> {
    await scene.tidy();
    await scene.configure({ policy: { approvals: { count } } });
    const place = { project: PROJECT, environment: ENVIRONMENT };
    const { deployment } = await client('ann').deploy({
      ...{ ...place, version: 'v2', force: true, reason: 'release' },
    });
    const isAsked = async () => (await scene.look(deployment)).deployment.reason.startsWith('waits for ');
    await until('it waits for approvals', isAsked, 20_000);
    return deployment;
  }

  test('«N approvals by token holders with the permission, never the requester, bound to plan hash and artifact digest»', async () => {
    const id = await asked(2);
    const { hash } = await scene.edge.deploymentPlan({ deployment: id });
    assert.equal((await edge('ann', 'approve', id)).status, 4);
    assert.equal((await edge('dan', 'approve', id)).status, 4);
    assert.match((await edge('bob', 'approve', id, '--plan-hash', '0'.repeat(64))).stderr, /plan_changed/);
    const bob = await edge('bob', 'approve', id, '--plan-hash', hash);
    assert.equal(bob.status, 0, bob.stderr);
    assert.match(bob.stdout, /is approved by bob, and waits for 1 more approval/);
    assert.match((await edge('bob', 'approve', id)).stderr, /approval_refused: bob has approved/);
    assert.deepEqual(await scene.work(), []);
    assert.equal((await scene.look(id)).deployment.counts.active, 0);
    assert.match(
      (await edge('first', 'status', id)).stdout,
      /approved by bob[\s\S]*waits for 1 more approval/,
    );
    const artifact = join(scene.fleet.folder, 'artifact');
    await writeFile(artifact, 'something else');
    assert.match((await edge('eve', 'approve', id)).stderr, /artifact_mismatch/);
    await writeFile(artifact, 'nothing');
    assert.equal((await edge('eve', 'approve', id)).status, 0);
    const { deployment, view } = await scene.rests(id);
    assert.equal(deployment.status, 'succeeded');
    assert.equal((await scene.work()).length, 2);
    assert.deepEqual(
      view.overall.approvals?.given.map(({ by }) => by),
      ['bob', 'eve'],
    );
  });

  test('«an approval is void after any edit»', async () => {
    const id = await asked(2);
    assert.equal((await edge('bob', 'approve', id)).status, 0);
    await scene.configure({ policy: { approvals: { count: 2 } }, project: { keepReleases: 9 } });
    const late = await edge('eve', 'approve', id);
    assert.equal(late.status, 5);
    assert.match(late.stderr, /plan_changed: .* has changed: project shop/);
    assert.match((await edge('first', 'promote', id, '-r', 'now')).stderr, /plan_changed/);
    assert.equal((await edge('first', 'abort', id, '-r', 'deploy again')).status, 0);
    assert.equal((await scene.look(id)).deployment.status, 'aborted');
    assert.deepEqual(await scene.work(), []);
  });

  test('«an administrator promotes a deployment past its approvals, with a reason»', async () => {
    const id = await asked(2);
    assert.equal((await edge('eve', 'promote', id, '-r', 'now')).status, 4);
    assert.equal((await edge('first', 'promote', id)).status, 2);
    assert.equal((await edge('first', 'promote', id, '-r', 'the shop is down')).status, 0);
    assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    const { events } = await scene.edge.deploymentEvents({ deployment: id });
    const promoted = events.flatMap(({ event }) => (event.kind === 'deployment.promoted' ? [event] : []));
    assert.deepEqual(promoted, [{ kind: 'deployment.promoted', by: 'first', reason: 'the shop is down' }]);
  });

  test('«one release is promoted through environments, by --from and policy.after»', async () => {
    await scene.tidy();
    await scene.configure();
    await follow(NEXT, ENVIRONMENT);
    await scene.edge.createRelease({ kind: 'release', project: PROJECT, version: 'v3', artifacts: [] });
    const refused = await edge('dan', 'deploy', PROJECT, NEXT, 'v3', '--force');
    assert.equal(refused.status, 5);
    assert.match(refused.stderr, /release_unproven: shop v3 comes to next only after .* in dc \(/);
    await scene.deployed({ version: 'v3' });
    const done = await edge('dan', 'deploy', PROJECT, NEXT, '--from', ENVIRONMENT);
    assert.equal(done.status, 0, done.stderr);
    const { projectEnvironments } = await scene.edge.status({ project: PROJECT, environment: NEXT });
    assert.deepEqual(
      projectEnvironments[0]?.releases.map(({ version }) => version),
      ['v3'],
    );
  });

  /** An environment like another one, to which releases come from it. */
  async function follow(name: string, from: string): Promise<void> {
    const { documents } = await scene.edge.configuration();
    const files = documents.flatMap(({ kind, key, value }): readonly object[] => {
      if (kind === 'environment' && key === from)
        return [{ ...value, name, policy: { minInService: 0, after: [from] } }];
      return kind === 'project-environment' && key === `${PROJECT}/${from}`
        ? [{ ...value, environment: name }]
        : [];
    });
    await scene.edge.applyConfiguration({
      files: files.map((document, n) => ({ path: `${n}.yaml`, text: JSON.stringify(document) })),
    });
  }
});
