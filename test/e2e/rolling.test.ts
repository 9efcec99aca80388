import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, POOL, PROJECT } from '../support/estate-configuration.ts';
import { ask, serversOf } from '../support/observer.ts';
import { underLoad } from '../support/under-load.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const skip = sshd.skip ?? haproxy.skip ?? false;

const HOSTS = 20;
/** 75 % of them. The strategy would take eight at once. */
const FLOOR = 15;
const STRATEGY = '{ canary: 1, batches: [50%, 100%], parallel: 8, settleMs: 0 }';
const PLACE = [PROJECT, ENVIRONMENT] as const;

describe('20 real SSH hosts behind a real HAProxy, under load by clients that never retry', { skip }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.1',
      hosts: HOSTS,
      versions: ['v1', 'v2'],
      minInService: '75%',
      strategy: STRATEGY,
    });
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
  });
  after(() => estate?.stop());

  for (const { title, command, to, seen } of [
    { title: 'a rolling deployment', command: ['deploy', ...PLACE, 'v2'], to: 'v2', seen: ['v1', 'v2'] },
    { title: 'a rolling restart', command: ['restart', ...PLACE], to: 'v2', seen: ['v2'] },
    { title: 'a rollback', command: ['rollback', ...PLACE], to: 'v1', seen: ['v1', 'v2'] },
  ]) {
    test(`«servers are replaced under load without a failed request»: ${title} goes down to the floor of ${FLOOR} but never under it`, async (t) => {
      const { end, load, observed } = await underLoad(t, estate, command);
      expectDone(end);
      assert.deepEqual(load.failures, {}, JSON.stringify(load.samples));
      assert.equal(load.failed, 0);
      assert.deepEqual(Object.keys(load.byVersion).sort(), seen);
      assert.equal(observed.lowestInService, FLOOR);
      assert.deepEqual(observed.deaf, {});
      assert.deepEqual(new Set(await estate.served()), new Set([to]));
    });
  }

  test('members that people took out count in the floor, and are left as they were', async (t) => {
    const { socket } = estate.haproxy;
    await ask(socket, `set server ${POOL}/web-7 state maint`);
    await ask(socket, `set server ${POOL}/web-8 weight 64`);
    const { end, load, observed } = await underLoad(t, estate, ['restart', ...PLACE]);
    expectDone(end);
    assert.deepEqual(load.failures, {}, JSON.stringify(load.samples));
    assert.equal(observed.lowestInService, FLOOR);
    const servers = await serversOf(socket, POOL);
    assert.deepEqual(servers.get('web-7'), { isServing: false, adminState: 1, weight: 1 });
    assert.deepEqual(servers.get('web-8'), { isServing: true, adminState: 0, weight: 64 });
    await ask(socket, `set server ${POOL}/web-7 state ready`);
    await until('web-7 serves', async () => (await serversOf(socket, POOL)).get('web-7')?.isServing === true);
  });

  test('with the drain left out, the same deployment under the same load fails requests', async (t) => {
    const { end, load, observed } = await underLoad(t, estate, ['deploy', ...PLACE, 'v2', '--hard']);
    expectDone(end);
    assert.ok(load.failed > 0);
    assert.notDeepEqual(observed.deaf, {}, 'the observer would have seen it');
    assert.deepEqual(new Set(await estate.served()), new Set(['v2']));
  });
});
