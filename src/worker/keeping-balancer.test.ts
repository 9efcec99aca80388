import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryBalancer } from '../adapters/memory/load-balancer.ts';
import type { LoadBalancer } from '../ports/load-balancer.ts';
import { keepingBalancer } from './keeping-balancer.ts';

const signal = new AbortController().signal;
const member = { pool: 'web', member: 'web-1' };
const AS_FOUND = { admin: 'enabled', weight: 1 };

function world(device: LoadBalancer = createMemoryBalancer({ web: ['web-1'] })) {
  let nowMs = 100;
  const balancer = keepingBalancer(device, { monotonicMs: () => nowMs });
  const adminNow = async () => (await device.members('web', signal))[0]?.admin;
  return { balancer, adminNow, at: (ms: number) => (nowMs = ms) };
}

/** What is disabled there waits for the answer. */
function slowDevice() {
  const device = createMemoryBalancer({ web: ['web-1'] });
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  const slow: LoadBalancer = {
    ...device,
    disable: async (...args) => {
      await promise;
      return device.disable(...args);
    },
  };
  return { slow, answer };
}

test('a member is taken out again as it was left', async () => {
  const { balancer, adminNow } = world();
  const seen = await balancer.keepOut({ ...member, as: 'offline' }, 100, signal);
  assert.equal(seen?.admin, 'offline');
  assert.equal(await adminNow(), 'offline');
});

test('a member whose return began since is left alone, in the same moment too; what is learnt later counts again', async () => {
  const { balancer, adminNow, at } = world();
  await balancer.restore(member, AS_FOUND, signal);
  for (const sinceMs of [99, 100]) {
    assert.equal(await balancer.keepOut({ ...member, as: 'drained' }, sinceMs, signal), undefined);
    assert.equal(await adminNow(), 'enabled');
  }
  at(200);
  await balancer.keepOut({ ...member, as: 'drained' }, 150, signal);
  assert.equal(await adminNow(), 'drained');
});

test('a return waits for the write that is under way, and comes after it', async () => {
  const { slow, answer } = slowDevice();
  const { balancer, adminNow } = world(slow);
  const out = balancer.keepOut({ ...member, as: 'drained' }, 100, signal);
  const back = balancer.restore(member, AS_FOUND, signal);
  answer();
  await Promise.all([out, back]);
  assert.equal(await adminNow(), 'enabled');
});

test('a return does not follow a write that was given up for as long as that may arrive', async () => {
  const device = createMemoryBalancer({ web: ['web-1'] });
  const lost = new AbortController();
  const { promise: isSent, resolve: sent } = Promise.withResolvers<void>();
  const hanging: LoadBalancer = {
    ...device,
    disable: (_member, _to, until) =>
      new Promise((_resolve, reject) => {
        until.addEventListener('abort', () => reject(until.reason));
        sent();
      }),
  };
  const { balancer, adminNow, at } = world(hanging);
  device.editByHand(member, { admin: 'drained' });
  const out = balancer.keepOut({ ...member, as: 'drained' }, 100, lost.signal);
  await isSent;
  const back = balancer.restore(member, AS_FOUND, signal);
  lost.abort(new Error('the lease has run out'));
  await assert.rejects(out, /lease/);
  await assert.rejects(back, { code: 'balancer_unreachable' });
  at(60_099);
  await assert.rejects(balancer.restore(member, AS_FOUND, signal), { code: 'balancer_unreachable' });
  assert.equal(await adminNow(), 'drained');
  at(60_100);
  await balancer.restore(member, AS_FOUND, signal);
  assert.equal(await adminNow(), 'enabled');
});

test('a return that has waited for its turn asks then whether it may still be made, and is not made if not', async () => {
  const { slow, answer } = slowDevice();
  const { balancer, adminNow } = world(slow);
  let isOver = false;
  const mayWrite = (): void => {
    if (isOver) throw new Error('the lease is over');
  };
  const out = balancer.keepOut({ ...member, as: 'drained' }, 101, signal);
  const back = balancer.restore(member, AS_FOUND, signal, mayWrite);
  isOver = true;
  answer();
  await out;
  await assert.rejects(back, /the lease is over/);
  assert.equal(await adminNow(), 'drained');
});
