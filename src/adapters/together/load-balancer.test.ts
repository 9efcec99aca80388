import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadBalancerContract, rejectsWith } from '../../../test/contracts/load-balancer.ts';
import { createMemoryBalancer, type MemoryBalancer } from '../memory/load-balancer.ts';
import { together } from './load-balancer.ts';

const signal = new AbortController().signal;
const pool = 'web';
const members = ['web-1:80', 'web-2:80', 'web-3:80'];
const member = { pool, member: 'web-1:80' };

const pair = (options: { readonly members?: readonly string[] } = {}) => {
  const one = createMemoryBalancer({ [pool]: members });
  const two = createMemoryBalancer({ [pool]: options.members ?? members });
  const balancer = together([
    { name: 'lb-1', balancer: one },
    { name: 'lb-2', balancer: two },
  ]);
  return { one, two, balancer };
};

const first = async ({ balancer }: Pick<ReturnType<typeof pair>, 'balancer'>) => {
  const [state] = await balancer.members(pool, signal);
  assert.ok(state);
  return state;
};

const adminOf = (balancer: MemoryBalancer) => balancer.look(pool)[0]?.admin;

loadBalancerContract('two instances', async () => {
  const { one, two, balancer } = pair();
  for (const name of members)
    for (const each of [one, two]) each.setAddress({ pool, member: name }, `10.0.0.1:80`);
  return {
    ...{ balancer, pool, members },
    places: members.map(() => ({ address: '10.0.0.1', port: 80 })),
    occupy: async (name) => {
      one.setConnections({ pool, member: name }, 1);
      return () => one.setConnections({ pool, member: name }, 0);
    },
    // One of them is enough to see it down.
    setHealthy: async (name, healthy) => two.setHealth({ pool, member: name }, healthy ? 'up' : 'down'),
    vanish: async () => two.setReachable(false),
    dispose: () => balancer.close(),
  };
});

test('one instance is the balancer itself', () => {
  const one = createMemoryBalancer({ [pool]: members });
  assert.equal(together([{ name: 'lb-1', balancer: one }]), one);
});

test('an address is told where all tell the same, and no instance is believed against another', async () => {
  const { one, two, balancer } = pair();
  for (const each of [one, two]) each.setAddress(member, '10.0.0.1:80');
  assert.deepEqual([(await first({ balancer })).address, (await first({ balancer })).port], ['10.0.0.1', 80]);
  two.setAddress(member, '10.0.0.2:80');
  assert.equal((await first({ balancer })).address, undefined);
});

test('all are written, and the connections of all are counted', async () => {
  const { one, two, balancer } = pair();
  one.setConnections(member, 2);
  two.setConnections(member, 3);
  const seen = await balancer.disable(member, 'drained', signal);
  assert.deepEqual([seen.admin, seen.connections], ['drained', 5]);
  assert.deepEqual([adminOf(one), adminOf(two)], ['drained', 'drained']);
  two.setConnections(member, undefined);
  assert.equal((await first({ balancer })).connections, undefined);
});

test('where they disagree a member is enabled, and nobody counts on it', async () => {
  const { two, balancer } = pair();
  await balancer.disable(member, 'drained', signal);
  two.forgetDrains();
  const { admin, health } = await first({ balancer });
  assert.deepEqual([admin, health], ['enabled', 'checking']);
  assert.equal((await balancer.disable(member, 'drained', signal)).admin, 'drained');
  two.editByHand(member, { admin: 'offline' });
  assert.equal((await first({ balancer })).admin, 'drained');
});

test('each gets back what it was found with itself', async () => {
  const { one, two, balancer } = pair();
  one.editByHand(member, { weight: 7 });
  two.editByHand(member, { weight: 2, admin: 'offline' });
  const { asFound } = await first({ balancer });
  await balancer.disable(member, 'offline', signal);
  one.editByHand(member, { weight: 0 });
  two.editByHand(member, { weight: 0 });
  await balancer.restore(member, asFound, signal);
  assert.deepEqual(one.look(pool)[0]?.asFound, { admin: 'enabled', weight: 7 });
  assert.deepEqual(two.look(pool)[0]?.asFound, { admin: 'offline', weight: 2 });
});

test('one that was not asked when the member was taken gets what the other was found with', async () => {
  const { one, two, balancer } = pair();
  await balancer.disable(member, 'offline', signal);
  await balancer.restore(member, { 'lb-9 admin': 'enabled', 'lb-9 weight': 4 }, signal);
  assert.deepEqual(two.look(pool)[0]?.asFound, { admin: 'enabled', weight: 4 });
  // As it was recorded when there was only one.
  await balancer.restore(member, { admin: 'drained', weight: 5 }, signal);
  assert.deepEqual(one.look(pool)[0]?.asFound, { admin: 'drained', weight: 5 });
});

test('what one refuses is not asked of the next, and the error names the one', async () => {
  const { one, two, balancer } = pair();
  one.setRefusing(true);
  await assert.rejects(balancer.disable(member, 'drained', signal), /^EdgeError: lb-1: /);
  assert.equal(adminOf(two), 'enabled');
});

test('a member that only one of them has is refused', async () => {
  const { balancer } = pair({ members: members.slice(1) });
  await rejectsWith('balancer_refused', balancer.members(pool, signal));
  await rejectsWith('balancer_member_unknown', balancer.disable(member, 'drained', signal));
});
