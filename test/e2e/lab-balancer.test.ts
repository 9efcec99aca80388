import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLoad } from '../../src/lab/load.ts';
import { LAB_POOL, startLabDevice, startPairDevice } from '../support/lab-device.ts';
import { roll } from '../support/rolling.ts';
import { until } from '../support/until.ts';

const signal = new AbortController().signal;

async function rollLab(drain: boolean) {
  const device = await startLabDevice();
  const report = await roll({
    balancer: device.balancer,
    pool: LAB_POOL,
    url: device.lab.virtualUrl(LAB_POOL),
    servers: device.servers,
    memberOf: (server) => `${server.name}:80`,
    drain,
  });
  const { counters } = device.lab;
  const seen = { ...counters(LAB_POOL) };
  await device.dispose();
  return { report, seen };
}

test('behind the lab balancer (F5), «servers are replaced under load without a failed request» if they are drained', async () => {
  const { report, seen } = await rollLab(true);
  assert.deepEqual(report.samples, []);
  assert.equal(report.failed, 0);
  assert.equal(seen.requests, report.total);
  assert.equal(seen.answered, report.total);
});

test('behind the lab balancer, servers that are not drained fail requests, each counted once', async () => {
  const { report, seen } = await rollLab(false);
  assert.ok(report.failed > 0);
  assert.equal(seen.memberFailed + seen.noMember, report.failed);
  assert.equal(seen.answered, report.total - report.failed);
});

/** Takes the first server away while it is drained, lets the pair fail over under load, and brings the server back. */
async function failOverWhileChanged(sync: 'auto' | 'off') {
  // The monitor looks once: what keeps requests off the server is the drain alone.
  const monitor = { path: '/health', intervalMs: 3_600_000, timeoutMs: 5_000, fall: 1 };
  const device = await startPairDevice({ pool: { monitor } });
  const { lab, servers } = device;
  const balancer = device.connect({ sync });
  const [server] = servers;
  assert.ok(server);
  const member = { pool: LAB_POOL, member: 'web-1:80' };
  const stateNow = async () => (await balancer.members(LAB_POOL, signal))[0];
  const found = await stateNow();
  const load = startLoad({ url: lab.virtualUrl(LAB_POOL), ratePerS: 200 });
  await until('it is under load', () => load.report().total > 20);
  await balancer.disable(member, 'drained', signal);
  await until('it has no connections', async () => (await stateNow())?.connections === 0);
  await server.kill();
  lab.setActive([1]);
  const before = load.report().total;
  await until('the other unit is under load', () => load.report().total > before + 50);
  const isDrained = (await stateNow())?.admin === 'drained';
  await server.start();
  await balancer.restore(member, found?.asFound ?? {}, signal);
  const requests = server.requests;
  await until('the server is under load again', () => server.requests > requests);
  const report = await load.stop();
  await device.dispose();
  return { failed: report.failed, samples: report.samples, isDrained };
}

test('an F5 pair that fails over while a server is changed sends it nothing, and no request fails', async () => {
  assert.deepEqual(await failOverWhileChanged('auto'), { failed: 0, samples: [], isDrained: true });
});

test('an F5 pair that is not synced forgets the drain when it fails over, and requests fail', async () => {
  const { failed, isDrained } = await failOverWhileChanged('off');
  assert.ok(failed > 0);
  assert.equal(isDrained, false);
});
