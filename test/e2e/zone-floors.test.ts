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

/** Half of each. The floor of the pool would let all of a zone be out, and so would the batches. */
const FLOOR = 2;
const STRATEGY = '{ canary: 0, batches: [100%], parallel: 8, settleMs: 0 }';
const PLACE = [PROJECT, ENVIRONMENT] as const;

describe('HAProxy, under load: two zones of four real SSH hosts in one pool', { skip }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.10',
      hosts: 8,
      zones: 2,
      versions: ['v1', 'v2'],
      minInService: 1,
      minInServicePerZone: '50%',
      strategy: STRATEGY,
    });
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
  });
  after(() => estate?.stop());

  test(`«zones keep a floor of their own»: a deployment goes down to ${FLOOR} in each and never under it`, async (t) => {
    const { end, load, observed } = await underLoad(t, estate, ['deploy', ...PLACE, 'v2']);
    expectDone(end);
    assert.deepEqual(load.failures, {}, JSON.stringify(load.samples));
    assert.deepEqual(observed.lowestByGroup, { 'dc-1': FLOOR, 'dc-2': FLOOR });
    assert.deepEqual(new Set(await estate.served()), new Set(['v2']));
  });

  test('a member that a person took out counts in the floor of its zone', async (t) => {
    const { socket } = estate.haproxy;
    await ask(socket, `set server ${POOL}/web-7 state maint`);
    const { end, observed } = await underLoad(t, estate, ['restart', ...PLACE]);
    expectDone(end);
    assert.deepEqual(observed.lowestByGroup, { 'dc-1': FLOOR, 'dc-2': FLOOR });
    await ask(socket, `set server ${POOL}/web-7 state ready`);
    await until('web-7 serves', async () => (await serversOf(socket, POOL)).get('web-7')?.isServing === true);
  });
});
