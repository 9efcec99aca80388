import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { ProjectEnvironmentStatus } from '../../src/api/contract.ts';
import { startLoad } from '../../src/lab/load.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const nginx = requireService('nginx');
const PLACE = [PROJECT, ENVIRONMENT] as const;

const options = {
  sshdPath: sshd.path ?? '',
  haproxyPath: haproxy.path ?? '',
  hosts: 3,
  versions: ['v1', 'v2'],
  minInService: 1,
  strategy: '{ canary: 1, batches: [100%], parallel: 1, settleMs: 0 }',
} as const;

type Plan = {
  readonly plan: { readonly sequences: Readonly<Record<string, readonly { readonly id: string }[]>> };
};

async function stepsOf(estate: Estate, version: string): Promise<readonly string[]> {
  const { plan } = jsonOf(expectDone(await estate.edge('plan', ...PLACE, version, '--json'))) as Plan;
  return [...new Set(Object.values(plan.sequences).flatMap((steps) => steps.map(({ id }) => id)))];
}

async function holdsOf(estate: Estate): Promise<number> {
  const status = jsonOf(expectDone(await estate.edge('status', ...PLACE, '--json')));
  const { projectEnvironments } = status as { projectEnvironments: readonly ProjectEnvironmentStatus[] };
  return projectEnvironments[0]?.parked.length ?? -1;
}

describe('targets without a balancer', { skip: sshd.skip ?? haproxy.skip ?? false }, () => {
  let estate: Estate;
  before(async () => {
    estate = await openEstate({ ...options, network: '127.72.22', balancer: 'none' });
  });
  after(() => estate?.stop());

  test('«targets without a balancer are deployed too», restarted and rolled back; nothing is drained', async () => {
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
    const steps = await stepsOf(estate, 'v2');
    for (const step of ['guard', 'drain', 'enable']) assert.ok(!steps.includes(step), step);
    for (const step of ['stop', 'install', 'start', 'verify']) assert.ok(steps.includes(step), step);
    expectDone(await estate.edge('deploy', ...PLACE, 'v2', '--yes', '--json'));
    assert.deepEqual(await estate.served(), ['v2', 'v2', 'v2']);
    expectDone(await estate.edge('restart', ...PLACE, '--yes', '--json'));
    expectDone(await estate.edge('rollback', ...PLACE, '--yes', '--json'));
    assert.deepEqual(await estate.served(), ['v1', 'v1', 'v1']);
    assert.equal(await holdsOf(estate), 0);
  });
});

describe('targets behind nginx', { skip: sshd.skip ?? haproxy.skip ?? nginx.skip ?? false }, () => {
  let estate: Estate;
  before(async () => {
    estate = await openEstate({
      ...options,
      network: '127.72.23',
      balancer: 'nginx',
      nginxPath: nginx.path ?? '',
    });
  });
  after(() => estate?.stop());

  test('«servers are replaced under load without a failed request», and the file is left as it was found', async () => {
    const { nginx: front } = estate;
    assert.ok(front);
    const before = await front.read();
    // nginx knows of no server that it is down, so that all seem to serve; the first release has nothing to be drained.
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--hard', '--yes', '--json'));
    assert.ok((await stepsOf(estate, 'v2')).includes('drain'));
    const load = startLoad({
      url: front.url,
      ratePerS: 30,
      slow: { every: 10, path: '/slow?ms=300' },
      timeoutMs: 60_000,
    });
    let outs = 0;
    const watching = setInterval(() => {
      void front.read().then((text) => {
        outs = Math.max(outs, text.match(/ down;/g)?.length ?? 0);
      });
    }, 100);
    try {
      expectDone(await estate.edge('deploy', ...PLACE, 'v2', '--yes', '--json'));
      await until('v2 has answered', () => (load.report().byVersion.v2 ?? 0) > 20, 60_000);
    } finally {
      clearInterval(watching);
    }
    const report = await load.stop();
    assert.equal(report.failed, 0, JSON.stringify(report.samples));
    assert.deepEqual(Object.keys(report.byVersion).sort(), ['v1', 'v2']);
    assert.equal(outs, 1);
    assert.equal(await front.read(), before);
    assert.deepEqual(await estate.served(), ['v2', 'v2', 'v2']);
    assert.equal(await holdsOf(estate), 0);
  });
});
