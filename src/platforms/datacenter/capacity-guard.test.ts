import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectKind, Trial } from '../../../test/support/trial.ts';
import { createMemoryBalancer } from '../../adapters/memory/load-balancer.ts';
import type { LoadBalancer } from '../../ports/load-balancer.ts';
import { capacityGuard } from './capacity-guard.ts';

const balancers = { edge: { kind: 'haproxy', socket: '/run/haproxy.sock' } };
const inputs = { members: [{ balancer: 'edge', pool: 'web', member: 'web-1' }], balancers };

test('the guard tells what is out of service in every pool, and how its own members are set', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1', 'web-2', 'web-3'], other: ['x'] });
  balancer.setHealth({ pool: 'web', member: 'web-2' }, 'down');
  balancer.editByHand({ pool: 'web', member: 'web-1' }, { weight: 7 });
  const { outputs } = expectKind(await new Trial({ balancer }).attempt(capacityGuard, inputs), 'done');
  assert.deepEqual(outputs, {
    observed: [{ balancer: 'edge', pool: 'web', configured: 3, out: ['web-2'] }],
    members: [{ balancer: 'edge', pool: 'web', member: 'web-1', asFound: { admin: 'enabled', weight: 7 } }],
  });
});

test('members in reserve are neither capacity nor missing', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1', 'web-2', 'web-3'] });
  const reserve: LoadBalancer = {
    ...balancer,
    members: async (pool, signal) =>
      (await balancer.members(pool, signal)).map((state) =>
        state.member === 'web-3' ? { ...state, reserve: true } : state,
      ),
  };
  const { outputs } = expectKind(
    await new Trial({ balancer: reserve }).attempt(capacityGuard, inputs),
    'done',
  );
  const seen = { balancer: 'edge', pool: 'web', configured: 2, out: [], reserve: ['web-3'] };
  assert.deepEqual(outputs.observed, [seen]);
});

test('a member that its pool does not have is an error of the balancer', async () => {
  const balancer = createMemoryBalancer({ web: ['web-2'] });
  const { error, retryable } = expectKind(
    await new Trial({ balancer }).attempt(capacityGuard, inputs),
    'failed',
  );
  assert.equal(error.code, 'balancer_member_unknown');
  assert.equal(error.cause, 'balancer');
  assert.equal(retryable, false);
});

test('a balancer that does not answer is asked again', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1'] });
  balancer.setReachable(false);
  assert.equal(
    expectKind(await new Trial({ balancer }).attempt(capacityGuard, inputs), 'failed').retryable,
    true,
  );
});

test('a target without members has no pools to look at', async () => {
  const { outputs } = expectKind(
    await new Trial().attempt(capacityGuard, { members: [], balancers }),
    'done',
  );
  assert.deepEqual(outputs, { observed: [], members: [] });
});
