import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectKind, Trial } from '../../../test/support/trial.ts';
import { createMemoryBalancer } from '../../adapters/memory/load-balancer.ts';
import { balancerDrain } from './balancer-drain.ts';

const WEB_1 = { pool: 'web', member: 'web-1' };
// biome-ignore lint/suspicious/noThenProperty: the word of the strategy; nothing awaits these inputs
const inputs = (then: 'force' | 'stop' = 'force') => ({
  members: [{ balancer: 'edge', ...WEB_1 }],
  balancers: { edge: { kind: 'haproxy', socket: '/run/haproxy.sock' } },
  timeoutMs: 30_000,
  then,
});

function drained(connections: number | undefined) {
  const balancer = createMemoryBalancer({ web: ['web-1', 'web-2'] });
  balancer.setConnections(WEB_1, connections);
  return { balancer, trial: new Trial({ balancer }) };
}
const stateOf = async (balancer: ReturnType<typeof createMemoryBalancer>) => {
  const states = await balancer.members('web', new AbortController().signal);
  return states.find(({ member }) => member === 'web-1');
};

test('a member without connections is drained after two looks that count none', async () => {
  const { balancer, trial } = drained(0);
  const { outputs } = expectKind(await trial.finish(balancerDrain, inputs()), 'done');
  assert.deepEqual(outputs, {
    members: [{ balancer: 'edge', pool: 'web', member: 'web-1', admin: 'drained', connections: 0 }],
    forced: false,
    waitedMs: 100,
  });
  assert.equal((await stateOf(balancer))?.admin, 'drained');
});

test('live connections are waited for, and their number is shown', async () => {
  const { balancer, trial } = drained(3);
  const wait = expectKind(await trial.attempt(balancerDrain, inputs()), 'wait');
  assert.equal(wait.progress, '3 connections to web-1 (web of edge)');
  balancer.setConnections(WEB_1, 0);
  expectKind(await trial.finish(balancerDrain, inputs()), 'done');
});

test('at the deadline the policy `force` takes the member offline', async () => {
  const { balancer, trial } = drained(1);
  const { outputs } = expectKind(await trial.finish(balancerDrain, inputs('force')), 'done');
  assert.equal(outputs.forced, true);
  assert.equal((await stateOf(balancer))?.admin, 'offline');
  assert.ok(trial.clock.monotonicMs() >= 30_000 && trial.clock.monotonicMs() < 33_000);
});

test('at the deadline the policy `stop` leaves the connections alone and fails', async () => {
  const { balancer, trial } = drained(2);
  const { error, retryable } = expectKind(await trial.finish(balancerDrain, inputs('stop')), 'failed');
  assert.match(error.message, /After 30000 ms of draining: 2 connections to web-1/);
  assert.equal(error.cause, 'balancer');
  assert.equal(retryable, false);
  assert.equal((await stateOf(balancer))?.admin, 'drained');
});

test('a count that the balancer does not give is not zero: the whole time is waited', async () => {
  const { trial } = drained(undefined);
  const { outputs } = expectKind(await trial.finish(balancerDrain, inputs('force')), 'done');
  assert.ok(trial.clock.monotonicMs() >= 30_000);
  assert.match(trial.progress.join(), /the connections of web-1 \(web of edge\) are not counted/);
  assert.deepEqual(outputs.forced, true);
});

test('the intent is stored before the balancer is touched', async () => {
  const { balancer, trial } = drained(0);
  await trial.attempt(balancerDrain, inputs(), { crash: { at: 'before-save' } });
  assert.equal((await stateOf(balancer))?.admin, 'enabled');
});

test('a new owner goes on with the same deadline', async () => {
  const { trial } = drained(1);
  await trial.attempt(balancerDrain, inputs(), { crash: { at: 'after-save' } });
  await trial.clock.advance(29_000);
  expectKind(await trial.finish(balancerDrain, inputs()), 'done');
  assert.ok(trial.clock.monotonicMs() < 33_000);
});

test('a member that something put back into service is disabled again', async () => {
  const { balancer, trial } = drained(5);
  const wait = expectKind(await trial.attempt(balancerDrain, inputs()), 'wait');
  balancer.editByHand(WEB_1, { admin: 'enabled' });
  await trial.clock.advance(wait.wakeAfterMs);
  balancer.setConnections(WEB_1, 0);
  expectKind(await trial.finish(balancerDrain, inputs()), 'done');
  assert.equal((await stateOf(balancer))?.admin, 'drained');
});

test('a balancer that does not answer fails the step in a way that may be tried again', async () => {
  const { balancer, trial } = drained(0);
  balancer.setReachable(false);
  const { error, retryable } = expectKind(await trial.attempt(balancerDrain, inputs()), 'failed');
  assert.equal(error.cause, 'balancer');
  assert.equal(retryable, true);
});

test('an owner that is ended writes nothing more', async () => {
  const { balancer, trial } = drained(0);
  const signal = AbortSignal.abort(new Error('lease lost'));
  await assert.rejects(trial.attempt(balancerDrain, inputs(), { signal }), /lease lost/);
  assert.equal((await stateOf(balancer))?.admin, 'enabled');
});
