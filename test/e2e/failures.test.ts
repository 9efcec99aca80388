import assert from 'node:assert/strict';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { onFronts } from '../support/on-fronts.ts';
import type { Scene } from '../support/scene.ts';
import { until } from '../support/until.ts';

/** Health fails where a file says so. */
const ILL = {
  check: { kind: 'command', argv: ['sh', '-c', 'test ! -e "$FOLDER/$NAME.ill"'], timeoutMs: 20_000 },
  ...{ passes: 1, intervalMs: 100, windowMs: 500 },
};

// What is shown here is the engine's: it is the same behind each balancer.
onFronts({ title: 'failures behind', network: '127.86', servers: 3, fronts: ['HAProxy'] }, (shows) => {
  const budget = (count: number, other: string) => ({
    maxFailures: { batch: { count }, zone: { count }, deployment: { count } },
    onFailure: { health: 'rollback', other },
  });
  const statuses = async (scene: Scene, id: DeploymentId) =>
    (await scene.look(id)).view.targets.map(({ status }) => status);
  const first = ({ servers }: Scene) => {
    const [server] = servers;
    assert.ok(server);
    return server;
  };

  shows('«a failure within the budget is an exception of a deployment that succeeds»', async (scene) => {
    await scene.configure({ strategy: { batches: 1 }, policy: budget(2, 'abort') });
    await scene.make(first(scene), 'fail');
    const { deployment, view } = await scene.rests(await scene.deploy());
    assert.deepEqual([deployment.status, deployment.exceptions], ['succeeded', 1]);
    assert.deepEqual(await statuses(scene, deployment.id), ['failed', 'succeeded', 'succeeded']);
    assert.match(view.targets[0]?.reason ?? '', /no start today/);
    assert.equal(view.targets[0]?.parked, true);
    assert.deepEqual(await scene.front.out(), ['web-1']);
  });

  shows('«a budget of failures that is spent stops the deployment»', async (scene) => {
    await scene.configure({ strategy: { batches: 1 }, policy: budget(1, 'abort') });
    await scene.make(first(scene), 'fail');
    const { deployment } = await scene.rests(await scene.deploy());
    assert.equal(deployment.status, 'failed');
    assert.match(deployment.reason, /budget of failures is spent \(1\)/);
    assert.deepEqual(
      (await scene.work()).map(({ name }) => name),
      ['web-1'],
    );
  });

  shows('«what follows on a failure depends on its cause: rollback, pause or abort»', async (scene) => {
    await scene.configure({ strategy: { batches: 1 }, project: { health: ILL }, policy: budget(1, 'pause') });
    await scene.deployed();

    await scene.make(first(scene), 'fail');
    const paused = await scene.deploy({ version: 'v2' });
    assert.equal((await scene.rests(paused)).view.overall.paused?.cause, 'budget');
    await scene.edge.abort({ deployment: paused, reason: 'seen' });
    await until('it has ended', async () => (await scene.look(paused)).deployment.ended, 60_000);
    await scene.make(first(scene), 'go');
    await scene.deployed();

    await scene.make(first(scene), 'ill');
    const ill = await scene.rests(await scene.deploy({ version: 'v2' }));
    assert.equal(ill.deployment.status, 'failed');
    assert.match(ill.view.targets[0]?.reason ?? '', /exit status 1/);
    const { rollback } = ill.view.overall;
    assert.ok(rollback);
    await scene.make(first(scene), 'go');
    const back = await scene.rests(rollback);
    assert.deepEqual([back.deployment.verb, back.deployment.version], ['rollback', 'v1']);
  });
});
