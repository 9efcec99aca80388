import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { occupy } from '../support/occupy.ts';
import { onFronts } from '../support/on-fronts.ts';
import type { Scene } from '../support/scene.ts';
import { until } from '../support/until.ts';

const PATIENCE_MS = 60_000;

/** What the drain of the first target said at its end. */
async function drained({ edge }: Scene, deployment: DeploymentId) {
  const { events } = await edge.deploymentEvents({ deployment });
  const outputs = events.flatMap(({ event }) =>
    event.kind === 'task.succeeded' && event.target === 0 && 'forced' in event.outputs ? [event.outputs] : [],
  );
  return JSON.parse(JSON.stringify(outputs[0] ?? null)) as Drained | null;
}
type Drained = {
  readonly forced: boolean;
  readonly members: readonly { readonly connections: number | null }[];
};

const isKeptOut = (notice: string): boolean => notice.endsWith(': member.kept-out');

onFronts({ title: 'drains behind', network: '127.83', servers: 2 }, (shows) => {
  const first = (scene: Scene) => {
    const [server] = scene.servers;
    assert.ok(server);
    return { server, setting: { targets: [server] } };
  };
  const out = (scene: Scene, name: string) => async () => (await scene.front.out()).includes(name);

  shows('«a drain waits until no live connection is left»', async (scene) => {
    const { server, setting } = first(scene);
    await scene.configure(setting);
    const release = await occupy(scene.front.url, server);
    const id = await scene.deploy();
    await until('it is out of service', out(scene, server.name), PATIENCE_MS);
    const progress = async () => (await scene.look(id)).view.targets[0]?.progress ?? '';
    await until('the connection is shown', async () => /connection/.test(await progress()), PATIENCE_MS);
    assert.deepEqual(await scene.work(), []);
    assert.equal(server.held, 1);
    release();
    assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    assert.equal((await drained(scene, id))?.forced, false);
    assert.deepEqual(await scene.front.out(), []);
  });

  shows('«at the deadline a drain forces, stops or continues, as the policy says»', async (scene) => {
    const { server, setting } = first(scene);
    const release = await occupy(scene.front.url, server);
    const deployed = async (then: string) => {
      await scene.configure({
        ...setting,
        strategy: { drain: { timeoutMs: 500, then } },
        policy: { onFailure: { health: 'abort', other: 'abort' } },
      });
      return scene.rests(await scene.deploy());
    };
    const went = await deployed('continue');
    assert.equal(went.deployment.status, 'succeeded');
    assert.equal((await drained(scene, went.deployment.id))?.forced, false);
    const stopped = await deployed('stop');
    assert.equal(stopped.deployment.status, 'failed');
    assert.match(stopped.view.targets[0]?.reason ?? '', /After 500 ms of draining: .*The policy is to stop/);
    assert.deepEqual(await scene.work(), []);
    assert.equal(server.held, 1, 'its connection was left alone');
    const forced = await deployed('force');
    assert.equal(forced.deployment.status, 'succeeded');
    assert.equal((await drained(scene, forced.deployment.id))?.forced, true);
    release();
  });

  shows('«a member comes back exactly as it was found»', async (scene) => {
    const [heavy, gone] = scene.servers;
    assert.ok(heavy && gone);
    await scene.configure({ strategy: { others: true, batches: 1 } });
    await scene.front.byHand(heavy, 'heavy');
    await scene.front.byHand(gone, 'out');
    const settings = () => Promise.all(scene.servers.map((server) => scene.front.settingOf(server)));
    const found = await settings();
    await scene.make(heavy, 'hold');
    const id = await scene.deploy();
    await until('it is being worked on', () => scene.isHeld(heavy), PATIENCE_MS);
    assert.notDeepEqual(await settings(), found);
    await scene.make(heavy, 'go');
    assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    assert.deepEqual(await settings(), found);
  });

  shows('«a drain that its balancer forgot is asserted again»', async (scene) => {
    const { server, setting } = first(scene);
    await scene.configure(setting);
    await scene.make(server, 'hold');
    const id = await scene.deploy();
    await until('it is being worked on', () => scene.isHeld(server), PATIENCE_MS);
    assert.ok(!scene.notices().some(isKeptOut));
    await scene.front.byHand(server, 'in');
    await until('it was taken out again', () => scene.notices().some(isKeptOut), PATIENCE_MS);
    await until('it is out again', out(scene, server.name), PATIENCE_MS);
    assert.ok(await scene.isHeld(server));
    await scene.make(server, 'go');
    assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    assert.deepEqual(await scene.front.out(), []);
  });

  shows(
    '«a gate on the host keeps requests off, whatever the balancer forgot»',
    async (scene) => {
      const { server, setting } = first(scene);
      const file = join(scene.fleet.folder, 'diary', 'gate');
      const gate = { close: ['touch', file], open: ['rm', '-f', file] };
      await scene.configure({ ...setting, project: { gate } });
      server.gate = { file, closes: 'page' };
      await scene.make(server, 'hold');
      const id = await scene.deploy();
      await until('it is being worked on', () => scene.isHeld(server), PATIENCE_MS);
      // A page keeps nobody off before its balancer has seen it closed: a second look comes after the answer to the first.
      const looks = server.closedLooks;
      await until('the balancer has seen it', () => server.closedLooks >= looks + 2, PATIENCE_MS);
      const before = server.requests;
      await scene.front.byHand(server, 'in');
      for (let n = 0; n < 20; n += 1) assert.equal((await fetch(scene.front.url)).status, 200);
      assert.equal(server.requests, before);
      await scene.make(server, 'go');
      assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
      await until(
        'it serves again',
        async () => (await (await fetch(scene.front.url)).text()).startsWith(server.name),
        PATIENCE_MS,
      );
    },
    // nginx asks no page.
    ['HAProxy', 'F5'],
  );
});
