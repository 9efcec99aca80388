import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { underLoad } from '../support/under-load.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const skip = sshd.skip ?? haproxy.skip ?? false;

const HOSTS = 60;
/** 90 % of them. The zones, side by side, would take 18 at once. */
const FLOOR = 54;
const STRATEGY = '{ canary: 1, batches: [30%, 100%], zones: side-by-side, parallel: 18, settleMs: 0 }';
const PLACE = [PROJECT, ENVIRONMENT] as const;

describe('60 real SSH hosts in three zones side by side behind a real HAProxy, under load', { skip }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.6',
      hosts: HOSTS,
      zones: 3,
      versions: ['v1', 'v2'],
      minInService: '90%',
      strategy: STRATEGY,
    });
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
  });
  after(() => estate?.stop());

  for (const { title, command, to } of [
    { title: 'a deployment', command: ['deploy', ...PLACE, 'v2'], to: 'v2' },
    { title: 'a restart', command: ['restart', ...PLACE], to: 'v2' },
    { title: 'a rollback', command: ['rollback', ...PLACE], to: 'v1' },
  ]) {
    test(`${title} fails no request, and all zones together reach the floor of ${FLOOR} and never pass it`, async (t) => {
      const { end, load, observed } = await underLoad(t, estate, command);
      expectDone(end);
      assert.deepEqual(load.failures, {}, JSON.stringify(load.samples));
      assert.equal(observed.lowestInService, FLOOR);
      assert.deepEqual(observed.deaf, {});
      assert.deepEqual(new Set(await estate.served()), new Set([to]));
    });
  }

  test('without the drain the same deployment fails requests', async (t) => {
    const { end, load } = await underLoad(t, estate, ['deploy', ...PLACE, 'v2', '--hard']);
    expectDone(end);
    assert.ok(load.failed > 0);
    assert.deepEqual(new Set(await estate.served()), new Set(['v2']));
  });
});
