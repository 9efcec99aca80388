import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAB_POOL, OPERATOR, startLabDevice } from '../../../test/support/lab-device.ts';
import { perTest } from '../../../test/support/per-test.ts';

const signal = new AbortController().signal;
const web1 = { pool: LAB_POOL, member: 'web-1:80' };
const device = perTest(startLabDevice);

const lab3 = (differs: readonly object[]) => ({
  pools: [
    {
      name: LAB_POOL,
      minActiveMembers: 2,
      members: differs.map((more, at) => ({
        name: `web-${at + 1}:80`,
        connect: { host: '127.0.0.1', port: 1 },
        ...more,
      })),
    },
  ],
});
const HIGH = { priorityGroup: 10 };
const LOW = { priorityGroup: 5 };

test('F5: «members of a priority group in reserve are no capacity»', async () => {
  const f5 = await device(lab3([HIGH, HIGH, LOW, LOW]));
  const states = await f5.balancer.members(LAB_POOL, signal);
  assert.deepEqual(
    states.map(({ reserve }) => reserve === true),
    [false, false, true, true],
  );
});

test('a lower priority group that a drain has made active is no reserve any more, and is named', async () => {
  const f5 = await device(lab3([HIGH, HIGH, LOW, LOW]));
  await f5.balancer.disable(web1, 'drained', signal);
  const states = await f5.balancer.members(LAB_POOL, signal);
  assert.deepEqual(
    states.map(({ reserve }) => reserve === true),
    [false, false, false, false],
  );
  assert.match(states[2]?.note ?? '', /priority group 5 of its pool is active/);
});

test('without a least number of active members, priority groups say nothing', async () => {
  const [pool] = lab3([HIGH, LOW]).pools;
  const f5 = await device({
    pools: [{ ...pool, name: LAB_POOL, members: pool?.members ?? [], minActiveMembers: 0 }],
  });
  const states = await f5.balancer.members(LAB_POOL, signal);
  assert.deepEqual(
    states.map(({ reserve, note }) => [reserve, note]),
    [
      [undefined, undefined],
      [undefined, undefined],
    ],
  );
});

test('F5: «a member comes back exactly as it was found», also ratio and priority group that somebody changed meanwhile', async () => {
  const f5 = await device({ users: [{ ...OPERATOR, role: 'manager' }] });
  const [found] = await f5.balancer.members(LAB_POOL, signal);
  await f5.balancer.disable(web1, 'drained', signal);
  f5.lab.faults.editByHand(LAB_POOL, 'web-1:80', { ratio: 7, priorityGroup: 3 });
  const back = await f5.balancer.restore(web1, found?.asFound ?? {}, signal);
  assert.deepEqual([back.asFound.ratio, back.asFound.priorityGroup, back.note], [1, 0, undefined]);
});

test('an Operator may not set a ratio: the member is returned all the same, and the state says so', async () => {
  const f5 = await device();
  const [found] = await f5.balancer.members(LAB_POOL, signal);
  await f5.balancer.disable(web1, 'drained', signal);
  f5.lab.faults.editByHand(LAB_POOL, 'web-1:80', { ratio: 7 });
  const back = await f5.balancer.restore(web1, found?.asFound ?? {}, signal);
  assert.equal(back.admin, 'enabled');
  assert.match(back.note ?? '', /found with ratio 1, which the account may not set/);
  assert.deepEqual(f5.lab.tokens(OPERATOR.name), { issued: 1, live: 1 });
});

test('what an Edge that knew less recorded is restored as well', async () => {
  const f5 = await device();
  await f5.balancer.disable(web1, 'offline', signal);
  const back = await f5.balancer.restore(web1, { session: 'monitor-enabled', state: 'up' }, signal);
  assert.equal(back.admin, 'enabled');
});

test('a member whose node is disabled is out of service, and its own settings are as they were', async () => {
  const f5 = await device();
  f5.lab.faults.editNode('web-1', 'disabled');
  const [first, second] = await f5.balancer.members(LAB_POOL, signal);
  assert.deepEqual([first?.admin, second?.admin], ['drained', 'enabled']);
  assert.equal(first?.asFound.session, 'monitor-enabled');
  await f5.balancer.disable(web1, 'drained', signal);
  await f5.balancer.restore(web1, first?.asFound ?? {}, signal);
  f5.lab.faults.editNode('web-1', 'enabled');
  assert.equal((await f5.balancer.members(LAB_POOL, signal))[0]?.admin, 'enabled');
});
