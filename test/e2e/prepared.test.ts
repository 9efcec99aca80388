import assert from 'node:assert/strict';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, POOL, PROJECT } from '../support/estate-configuration.ts';
import { serversOf } from '../support/observer.ts';
import { underLoad } from '../support/under-load.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;

type Seen = {
  readonly name: string;
  readonly status: string;
  readonly step: string | null;
  readonly parked: boolean;
};
type Shown = { readonly view: { readonly targets: readonly Seen[] } };

describe('targets that are prepared', { skip: sshd.skip ?? haproxy.skip ?? false }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '' },
      ...{ network: '127.72.14', hosts: 4, versions: ['v1', 'v2'], minInService: 3 },
      strategy: '{ canary: 0, batches: 1, parallel: 1, settleMs: 0 }',
    });
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
  });
  after(() => estate?.stop());

  const releasesOf = (index: number) => join(estate.targets[index]?.sshd.home ?? '', 'shop/releases');
  const targetOf = async (id: string, name: string) => {
    const { view } = jsonOf(expectDone(await estate.edge('status', id, '--json'))) as Shown;
    const { status, step, parked } = view.targets.find((target) => target.name === name) ?? {};
    return { status, step, parked };
  };

  test('«a release is brought to each target before its turn, and what cannot take it stays in service»', async (t) => {
    await chmod(releasesOf(2), 0o500);
    const { end, load, observed } = await underLoad(t, estate, ['deploy', ...PLACE, 'v2']);
    assert.equal(end.status, 1, 'it waits for a decision');
    const { deployment } = jsonOf(end) as { deployment: { id: string; status: string; reason: string } };
    assert.equal(deployment.status, 'paused');
    assert.deepEqual(await targetOf(deployment.id, 'web-3'), {
      ...{ status: 'failed', step: 'fetch', parked: false },
    });
    assert.match(deployment.reason, /web-3: .*(cannot make|Permission denied)/);
    assert.deepEqual(await estate.served(), ['v2', 'v2', 'v1', 'v1']);
    assert.deepEqual([load.failed, observed.deaf, observed.lowestInService], [0, {}, 3]);
    assert.equal((await serversOf(estate.haproxy.socket, POOL)).get('web-3')?.isServing, true);
    assert.equal((await readdir(releasesOf(3))).length, 1, 'nothing was brought to the one after it');

    await chmod(releasesOf(2), 0o755);
    await estate.edge('retry', deployment.id, 'web-3', '--reason', 'there is room now', '--json');
    assert.deepEqual(await targetOf(deployment.id, 'web-3'), {
      ...{ status: 'pending', step: null, parked: false },
    });
    expectDone(await estate.edge('resume', deployment.id, '--json'));
    assert.deepEqual(await estate.served(), ['v2', 'v2', 'v2', 'v2']);
  });
});
