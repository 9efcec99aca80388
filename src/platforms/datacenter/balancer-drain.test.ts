import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectKind, Trial } from '../../../test/support/trial.ts';
import { createMemoryBalancer } from '../../adapters/memory/load-balancer.ts';
import type { LoadBalancer } from '../../ports/load-balancer.ts';
import { balancerDrain } from './balancer-drain.ts';

const WEB_1 = { pool: 'web', member: 'web-1' };
// biome-ignore lint/suspicious/noThenProperty: the word of the strategy; nothing awaits these inputs
const inputs = (then: 'force' | 'stop' | 'continue' = 'force') => ({
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
    waitedMs: 50,
  });
  assert.equal((await stateOf(balancer))?.admin, 'drained');
});

test('a member that remembers clients goes offline once it is quiet, and is quiet again', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1', 'web-2'] }, { persistent: true });
  const trial = new Trial({ balancer });
  const { outputs } = expectKind(await trial.finish(balancerDrain, inputs()), 'done');
  assert.deepEqual(outputs, {
    members: [{ balancer: 'edge', pool: 'web', member: 'web-1', admin: 'offline', connections: 0 }],
    forced: false,
    waitedMs: 350,
  });
});

test('a client that came back just before its member went offline is waited for', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1', 'web-2'] }, { persistent: true });
  const comesBack: LoadBalancer = {
    ...balancer,
    disable: async (member, to, signal) => {
      if (to === 'offline') balancer.setConnections(WEB_1, 1);
      return balancer.disable(member, to, signal);
    },
  };
  const trial = new Trial({ balancer: comesBack });
  trial.at(10_000, () => balancer.setConnections(WEB_1, 0));
  const { outputs } = expectKind(await trial.finish(balancerDrain, inputs('stop')), 'done');
  assert.equal(outputs.forced, false);
  assert.ok(Number(outputs.waitedMs) >= 10_000);
});

test('at the deadline, a member that has just gone offline and is quiet is not late', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1', 'web-2'] }, { persistent: true });
  const trial = new Trial({ balancer });
  const justEnough = { ...inputs('stop'), timeoutMs: 150 };
  expectKind(await trial.finish(balancerDrain, justEnough), 'done');
});

test('what a dead owner set counts when it is confirmed: the next one sets it once more', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1', 'web-2'] }, { persistent: true });
  await balancer.disable(WEB_1, 'offline', new AbortController().signal);
  const written: string[] = [];
  const counting: LoadBalancer = {
    ...balancer,
    disable: async (member, to, signal) => {
      written.push(to);
      return balancer.disable(member, to, signal);
    },
  };
  expectKind(await new Trial({ balancer: counting }).finish(balancerDrain, inputs()), 'done');
  assert.deepEqual(written, ['offline', 'offline']);
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

test('connections have their whole time from when the balancer was told, though its first owner died before', async () => {
  const { trial } = drained(1);
  await trial.attempt(balancerDrain, inputs(), { crash: { at: 'after-save' } });
  await trial.clock.advance(29_000);
  expectKind(await trial.finish(balancerDrain, inputs()), 'done');
  const waitedMs = trial.clock.monotonicMs() - 29_000;
  assert.ok(waitedMs >= 30_000 && waitedMs < 34_000, `${waitedMs} ms`);
});

test('an owner that goes on after a wait has the same deadline', async () => {
  const { trial } = drained(1);
  expectKind(await trial.attempt(balancerDrain, inputs()), 'wait');
  await trial.clock.advance(20_000);
  expectKind(await trial.finish(balancerDrain, inputs()), 'done');
  assert.ok(trial.clock.monotonicMs() < 34_000, `${trial.clock.monotonicMs()} ms`);
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

test('at the deadline the policy `continue` goes on, and records what is left', async () => {
  const { balancer, trial } = drained(2);
  const { outputs } = expectKind(await trial.finish(balancerDrain, inputs('continue')), 'done');
  assert.deepEqual(outputs.members, [{ balancer: 'edge', ...WEB_1, admin: 'drained', connections: 2 }]);
  assert.equal(outputs.forced, false);
  assert.equal((await stateOf(balancer))?.admin, 'drained');
  assert.ok(trial.clock.monotonicMs() >= 30_000);
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

test('a cancel waits for the answer of a write that is under way, and nothing is written after it', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1', 'web-2'] });
  const cancelled = new AbortController();
  const written: string[] = [];
  const slow: LoadBalancer = {
    ...balancer,
    disable: async (member, to, signal) => {
      cancelled.abort(new Error('cancelled'));
      const state = await balancer.disable(member, to, signal);
      written.push(member.member);
      return state;
    },
  };
  const members = ['web-1', 'web-2'].map((member) => ({ balancer: 'edge', pool: 'web', member }));
  const trial = new Trial({ balancer: slow });
  const attempt = trial.attempt(balancerDrain, { ...inputs(), members }, { signal: cancelled.signal });
  await assert.rejects(attempt, /cancelled/);
  assert.deepEqual(written, ['web-1']);
});
