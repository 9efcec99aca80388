import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBalancerContract, rejectsWith } from '../../../test/contracts/load-balancer.ts';
import { LAB_POOL, type LabPairDevice, OPERATOR, startPairDevice } from '../../../test/support/lab-device.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { until } from '../../../test/support/until.ts';
import { EdgeError } from '../../domain/errors.ts';

const TLS = join(import.meta.dirname, '../../../test/fixtures/tls');
const signal = new AbortController().signal;
const web1 = { pool: LAB_POOL, member: 'web-1:80' };
const pair = perTest(startPairDevice);

const on = ({ lab }: LabPairDevice, unit: 0 | 1) =>
  lab.units[unit].members(LAB_POOL).find(({ name }) => name === 'web-1:80')?.session;
const live = ({ lab }: LabPairDevice) => lab.units.map((unit) => unit.tokens(OPERATOR.name).live);

loadBalancerContract('F5 pair', () => startPairDevice());
loadBalancerContract('F5 pair that syncs by itself', () => startPairDevice({ autoSync: true }));

test('F5: «the active unit of a pair is found, and followed over a failover»: the other one keeps no token', async () => {
  const f5 = await pair();
  f5.lab.setActive([1]);
  await f5.balancer.disable(web1, 'drained', signal);
  assert.deepEqual(live(f5), [0, 1]);
  assert.deepEqual([f5.lab.pushes(0), f5.lab.pushes(1)], [0, 1]);
});

test('F5: «the active unit of a pair is found, and followed over a failover»: counts are those of the unit that has the traffic', async () => {
  const f5 = await pair();
  await f5.balancer.members(LAB_POOL, signal);
  f5.lab.setActive([1]);
  const release = await f5.occupy('web-2:80');
  const seen = await f5.balancer.members(LAB_POOL, signal);
  assert.deepEqual(
    seen.map(({ connections }) => connections),
    [0, 1, 0],
  );
  assert.deepEqual(live(f5), [0, 1]);
  release();
});

test('a write after a failover is made on the new active unit, and pushed from there', async () => {
  const f5 = await pair();
  await f5.balancer.members(LAB_POOL, signal);
  f5.lab.setActive([1]);
  await f5.balancer.disable(web1, 'drained', signal);
  assert.deepEqual([on(f5, 0), on(f5, 1)], ['user-disabled', 'user-disabled']);
  assert.deepEqual([f5.lab.pushes(0), f5.lab.pushes(1)], [0, 1]);
});

test('a token that a unit forgot at its failover leads to the other unit', async () => {
  const f5 = await pair();
  await f5.balancer.members(LAB_POOL, signal);
  f5.lab.units[0].faults.forgetTokens();
  f5.lab.setActive([1]);
  await f5.balancer.disable(web1, 'drained', signal);
  assert.deepEqual(live(f5), [0, 1]);
});

test('a unit that does not answer any more is left for the other one', async () => {
  const f5 = await pair();
  await f5.balancer.members(LAB_POOL, signal);
  await f5.lab.vanish(0);
  f5.lab.setActive([1]);
  assert.equal((await f5.balancer.members(LAB_POOL, signal)).length, 3);
});

test('a drain outlives a failover in the middle of it, under traffic', async () => {
  const f5 = await pair();
  await f5.balancer.disable(web1, 'drained', signal);
  f5.lab.setActive([1]);
  const bodies = await Promise.all(
    Array.from({ length: 9 }, async () => {
      const answer = await fetch(f5.lab.virtualUrl(LAB_POOL));
      await answer.text();
      return answer.status;
    }),
  );
  assert.deepEqual(new Set(bodies), new Set([200]));
  const [first] = f5.lab.units[1].members(LAB_POOL);
  assert.deepEqual([first?.session, first?.requests], ['user-disabled', 0]);
});

test('a write whose unit dies before its push has ended is made again on the other one', async () => {
  const f5 = await pair();
  await f5.balancer.members(LAB_POOL, signal);
  const finish = f5.lab.holdSync();
  const write = f5.balancer.disable(web1, 'drained', signal);
  await until('the push has begun', () => f5.lab.pushes(0) === 1);
  f5.lab.setActive([1]);
  await f5.lab.vanish(0);
  const drained = await write;
  assert.equal(drained.admin, 'drained');
  assert.match(drained.note ?? '', /unknown to the peer: Disconnected/);
  assert.equal(on(f5, 1), 'user-disabled');
  finish();
});

test('a change that a failover left on the other unit, not synced, is told and not written over', async () => {
  const f5 = await pair();
  await f5.balancer.members(LAB_POOL, signal);
  const finish = f5.lab.holdSync();
  const write = f5.balancer.disable(web1, 'drained', signal);
  await until('the push has begun', () => f5.lab.pushes(0) === 1);
  f5.lab.setActive([1]);
  const refused = await write.catch((error: unknown) => error);
  assert.ok(refused instanceof EdgeError && refused.code === 'balancer_refused');
  assert.match(refused.message, /not in sync: .*Synchronize lab-1/);
  assert.equal(f5.lab.pushes(1), 0);
  finish();
});

test('two active units are refused, and no token stays', async () => {
  const f5 = await pair();
  f5.lab.setActive([0, 1]);
  const refused = await f5.balancer.disable(web1, 'drained', signal).catch((error: unknown) => error);
  assert.ok(refused instanceof EdgeError && refused.code === 'balancer_refused');
  assert.match(refused.message, /both active/);
  assert.deepEqual(live(f5), [0, 0]);
});

test('a pair without an active unit is waited for, and then unreachable', async () => {
  const f5 = await pair();
  f5.lab.setActive([]);
  const refused = await f5.balancer.members(LAB_POOL, signal).catch((error: unknown) => error);
  assert.ok(refused instanceof EdgeError && refused.code === 'balancer_unreachable');
  assert.match(refused.message, /No unit of the pair is active: .* is standby, .* is standby/);
  assert.deepEqual(live(f5), [0, 0]);
  const waiting = f5.connect().members(LAB_POOL, signal);
  f5.lab.setActive([0]);
  assert.equal((await waiting).length, 3);
});

test('with one unit named, its failover is seen at the next look, and refused', async () => {
  const f5 = await pair();
  const single = f5.connect({ single: true });
  await single.members(LAB_POOL, signal);
  f5.lab.setActive([1]);
  const refused = await single.members(LAB_POOL, signal).catch((error: unknown) => error);
  assert.ok(refused instanceof EdgeError && refused.code === 'balancer_refused');
  assert.match(refused.body.hint, /`peer`/);
  assert.deepEqual(live(f5), [0, 0]);
});

test('a wrong password is refused, not taken for a pair that is down', async () => {
  const f5 = await pair();
  await rejectsWith('balancer_refused', f5.connect({ password: 'wrong' }).members(LAB_POOL, signal));
});

test('each unit is believed by its own certificate', async () => {
  const key = readFileSync(join(TLS, 'device-key.pem'), 'utf8');
  const cert = readFileSync(join(TLS, 'device-cert.pem'), 'utf8');
  const f5 = await pair({ tls: { key, cert } });
  f5.lab.setActive([1]);
  const pinned = { fingerprint: new X509Certificate(cert).fingerprint256 };
  const other = { fingerprint: 'ab'.repeat(32) };
  assert.equal((await f5.connect({ tls: other, peerTls: pinned }).members(LAB_POOL, signal)).length, 3);
  assert.equal((await f5.connect({ tls: pinned }).members(LAB_POOL, signal)).length, 3);
  await rejectsWith(
    'balancer_refused',
    f5.connect({ tls: pinned, peerTls: other }).members(LAB_POOL, signal),
  );
});

test('a unit alone that may not say what it is, is believed; of a pair, it is refused with what to do', async () => {
  const f5 = await pair();
  for (const unit of f5.lab.units) unit.faults.hideCluster(true);
  const drained = await f5.connect({ single: true }).disable(web1, 'drained', signal);
  assert.match(drained.note ?? '', /may not see whether a peer has it/);
  const refused = await f5.balancer.members(LAB_POOL, signal).catch((error: unknown) => error);
  assert.ok(refused instanceof EdgeError && refused.code === 'balancer_refused');
  assert.match(refused.body.hint, /cm\/device/);
});
