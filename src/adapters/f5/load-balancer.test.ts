import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBalancerContract, rejectsWith } from '../../../test/contracts/load-balancer.ts';
import { LAB_POOL, type LabDevice, OPERATOR, startLabDevice } from '../../../test/support/lab-device.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { until } from '../../../test/support/until.ts';
import { EdgeError } from '../../domain/errors.ts';
import { createSerial } from '../../lib/serial.ts';

const TLS = join(import.meta.dirname, '../../../test/fixtures/tls');
const signal = new AbortController().signal;
const web1 = { pool: LAB_POOL, member: 'web-1:80' };
const device = perTest(startLabDevice);

const tokens = ({ lab }: LabDevice) => lab.tokens(OPERATOR.name);
const seen = ({ lab }: LabDevice, name: string) =>
  lab.members(LAB_POOL).find((member) => member.name === name);

loadBalancerContract('F5', () => startLabDevice());

test('F5: «one token serves a process, within the quota, and is deleted at its end»', async () => {
  const f5 = await device();
  await Promise.all([1, 2, 3].map(() => f5.balancer.members(LAB_POOL, signal)));
  await f5.balancer.disable(web1, 'drained', signal);
  assert.deepEqual(tokens(f5), { issued: 1, live: 1 });
  await f5.balancer.close();
  assert.deepEqual(tokens(f5), { issued: 1, live: 0 });
});

test('nothing is asked of the device before the first call, nor at a close without one', async () => {
  const f5 = await device();
  await f5.balancer.close();
  assert.deepEqual(tokens(f5), { issued: 0, live: 0 });
});

for (const fault of ['expireTokens', 'forgetTokens'] as const) {
  test(`F5: «a missing permission is told apart from an ended token», which (${fault}) leads to one new login for all who wait`, async () => {
    const f5 = await device();
    await f5.balancer.members(LAB_POOL, signal);
    f5.lab.faults[fault]();
    const members = f5.members.map((member) =>
      f5.balancer.disable({ pool: LAB_POOL, member }, 'drained', signal),
    );
    await Promise.all([f5.balancer.members(LAB_POOL, signal), ...members]);
    assert.deepEqual(tokens(f5), { issued: 2, live: 1 });
  });
}

test('F5: «a missing permission is told apart from an ended token», is refused at once and costs no token', async () => {
  const f5 = await device({ users: [{ ...OPERATOR, partition: 'Other' }] });
  const refused = await f5.balancer.disable(web1, 'drained', signal).catch((error: unknown) => error);
  assert.ok(refused instanceof EdgeError && refused.code === 'balancer_refused');
  assert.match(refused.body.hint, /role Operator/);
  assert.deepEqual(tokens(f5), { issued: 1, live: 1 });
  assert.equal(seen(f5, 'web-1:80')?.session, 'monitor-enabled');
});

test('a spurious 401 is tried once more with the same token, and not for ever', async () => {
  const f5 = await device();
  await f5.balancer.members(LAB_POOL, signal);
  f5.lab.faults.spurious401(1);
  await f5.balancer.disable(web1, 'drained', signal);
  f5.lab.faults.spurious401(1_000);
  await rejectsWith('balancer_refused', f5.balancer.members(LAB_POOL, signal));
  assert.deepEqual(tokens(f5), { issued: 1, live: 1 });
  f5.lab.faults.spurious401(0);
});

test('a full token quota is refused with what to do about it', async () => {
  const f5 = await device();
  const others = Array.from({ length: 100 }, () => f5.connect());
  await Promise.all(others.map((other) => other.members(LAB_POOL, signal)));
  assert.equal(tokens(f5).live, 100);
  const refused = await f5.balancer.members(LAB_POOL, signal).catch((error: unknown) => error);
  assert.ok(refused instanceof EdgeError && refused.code === 'balancer_refused');
  assert.match(refused.body.hint, /100 live tokens/);
  await others[0]?.close();
  assert.equal((await f5.balancer.members(LAB_POOL, signal)).length, 3);
});

test('a wrong password is refused', async () => {
  const f5 = await device();
  await rejectsWith('balancer_refused', f5.connect({ password: 'wrong' }).members(LAB_POOL, signal));
});

test('a control plane that starts is waited for, at the login too', async () => {
  const f5 = await device();
  f5.lab.faults.starting(2);
  assert.equal((await f5.balancer.members(LAB_POOL, signal)).length, 3);
  f5.lab.faults.starting(3);
  assert.equal((await f5.balancer.disable(web1, 'drained', signal)).admin, 'drained');
  f5.lab.faults.restartingPage(1);
  assert.equal((await f5.balancer.members(LAB_POOL, signal)).length, 3);
});

test('F5: «a REST interface that starts is told apart from what is not found», also when it goes on starting', async () => {
  const f5 = await device();
  f5.lab.faults.starting(1_000);
  await rejectsWith('balancer_unreachable', f5.balancer.disable(web1, 'drained', signal));
});

test('a write while another task runs on the device is made when that has ended', async () => {
  const f5 = await device();
  f5.lab.faults.busy(3);
  assert.equal((await f5.balancer.disable(web1, 'drained', signal)).admin, 'drained');
  f5.lab.faults.busy(4);
  await rejectsWith('balancer_unreachable', f5.balancer.disable(web1, 'offline', signal));
  assert.equal(seen(f5, 'web-1:80')?.state, 'up');
});

test('a write that is applied and never answered counts, since it is read back', async () => {
  const f5 = await device();
  const impatient = f5.connect({ timeoutMs: 300 });
  await impatient.members(LAB_POOL, signal);
  f5.lab.faults.applyThenTimeout(1);
  assert.equal((await impatient.disable(web1, 'offline', signal)).admin, 'offline');
});

test('a write that is answered and not applied is refused, since it is read back', async () => {
  const f5 = await device();
  f5.lab.faults.ignoreWrites(1);
  await rejectsWith('balancer_refused', f5.balancer.disable(web1, 'drained', signal));
});

test('the standby unit is refused, and its token deleted', async () => {
  const f5 = await device();
  f5.lab.faults.standby(true);
  await rejectsWith('balancer_refused', f5.balancer.members(LAB_POOL, signal));
  assert.deepEqual(tokens(f5), { issued: 1, live: 0 });
});

test('readable values become writable ones: enabled, and forced down by hand before', async () => {
  const f5 = await device();
  await f5.balancer.disable(web1, 'offline', signal);
  await f5.balancer.restore(web1, { session: 'monitor-enabled', state: 'down' }, signal);
  assert.equal(seen(f5, 'web-1:80')?.session, 'monitor-enabled');
  const kept = await f5.balancer.restore(web1, { session: 'monitor-enabled', state: 'user-down' }, signal);
  assert.deepEqual(kept.asFound, {
    session: 'monitor-enabled',
    state: 'user-down',
    ratio: 1,
    priorityGroup: 0,
  });
  assert.equal(kept.admin, 'offline');
});

test('those who ask for one pool at once share one read of it', async () => {
  const f5 = await device();
  await f5.balancer.members(LAB_POOL, signal);
  const before = f5.lab.calls();
  await Promise.all([1, 2, 3, 4, 5].map(() => f5.balancer.members(LAB_POOL, signal)));
  assert.equal(f5.lab.calls() - before, 2);
});

test('a read that began before a write is not shared with those who ask after it', async () => {
  const f5 = await device();
  await f5.balancer.members(LAB_POOL, signal);
  const calls = f5.lab.calls();
  const release = f5.lab.faults.holdStats();
  const early = f5.balancer.members(LAB_POOL, signal);
  await until('the early read waits for its statistics', () => f5.lab.calls() === calls + 2);
  await f5.balancer.disable(web1, 'drained', signal);
  const late = f5.balancer.members(LAB_POOL, signal);
  release();
  assert.equal((await early)[0]?.admin, 'enabled');
  assert.equal((await late)[0]?.admin, 'drained');
});

test('one who gives up a shared read does not end it for the others', async () => {
  const f5 = await device();
  const release = f5.lab.faults.holdStats();
  const stop = new AbortController();
  const giving = f5.balancer.members(LAB_POOL, stop.signal);
  const staying = f5.balancer.members(LAB_POOL, signal);
  stop.abort(new Error('enough'));
  await assert.rejects(giving, /enough/);
  release();
  assert.equal((await staying).length, 3);
});

test('a change by hand is seen at the next look', async () => {
  const f5 = await device();
  await f5.balancer.disable(web1, 'drained', signal);
  f5.lab.faults.editByHand(LAB_POOL, 'web-1:80', { disabled: false });
  const [first] = await f5.balancer.members(LAB_POOL, signal);
  assert.equal(first?.admin, 'enabled');
});

test('statistics are found in the nested form and in the flat one', async () => {
  const f5 = await device();
  const release = await f5.occupy('web-2:80');
  const connections = async () =>
    (await f5.balancer.members(LAB_POOL, signal)).map((member) => member.connections);
  assert.deepEqual(await connections(), [0, 1, 0]);
  f5.lab.faults.flatStats(true);
  assert.deepEqual(await connections(), [0, 1, 0]);
  release();
});

test('F5: «partitions, folders, route domains and IPv6 are reached by their names»', async () => {
  const connect = { host: '127.0.0.1', port: 1 };
  const names = ['10.0.0.2%10:80', '2001:db8::7.80', '/Common/web-9:8080'];
  const pool = '/Prod/app.app/web_pool';
  const f5 = await device({
    users: [{ ...OPERATOR, partition: 'Prod' }],
    pools: [{ name: pool, members: names.map((name) => ({ name, connect })) }],
  });
  const balancer = f5.connect({ partition: 'Prod' });
  const before = await balancer.members(pool, signal);
  assert.deepEqual(
    before.map(({ member, health, connections }) => ({ member, health, connections })),
    names.map((member) => ({ member, health: 'unknown', connections: 0 })),
  );
  for (const member of names)
    assert.equal((await balancer.disable({ pool, member }, 'drained', signal)).member, member);
  assert.deepEqual(
    new Set((await balancer.members(pool, signal)).map(({ admin }) => admin)),
    new Set(['drained']),
  );
});

test('a pool without members is an empty list', async () => {
  const f5 = await device({ pools: [{ name: '/Common/empty', members: [] }] });
  assert.deepEqual(await f5.balancer.members('empty', signal), []);
});

test('a device is believed by its CA or pinned certificate, and gets no password otherwise', async () => {
  const certFile = join(TLS, 'device-cert.pem');
  const tls = {
    key: readFileSync(join(TLS, 'device-key.pem'), 'utf8'),
    cert: readFileSync(certFile, 'utf8'),
  };
  const f5 = await device({ tls });
  assert.equal((await f5.connect({ tls: { ca: certFile } }).members(LAB_POOL, signal)).length, 3);
  await rejectsWith(
    'balancer_refused',
    f5.connect({ tls: { fingerprint: 'ab'.repeat(32) } }).members(LAB_POOL, signal),
  );
  assert.equal(tokens(f5).issued, 1);
});

test('a member that is not there is missing, also where the device answers 200 for it', async () => {
  const f5 = await device();
  f5.lab.faults.bareMembers(true);
  const nobody = { pool: LAB_POOL, member: 'nobody:1' };
  await rejectsWith(
    'balancer_member_unknown',
    f5.balancer.restore(nobody, { session: 'user-enabled' }, signal),
  );
});

test('F5: «one token serves a process, within the quota, and is deleted at its end»; a full quota that has room in a moment is waited for', async () => {
  const f5 = await device();
  const others = Array.from({ length: 100 }, () => f5.connect());
  await Promise.all(others.map((other) => other.members(LAB_POOL, signal)));
  const calls = f5.lab.calls();
  const waiting = f5.balancer.members(LAB_POOL, signal);
  await until('it was refused once', () => f5.lab.calls() > calls);
  await others[0]?.close();
  assert.equal((await waiting).length, 3);
  assert.equal(tokens(f5).live, 100);
});

test('an account that may only read is told which role it takes', async () => {
  const f5 = await device({ users: [{ ...OPERATOR, role: 'guest' }] });
  assert.equal((await f5.balancer.members(LAB_POOL, signal)).length, 3);
  const refused = await f5.balancer.disable(web1, 'drained', signal).catch((error: unknown) => error);
  assert.ok(refused instanceof EdgeError);
  assert.match(refused.body.hint, /role Operator/);
});

test('an Operator of another partition reads a pool and may not switch its members', async () => {
  const f5 = await device({ users: [{ ...OPERATOR, partition: 'Other' }] });
  assert.equal((await f5.balancer.members(LAB_POOL, signal)).length, 3);
  await rejectsWith('balancer_refused', f5.balancer.disable(web1, 'drained', signal));
});

test('F5: «all who write to a device do so one after the other»', async () => {
  const f5 = await device();
  const queue = createSerial();
  const partitions = ['Common', 'Other'].map((partition) => f5.connect({ queue, partition }));
  await Promise.all(partitions.map((balancer) => balancer.members(LAB_POOL, signal)));
  let isFree = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = queue(() => promise);
  const writes = partitions.map((balancer) =>
    balancer.disable({ pool: LAB_POOL, member: '/Common/web-1:80' }, 'drained', signal).then(() => isFree),
  );
  const calls = f5.lab.calls();
  await partitions[0]?.members(LAB_POOL, signal);
  assert.equal(f5.lab.calls() - calls, 2);
  isFree = true;
  resolve();
  await busy;
  assert.deepEqual(await Promise.all(writes), [true, true]);
});
