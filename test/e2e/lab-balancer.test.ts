import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAB_POOL, startLabDevice } from '../support/lab-device.ts';
import { roll } from '../support/rolling.ts';

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

test('behind the lab balancer, servers that are drained are replaced without a failed request', async () => {
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
