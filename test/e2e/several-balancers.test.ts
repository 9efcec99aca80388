import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { FRONTS, MISSING } from '../support/fronts.ts';
import { openScene } from '../support/scene.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const missing = FRONTS.map((kind) => MISSING[kind]).find((why) => why !== undefined);

test('«an environment may have several balancers»: one server behind HAProxy and F5 at once, another behind nginx', {
  skip: sshd.skip ?? missing ?? false,
}, async () => {
  const scene = await openScene({
    ...{ sshdPath: sshd.path ?? '', network: '127.89.1', servers: 3, fronts: FRONTS },
    // On one machine nginx would count the connections of the others.
    behind: { HAProxy: [0, 2], F5: [0, 2], nginx: [1] },
  });
  try {
    const [first, second] = scene.servers;
    assert.ok(first && second);
    await scene.configure({ targets: [first, second] });
    const out = () => Promise.all(scene.fronts.map((front) => front.out()));
    for (const server of [first, second]) await scene.make(server, 'hold');
    const id = await scene.deploy();
    for (const server of [first, second])
      await until(`${server.name} is being worked on`, () => scene.isHeld(server), 60_000);
    assert.deepEqual(await out(), [['web-1'], ['web-2'], ['web-1']]);
    for (const server of [first, second]) await scene.make(server, 'go');
    assert.equal((await scene.rests(id)).deployment.status, 'succeeded');
    assert.deepEqual(await out(), [[], [], []]);
  } finally {
    await scene.stop();
  }
});
