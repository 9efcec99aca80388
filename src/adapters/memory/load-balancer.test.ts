import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadBalancerContract } from '../../../test/contracts/load-balancer.ts';
import { createMemoryBalancer } from './load-balancer.ts';

const signal = new AbortController().signal;
const pool = 'web';
const members = ['web-1:80', 'web-2:80', 'web-3:80'];

loadBalancerContract('memory', async () => {
  const balancer = createMemoryBalancer({ [pool]: members });
  return {
    balancer,
    pool,
    members,
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
