import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectKind, Trial } from '../../../test/support/trial.ts';
import { createMemoryBalancer } from '../../adapters/memory/load-balancer.ts';
import { balancerEnable } from './balancer-enable.ts';

const WEB_1 = { pool: 'web', member: 'web-1' };
const inputs = (admin = 'enabled') => ({
  members: [{ balancer: 'edge', ...WEB_1, asFound: { admin, weight: 7 } }],
  balancers: { edge: { kind: 'haproxy', socket: '/run/haproxy.sock' } },
  waitUpMs: 20_000,
});

async function drained() {
  const balancer = createMemoryBalancer({ web: ['web-1'] });
  await balancer.disable(WEB_1, 'offline', new AbortController().signal);
  return { balancer, trial: new Trial({ balancer }) };
}
const stateOf = async (balancer: ReturnType<typeof createMemoryBalancer>) =>
  (await balancer.members('web', new AbortController().signal))[0];

test('a member comes back exactly as it was found', async () => {
  const { balancer, trial } = await drained();
  const { outputs } = expectKind(await trial.finish(balancerEnable, inputs()), 'done');
  assert.deepEqual(outputs, {
    members: [{ balancer: 'edge', pool: 'web', member: 'web-1', admin: 'enabled', health: 'up' }],
  });
  assert.deepEqual((await stateOf(balancer))?.asFound, { admin: 'enabled', weight: 7 });
});

test('a member that was found disabled stays so, and is not waited for', async () => {
  const { balancer, trial } = await drained();
  balancer.setHealth(WEB_1, 'down');
  expectKind(await trial.attempt(balancerEnable, inputs('drained')), 'done');
  assert.equal((await stateOf(balancer))?.admin, 'drained');
});

test('it is done only when the monitor sees the member up', async () => {
  const { balancer, trial } = await drained();
  balancer.setHealth(WEB_1, 'checking');
  const wait = expectKind(await trial.attempt(balancerEnable, inputs()), 'wait');
  assert.equal(wait.progress, 'the balancer sees web-1 (web of edge) as checking');
  balancer.setHealth(WEB_1, 'up');
  expectKind(await trial.finish(balancerEnable, inputs()), 'done');
});

test('a member that does not come up within its time fails by health', async () => {
  const { balancer, trial } = await drained();
  balancer.setHealth(WEB_1, 'down');
  const { error } = expectKind(await trial.finish(balancerEnable, inputs()), 'failed');
  assert.equal(error.cause, 'health');
  assert.match(error.message, /20000 ms after it was enabled: the balancer sees web-1/);
});

test('a member without a monitor counts as in service', async () => {
  const { balancer, trial } = await drained();
  balancer.setHealth(WEB_1, 'unknown');
  expectKind(await trial.attempt(balancerEnable, inputs()), 'done');
});

test('an owner that died after its intent is followed by one that restores', async () => {
  const { balancer, trial } = await drained();
  await trial.attempt(balancerEnable, inputs(), { crash: { at: 'after-save' } });
  assert.equal((await stateOf(balancer))?.admin, 'offline');
  expectKind(await trial.finish(balancerEnable, inputs()), 'done');
  assert.equal((await stateOf(balancer))?.admin, 'enabled');
});

test('once restored, what people change by hand is not put right in silence', async () => {
  const { balancer, trial } = await drained();
  balancer.setHealth(WEB_1, 'checking');
  const wait = expectKind(await trial.attempt(balancerEnable, inputs()), 'wait');
  balancer.editByHand(WEB_1, { admin: 'drained' });
  await trial.clock.advance(wait.wakeAfterMs);
  const { outputs } = expectKind(await trial.finish(balancerEnable, inputs()), 'done');
  assert.match(JSON.stringify(outputs), /"admin":"drained"/);
});

test('a balancer that does not answer may be tried again', async () => {
  const { balancer, trial } = await drained();
  balancer.setReachable(false);
  assert.equal(expectKind(await trial.attempt(balancerEnable, inputs()), 'failed').retryable, true);
});

test('a member has its whole time to come up from when it was enabled, though the first owner died before', async () => {
  const { balancer, trial } = await drained();
  balancer.setHealth(WEB_1, 'checking');
  await trial.attempt(balancerEnable, inputs(), { crash: { at: 'after-save' } });
  await trial.clock.advance(75_000);
  trial.at(10_000, () => balancer.setHealth(WEB_1, 'up'));
  expectKind(await trial.finish(balancerEnable, inputs()), 'done');
});
