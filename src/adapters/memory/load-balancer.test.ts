import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadBalancerContract, rejectsWith } from '../../../test/contracts/load-balancer.ts';
import { createMemoryBalancer } from './load-balancer.ts';

const signal = new AbortController().signal;
const pool = 'web';
const members = ['web-1:80', 'web-2:80', 'web-3:80'];

loadBalancerContract('memory', async () => {
  const balancer = createMemoryBalancer({ [pool]: members });
  members.forEach((member, index) => {
    balancer.setAddress({ pool, member }, `10.0.0.${index + 1}:80`);
  });
  return {
    balancer,
    pool,
    members,
    places: members.map((_, index) => ({ address: `10.0.0.${index + 1}`, port: 80 })),
    occupy: async (member) => {
      balancer.setConnections({ pool, member }, 1);
      return () => balancer.setConnections({ pool, member }, 0);
    },
    setHealthy: async (member, healthy) => balancer.setHealth({ pool, member }, healthy ? 'up' : 'down'),
    vanish: async () => balancer.setReachable(false),
    dispose: () => balancer.close(),
  };
});

test('a weight that was changed meanwhile is returned as found', async () => {
  const balancer = createMemoryBalancer({ [pool]: members });
  const member = { pool, member: 'web-1:80' };
  balancer.editByHand(member, { weight: 7 });
  const found = await balancer.disable(member, 'drained', signal);
  balancer.editByHand(member, { weight: 0, admin: 'offline' });
  await balancer.restore(member, found.asFound, signal);
  const [after] = await balancer.members(pool, signal);
  assert.deepEqual(after?.asFound, { admin: 'drained', weight: 7 });
});

test('a reload forgets who was set out of service, and keeps weights, health and connections', async () => {
  const balancer = createMemoryBalancer({ [pool]: members });
  const [one, two] = [
    { pool, member: 'web-1:80' },
    { pool, member: 'web-2:80' },
  ];
  balancer.editByHand(one, { weight: 7 });
  balancer.setHealth(one, 'down');
  balancer.setConnections(one, 3);
  await balancer.disable(one, 'drained', signal);
  await balancer.disable(two, 'offline', signal);
  balancer.forgetDrains();
  const seen = await balancer.members(pool, signal);
  assert.deepEqual(
    seen.map(({ admin }) => admin),
    ['enabled', 'enabled', 'enabled'],
  );
  assert.deepEqual(seen[0], {
    member: 'web-1:80',
    admin: 'enabled',
    health: 'down',
    connections: 3,
    asFound: { admin: 'enabled', weight: 7 },
  });
});

test('a balancer that refuses does nothing, until it takes calls again', async () => {
  const balancer = createMemoryBalancer({ [pool]: members });
  const member = { pool, member: 'web-1:80' };
  balancer.setRefusing(true);
  await rejectsWith('balancer_refused', balancer.disable(member, 'drained', signal));
  await rejectsWith('balancer_refused', balancer.members(pool, signal));
  balancer.setRefusing(false);
  assert.equal((await balancer.members(pool, signal))[0]?.admin, 'enabled');
});

test('each change of setting or health is told when it is made, and nothing else is', async () => {
  const seen: string[] = [];
  const balancer = createMemoryBalancer(
    { [pool]: members },
    {
      onChange: ({ member }, before, after) =>
        seen.push(`${member} ${before.admin} ${before.health} -> ${after.admin} ${after.health}`),
    },
  );
  const member = { pool, member: 'web-1:80' };
  const { asFound } = await balancer.disable(member, 'offline', signal);
  await balancer.disable(member, 'offline', signal);
  balancer.setHealth(member, 'down');
  balancer.setHealth(member, 'down');
  balancer.setConnections(member, 2);
  balancer.editByHand(member, { weight: 4 });
  balancer.forgetDrains();
  await balancer.restore(member, asFound, signal);
  assert.deepEqual(seen, [
    'web-1:80 enabled up -> offline up',
    'web-1:80 offline up -> offline down',
    'web-1:80 offline down -> enabled down',
    'web-1:80 enabled down -> offline down',
  ]);
});
