import assert from 'node:assert/strict';
import type { Work } from '../support/diary.ts';
import { onFronts } from '../support/on-fronts.ts';
import type { Ended, Scene } from '../support/scene.ts';
import { until } from '../support/until.ts';

const PATIENCE_MS = 60_000;

/** The sizes of the batches, none of which began before the one before it had ended on the hosts. */
async function batchesOf(scene: Scene, { view }: Ended): Promise<readonly number[]> {
  const works = await scene.work();
  const worksOf = view.batches.map(({ stage, lane, batch }) =>
    view.targets
      .filter((target) => target.stage === stage && target.lane === lane && target.batch === batch)
      .flatMap(({ name }) => works.filter((work) => work.name === name)),
  );
  for (const [index, batch] of worksOf.slice(1).entries()) {
    const before = Math.max(...(worksOf[index] ?? []).map(({ to }) => to));
    assert.ok(batch.every(({ from }) => from >= before));
  }
  return worksOf.map(({ length }) => length);
}

/** The most that were worked on at one moment. */
const atOnce = (works: readonly Work[]): number =>
  Math.max(...works.map(({ from }) => works.filter((work) => work.from <= from && from < work.to).length));

onFronts({ title: 'batches behind', network: '127.80', servers: 4 }, (shows) => {
  shows('«a canary goes first, and nothing else before it is well»', async (scene) => {
    const [canary, second] = scene.servers;
    assert.ok(canary && second);
    await scene.configure({ strategy: { canary: 1, batches: '100%' } });
    await scene.make(canary, 'hold');
    const id = await scene.deploy();
    await until('the canary is worked on', () => scene.isHeld(canary), PATIENCE_MS);
    assert.deepEqual(await scene.front.out(), [canary.name]);
    await scene.make(canary, 'go');
    assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    const [first, ...others] = await scene.work();
    assert.equal(first?.name, canary.name);
    assert.ok(others.length === 3 && others.every(({ from }) => from >= (first?.to ?? 0)));
  });

  shows('«batches grow, have a fixed count, or a percentage»', async (scene) => {
    const strategies = [
      [{ canary: 1, batches: ['50%', '100%'] }, [1, 1, 2]],
      [{ batches: 3 }, [3, 1]],
      [{ batches: '50%' }, [2, 2]],
    ] as const;
    for (const [strategy, wanted] of strategies) {
      await scene.configure({ strategy });
      assert.deepEqual(await batchesOf(scene, await scene.deployed()), wanted);
    }
  });

  shows('«a batch slides, with no more at once than `parallel` says»', async (scene) => {
    const [slow] = scene.servers;
    assert.ok(slow);
    await scene.configure({ strategy: { parallel: 2 } });
    await scene.make(slow, 'hold');
    const id = await scene.deploy();
    const others = async () => (await scene.look(id)).deployment.counts.succeeded;
    await until('the others are done beside a slow one', async () => (await others()) === 3, PATIENCE_MS);
    assert.ok(await scene.isHeld(slow));
    await scene.make(slow, 'go');
    await scene.rests(id);
    assert.equal(atOnce(await scene.work()), 2);
  });

  shows('«what was out of service comes last, as others, outside of every budget»', async (scene) => {
    const [first, second] = scene.servers;
    assert.ok(first && second);
    await scene.front.byHand(first, 'out');
    await scene.front.byHand(second, 'out');
    await scene.configure({
      strategy: { batches: '100%', others: true },
      policy: { maxFailures: { batch: { count: 1 } }, onFailure: { health: 'abort', other: 'abort' } },
      project: { commands: { stop: ['true'], start: ['true'], install: ['sh', '-c', INSTALL] } },
    });
    await scene.make(first, 'fail');
    const { deployment, view } = await scene.rests(await scene.deploy());
    assert.deepEqual([deployment.status, deployment.exceptions], ['succeeded', 1]);
    const [failed, ...others] = view.targets;
    assert.deepEqual([failed?.status, new Set(others.map(({ status }) => status)).size], ['failed', 1]);
    const last = (await scene.work()).slice(-2).map(({ name }) => name);
    assert.deepEqual(last.sort(), [first.name, second.name]);
    assert.deepEqual(await scene.front.out(), [first.name, second.name]);
  });
});

const INSTALL = `
echo "$NAME from $(date +%s%3N)" >> "$FOLDER/diary"
if [ -e "$FOLDER/$NAME.fail" ]; then exit 3; fi
`;

onFronts({ title: 'zones behind', network: '127.81', servers: 4 }, (shows) => {
  const zones = (zone: string) => ({
    environment: { zones: [{ name: 'east' }, { name: 'west' }] },
    strategy: { canary: 1, batches: '100%', zones: zone },
  });
  const inZones = { ofTarget: (index: number) => ({ zone: index < 2 ? 'east' : 'west' }) };

  shows('«zones are successive stages»', async (scene) => {
    await scene.configure({ ...zones('in-order'), ...inZones });
    const ended = await scene.deployed();
    assert.deepEqual(await batchesOf(scene, ended), [1, 1, 2]);
    assert.deepEqual(
      ended.view.targets.map(({ stage }) => stage),
      [0, 0, 1, 1],
    );
  });

  shows('«zones are lanes side by side»', async (scene) => {
    await scene.configure({ ...zones('side-by-side'), ...inZones });
    const [canary] = scene.servers;
    assert.ok(canary);
    await scene.make(canary, 'hold');
    const id = await scene.deploy();
    const done = async () => (await scene.look(id)).deployment.counts.succeeded;
    await until(
      'the west is done while the canary of the east is not',
      async () => (await done()) === 2,
      PATIENCE_MS,
    );
    assert.deepEqual((await scene.work()).map(({ name }) => name).sort(), ['web-1', 'web-3', 'web-4']);
    await scene.make(canary, 'go');
    assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
  });

  shows('«each zone has a budget of failures of its own»', async (scene) => {
    await scene.configure({
      ...zones('side-by-side'),
      ...inZones,
      policy: {
        maxFailures: { batch: { count: 9 }, zone: { count: 2 }, deployment: { count: 9 } },
        onFailure: { health: 'pause', other: 'abort' },
      },
    });
    const [one, two, three] = scene.servers;
    assert.ok(one && two && three);
    for (const server of [one, two, three]) await scene.make(server, 'fail');
    const { deployment, view } = await scene.rests(await scene.deploy());
    assert.equal(deployment.status, 'failed');
    assert.match(deployment.reason, /the zone's budget of failures is spent \(2\)/);
    // The canaries of both zones had failed before the second one of the east began.
    assert.deepEqual(
      view.targets.slice(0, 3).map(({ status }) => status),
      ['failed', 'failed', 'failed'],
    );
  });
});
