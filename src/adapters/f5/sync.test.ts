import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rejectsWith } from '../../../test/contracts/load-balancer.ts';
import {
  LAB_POOL,
  type LabPairDevice,
  OPERATOR,
  RESOURCE_ADMIN,
  startLabDevice,
  startPairDevice,
} from '../../../test/support/lab-device.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { until } from '../../../test/support/until.ts';
import { EdgeError } from '../../domain/errors.ts';

const signal = new AbortController().signal;
const web1 = { pool: LAB_POOL, member: 'web-1:80' };
const pair = perTest(startPairDevice);
const device = perTest(startLabDevice);

const sessionsOf = ({ lab }: LabPairDevice, name = 'web-1:80') =>
  lab.units.map((unit) => unit.members(LAB_POOL).find((member) => member.name === name)?.session);
const everySession = ({ lab }: LabPairDevice) =>
  new Set(lab.units.flatMap((unit) => unit.members(LAB_POOL).map(({ session }) => session)));

async function refusal(promise: Promise<unknown>): Promise<EdgeError> {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof EdgeError, String(error));
  return error;
}

test('F5: «a change counts when the peer has it», be it a drain or a return', async () => {
  const f5 = await pair();
  const [found] = await f5.balancer.members(LAB_POOL, signal);
  await f5.balancer.disable(web1, 'drained', signal);
  assert.deepEqual(sessionsOf(f5), ['user-disabled', 'user-disabled']);
  await f5.balancer.restore(web1, found?.asFound ?? {}, signal);
  assert.deepEqual(sessionsOf(f5), ['monitor-enabled', 'monitor-enabled']);
});

test('many members that are written at once share a push', async () => {
  const f5 = await pair();
  await Promise.all(
    f5.members.map((member) => f5.balancer.disable({ pool: LAB_POOL, member }, 'drained', signal)),
  );
  assert.equal(f5.lab.pushes(0), 1);
  assert.deepEqual(everySession(f5), new Set(['user-disabled']));
});

test('a group that syncs by itself is waited for, and an Operator is enough', async () => {
  const f5 = await pair({ autoSync: true, syncMs: 100, users: [OPERATOR] });
  await f5.balancer.disable(web1, 'drained', signal);
  assert.deepEqual(sessionsOf(f5), ['user-disabled', 'user-disabled']);
  assert.equal(f5.lab.pushes(0), 1);
});

test('an Operator may not push: told apart from an ended token, with what to do', async () => {
  const f5 = await pair({ users: [OPERATOR] });
  const refused = await refusal(f5.balancer.disable(web1, 'drained', signal));
  assert.equal(refused.code, 'balancer_refused');
  assert.match(refused.message, /verb=POST/);
  assert.match(refused.body.hint, /Resource Administrator.*autoSync.*sync: off/);
  assert.equal(f5.lab.units[0].tokens(OPERATOR.name).issued, 1);
});

test('with `sync: off` an Operator drains the active unit alone, and each state says so', async () => {
  const f5 = await pair({ users: [OPERATOR] });
  const balancer = f5.connect({ sync: 'off' });
  const drained = await balancer.disable(web1, 'drained', signal);
  assert.match(drained.note ?? '', /only: sync is off/);
  assert.deepEqual(sessionsOf(f5), ['user-disabled', 'monitor-enabled']);
  const notes = (await balancer.members(LAB_POOL, signal)).map(({ note }) => note);
  assert.match(notes[0] ?? '', /sync is off/);
  assert.deepEqual(notes.slice(1), [undefined, undefined]);
});

test('with `sync: off` a failover forgets the drain, as its guide says', async () => {
  const f5 = await pair({ users: [OPERATOR] });
  const balancer = f5.connect({ sync: 'off' });
  await balancer.disable(web1, 'drained', signal);
  f5.lab.setActive([1]);
  assert.equal((await balancer.members(LAB_POOL, signal))[0]?.admin, 'enabled');
});

test('units in conflict are refused before anything is written', async () => {
  const f5 = await pair();
  for (const unit of f5.lab.units) unit.faults.editByHand(LAB_POOL, 'web-3:80', { ratio: 5 });
  const refused = await refusal(f5.balancer.disable(web1, 'drained', signal));
  assert.equal(refused.code, 'balancer_refused');
  assert.match(refused.message, /change conflict between lab-1 and lab-2/);
  assert.deepEqual(sessionsOf(f5), ['monitor-enabled', 'monitor-enabled']);
  assert.deepEqual([f5.lab.pushes(0), f5.lab.pushes(1)], [0, 0]);
});

test('changes that wait on the peer are not overwritten', async () => {
  const f5 = await pair();
  f5.lab.units[1].faults.editByHand(LAB_POOL, 'web-3:80', { disabled: true });
  const refused = await refusal(f5.balancer.disable(web1, 'drained', signal));
  assert.match(refused.message, /Synchronize lab-2/);
  assert.deepEqual(sessionsOf(f5, 'web-3:80'), ['monitor-enabled', 'user-disabled']);
});

test('a change that a dead predecessor left on the active unit is pushed with the next one', async () => {
  const f5 = await pair();
  await f5.connect({ sync: 'off' }).disable(web1, 'drained', signal);
  await f5.balancer.disable({ pool: LAB_POOL, member: 'web-2:80' }, 'drained', signal);
  assert.deepEqual(sessionsOf(f5), ['user-disabled', 'user-disabled']);
});

test('a conflict that comes up in between does not undo a return, and is told', async () => {
  const f5 = await pair();
  const [found] = await f5.balancer.members(LAB_POOL, signal);
  await f5.balancer.disable(web1, 'drained', signal);
  f5.lab.units[1].faults.editByHand(LAB_POOL, 'web-3:80', { ratio: 5 });
  const refused = await refusal(f5.balancer.restore(web1, found?.asFound ?? {}, signal));
  assert.match(refused.message, /not in sync/);
  assert.deepEqual(sessionsOf(f5), ['monitor-enabled', 'user-disabled']);
});

test('a peer that is away stops nobody: nothing can fail over to it, and each state says so', async () => {
  const f5 = await pair();
  await f5.lab.vanish(1);
  const drained = await f5.balancer.disable(web1, 'drained', signal);
  assert.match(drained.note ?? '', /unknown to the peer: Disconnected/);
  assert.equal(drained.admin, 'drained');
});

test('a push that does not end in time is late, and can be tried again', async () => {
  const f5 = await pair();
  const finish = f5.lab.holdSync();
  const hasty = f5.connect({ syncLooks: 2 });
  await rejectsWith('balancer_unreachable', hasty.disable(web1, 'drained', signal));
  assert.deepEqual(sessionsOf(f5), ['user-disabled', 'monitor-enabled']);
  finish();
  await f5.balancer.disable(web1, 'drained', signal);
  assert.deepEqual(sessionsOf(f5), ['user-disabled', 'user-disabled']);
});

test('nothing is saved unless it is wanted', async () => {
  const f5 = await pair();
  await f5.balancer.disable(web1, 'drained', signal);
  assert.deepEqual(
    f5.lab.units.map((unit) => unit.saves()),
    [0, 0],
  );
});

test('F5: «the configuration is saved, so that a reboot does not forget»; many members that are written at once share a save', async () => {
  const f5 = await device({ users: [RESOURCE_ADMIN] });
  const balancer = f5.connect({ save: 'after-changes' });
  await Promise.all(
    f5.members.map((member) => balancer.disable({ pool: LAB_POOL, member }, 'drained', signal)),
  );
  assert.equal(f5.lab.saves(), 1);
  f5.lab.faults.reboot();
  assert.deepEqual(
    new Set((await balancer.members(LAB_POOL, signal)).map(({ admin }) => admin)),
    new Set(['drained']),
  );
});

test('what was not saved is forgotten by a reboot, and seen at the next look', async () => {
  const f5 = await device();
  await f5.balancer.disable(web1, 'drained', signal);
  f5.lab.faults.reboot();
  await until('the member is enabled', async () => {
    const [first] = await f5.balancer.members(LAB_POOL, signal);
    return first?.admin === 'enabled';
  });
});

test('an Operator may not save: the change is made, and the refusal says which role it takes', async () => {
  const f5 = await device();
  const refused = await refusal(f5.connect({ save: 'after-changes' }).disable(web1, 'drained', signal));
  assert.match(refused.body.hint, /Saving needs the role Resource Administrator/);
  assert.equal(f5.lab.members(LAB_POOL)[0]?.session, 'user-disabled');
});
