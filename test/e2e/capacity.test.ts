import assert from 'node:assert/strict';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { onFronts } from '../support/on-fronts.ts';
import type { Scene } from '../support/scene.ts';
import { ENVIRONMENT, OTHER, PROJECT } from '../support/scene-configuration.ts';
import { until } from '../support/until.ts';

const PATIENCE_MS = 60_000;

/** Which pools were too short for a target to be taken out, as the record says it. */
async function refusals({ edge }: Scene, deployment: DeploymentId): Promise<readonly string[]> {
  const { events } = await edge.deploymentEvents({ deployment });
  return events.flatMap(({ event }) =>
    event.kind === 'capacity.refused' ? [`${event.pool}: ${event.inService} of ${event.floor}`] : [],
  );
}

const untilRefused = (scene: Scene, id: DeploymentId) =>
  until('a target is refused', async () => (await refusals(scene, id)).length > 0, PATIENCE_MS);
const untilHeld = (scene: Scene, server: Scene['servers'][number]) =>
  until(`${server.name} is held`, () => scene.isHeld(server), PATIENCE_MS);

const namesOf = async (scene: Scene) => (await scene.work()).map(({ name }) => name);

onFronts({ title: 'capacity behind', network: '127.82', servers: 3 }, (shows) => {
  const oneOfThree = { strategy: { parallel: 1 }, policy: { minInService: 2 } };

  shows(
    '«before every grant the balancer is asked anew», and «short of capacity a target waits until there is room»',
    async (scene) => {
      const { front, servers } = scene;
      const [first, , third] = servers;
      assert.ok(first && third);
      await scene.configure(oneOfThree);
      await scene.make(first, 'hold');
      const id = await scene.deploy();
      await untilHeld(scene, first);
      await front.byHand(third, 'out');
      await scene.make(first, 'go');
      await untilRefused(scene, id);
      assert.equal((await refusals(scene, id))[0], `${front.poolOf('web')}: 1 of 2`);
      assert.deepEqual(await namesOf(scene), ['web-1']);
      await front.byHand(third, 'in');
      assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    },
  );

  shows(
    '«capacity is counted in every pool that a server is in», and «a server in several pools is drained in all of them»',
    async (scene) => {
      const { front, servers } = scene;
      const [first, , third] = servers;
      assert.ok(first && third);
      await scene.configure({ ...oneOfThree, pools: ['web', 'api'] });
      await scene.make(first, 'hold');
      const id = await scene.deploy();
      await untilHeld(scene, first);
      assert.deepEqual([await front.out('web'), await front.out('api')], [['web-1'], ['web-1']]);
      await front.byHand(third, 'out', ['api']);
      await scene.make(first, 'go');
      await untilRefused(scene, id);
      assert.equal((await refusals(scene, id))[0], `${front.poolOf('api')}: 1 of 2`);
      await front.byHand(third, 'in', ['api']);
      assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
      assert.deepEqual([await front.out('web'), await front.out('api')], [[], []]);
    },
  );

  shows(
    '«members that are down or out already count», and «a batch shrinks to what the floor leaves»',
    async (scene) => {
      const { front, servers } = scene;
      const [first, second, third] = servers;
      assert.ok(first && second && third);
      // nginx looks at no server by itself: there somebody takes it out.
      if (front.kind === 'nginx') await front.byHand(third, 'out');
      else third.healthy = false;
      await scene.configure({ strategy: { parallel: 3 }, policy: { minInService: 1 } });
      await until('the balancer sees it', async () => (await inService(scene)) === 2, PATIENCE_MS);
      await scene.make(first, 'hold');
      await scene.make(second, 'hold');
      const id = await scene.deploy();
      await until('one is held', async () => (await scene.work()).length > 0, PATIENCE_MS);
      for (const server of [first, second]) {
        await untilHeld(scene, server);
        assert.deepEqual(
          (await front.out()).filter((name) => name !== third.name),
          [server.name],
        );
        await scene.make(server, 'go');
      }
      assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    },
  );

  shows('«holds of other projects count»', async (scene) => {
    const { edge, servers } = scene;
    const [first, second, third] = servers;
    assert.ok(first && second && third);
    await scene.configure({ ...oneOfThree, name: OTHER, targets: [third] });
    await scene.configure({ ...oneOfThree, targets: [first, second] });
    await scene.make(third, 'hold');
    const other = await scene.deploy({ project: OTHER });
    await untilHeld(scene, third);
    const id = await scene.deploy();
    await untilRefused(scene, id);
    assert.deepEqual(await namesOf(scene), ['web-3']);
    await scene.make(third, 'go');
    assert.equal((await scene.rests(other)).deployment.status, 'succeeded');
    assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    assert.deepEqual(await namesOf(scene), ['web-3', 'web-1', 'web-2']);
    assert.deepEqual((await edge.deployments({ ended: false })).deployments, []);
  });

  shows(
    '«members of a priority group in reserve are no capacity»',
    async (scene) => {
      const [first, second] = scene.servers;
      assert.ok(first && second);
      for (const server of [first, second]) await scene.front.byHand(server, 'heavy');
      const setting = { strategy: { parallel: 2 }, targets: [first, second] };
      await scene.configure({ ...setting, policy: { minInService: 1 } });
      assert.equal(await inService(scene), 2);
      await scene.make(first, 'hold');
      const id = await scene.deploy();
      await untilHeld(scene, first);
      assert.deepEqual(await scene.front.out(), [first.name]);
      await scene.make(first, 'go');
      assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    },
    ['F5'],
  );

  shows('«what waits too long for capacity is held for a person»', async (scene) => {
    const { edge, front, servers } = scene;
    const [first, , third] = servers;
    assert.ok(first && third);
    await scene.configure({ ...oneOfThree, policy: { minInService: 2, capacityWaitMs: 1_000 } });
    await scene.make(first, 'hold');
    const deployment = await scene.deploy();
    await untilHeld(scene, first);
    await front.byHand(third, 'out');
    await scene.make(first, 'go');
    const { view } = await scene.rests(deployment);
    assert.equal(view.overall.paused?.cause, 'capacity');
    await front.byHand(third, 'in');
    await edge.resume({ deployment, reason: 'it is back' });
    await until('it has ended', async () => (await scene.look(deployment)).deployment.ended, PATIENCE_MS);
    assert.equal((await scene.look(deployment)).deployment.status, 'succeeded');
  });
});

/** How many members are in service before a plan that is made now. */
async function inService({ edge }: Scene): Promise<number | undefined> {
  const place = { project: PROJECT, environment: ENVIRONMENT };
  const { explained } = await edge.plan({ ...place, version: 'v1', force: true });
  return explained.stages[0]?.batches[0]?.capacity[0]?.before;
}
