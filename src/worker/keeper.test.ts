import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployment, hold, POOL, task } from '../../test/contracts/sample.ts';
import { WorkerWorld } from '../../test/support/worker-world.ts';
import type { MemberState } from '../domain/balancer.ts';
import { workerId } from '../domain/ids.ts';
import { DATACENTER_ACTIONS } from '../platforms/datacenter/actions.ts';

const { id } = deployment('d1');
const REACH = { kind: 'haproxy', socket: '/run/haproxy.sock' } as const;
const MEMBER = 'web-0:8080';
const AS_FOUND = { admin: 'enabled', weight: 1 } as const;

/** A member that a deployment has drained, and workers to come. */
function inWorld(body: (world: WorkerWorld) => Promise<void>) {
  return async (): Promise<void> => {
    const world = new WorkerWorld(() => ({ durationMs: 1, code: 0 }), DATACENTER_ACTIONS);
    try {
      await world.commit({ takeHolds: [hold(id, 0, { asFound: AS_FOUND })] });
      await drained(world, 'drained');
      await body(world);
    } finally {
      await world.close();
    }
  };
}

/** As a drain leaves it behind. */
async function drained(world: WorkerWorld, as: 'drained' | 'offline'): Promise<void> {
  world.device.editByHand({ pool: POOL.pool, member: MEMBER }, { admin: as });
  const members = [{ ...POOL, member: MEMBER, as, reach: REACH }];
  await world.commit({ keepOut: [{ target: 'web-0', pool: 'dc-1', members }] });
}

/** The return of the target begins. */
const returning = (world: WorkerWorld) =>
  world.commit({
    keepOut: [{ target: 'web-0', pool: 'dc-1', members: [] }],
    open: [
      task(id, 0, {
        action: 'balancer.enable@1',
        inputs: {
          members: [{ ...POOL, member: MEMBER, asFound: AS_FOUND }],
          balancers: { [POOL.balancer]: REACH },
          waitUpMs: 1_000,
        },
        deadlineAt: world.clock.now() + 600_000,
      }),
    ],
  });

const adminOf = ({ device }: WorkerWorld): MemberState['admin'] | undefined =>
  device.look(POOL.pool).find(({ member }) => member === MEMBER)?.admin;

test(
  'a member that its balancer put back into service is out again within a second, whichever way it was left',
  inWorld(async (world) => {
    const worker = world.start('w1');
    for (const as of ['drained', 'offline'] as const) {
      await drained(world, as);
      await world.clock.advance(2_000);
      world.device.forgetDrains();
      await world.clock.advance(600);
      assert.equal(adminOf(world), as);
    }
    const told = worker.notices.filter(({ kind }) => kind === 'member.kept-out');
    assert.deepEqual(told[0], { kind: 'member.kept-out', member: { ...POOL, member: MEMBER } });
    assert.equal(told.length, 2);
  }),
);

test(
  'another member of the pool, and one that somebody set in another way out of service, is left alone',
  inWorld(async (world) => {
    world.start('w1');
    world.device.editByHand({ pool: POOL.pool, member: MEMBER }, { admin: 'offline' });
    await world.clock.advance(5_000);
    assert.equal(adminOf(world), 'offline');
    assert.equal(world.device.look(POOL.pool)[1]?.admin, 'enabled');
  }),
);

test(
  'what was returned is not taken out again, also when a balancer forgets and remembers meanwhile',
  inWorld(async (world) => {
    const [first, second] = [world.start('w1'), world.start('w2')];
    await world.clock.advance(2_000);
    world.device.forgetDrains();
    await returning(world);
    for (let ms = 0; ms < 3_000; ms += 100) {
      await world.clock.advance(100);
      const [report] = await world.reports();
      if (report) assert.equal(adminOf(world), 'enabled');
    }
    assert.deepEqual(await world.outcomes(), ['done']);
    assert.equal(
      [first, second].flatMap(({ notices }) => notices).some(({ kind }) => kind === 'task.refused'),
      false,
    );
  }),
);

test(
  'the return goes to another worker once the one that kept the member has let go',
  inWorld(async (world) => {
    world.start('w1', { slots: 0 });
    await world.clock.advance(2_000);
    await returning(world);
    world.start('w2');
    await world.clock.advance(2_000);
    assert.deepEqual(
      (await world.reports()).map(({ worker }) => worker),
      ['w2'],
    );
    assert.equal(adminOf(world), 'enabled');
  }),
);

test(
  'a worker that reaches no board writes nothing more once its lease has run out',
  inWorld(async (world) => {
    const worker = world.start('w1');
    await world.clock.advance(2_000);
    worker.cut();
    await world.clock.advance(10_000);
    world.device.forgetDrains();
    await world.clock.advance(1_000);
    assert.equal(adminOf(world), 'drained', 'within its lease it goes on');
    await world.clock.advance(10_000);
    world.device.forgetDrains();
    await world.clock.advance(20_000);
    assert.equal(adminOf(world), 'enabled');
    worker.mend();
    await world.clock.advance(3_000);
    assert.equal(adminOf(world), 'drained');
  }),
);

test(
  'the return waits for a write that the end of the lease has cut off, also in the worker that sent it',
  inWorld(async (world) => {
    const worker = world.start('w1');
    await world.clock.advance(2_000);
    hangOnce(world.device);
    world.device.forgetDrains();
    await world.clock.advance(1_000);
    worker.cut();
    await world.clock.advance(16_000);
    worker.mend();
    await world.clock.advance(3_000);
    await returning(world);
    await world.clock.advance(50_000);
    assert.deepEqual(await world.outcomes(), []);
    await world.clock.advance(15_000);
    assert.deepEqual(await world.outcomes(), ['done']);
  }),
);

/** The next write is under way until whoever sent it gives it up. */
function hangOnce(device: WorkerWorld['device']): void {
  const { disable } = device;
  device.disable = (_member, _to, signal) => {
    device.disable = disable;
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  };
}

test(
  'another worker goes on where one died, at once if that is proven',
  inWorld(async (world) => {
    const first = world.start('w1');
    await world.clock.advance(2_000);
    first.cut();
    const second = world.start('w2');
    await world.clock.advance(16_000);
    world.device.forgetDrains();
    await world.clock.advance(2_000);
    assert.equal(adminOf(world), 'drained', 'the lease has run out');
    second.cut();
    const third = world.start('w3', { gone: [workerId('w2')] });
    await world.clock.advance(1_500);
    world.device.forgetDrains();
    await world.clock.advance(1_000);
    assert.ok(third.notices.some(({ kind }) => kind === 'member.kept-out'));
  }),
);

test(
  'a device that does not answer is told of once, and looked at until it answers',
  inWorld(async (world) => {
    const worker = world.start('w1');
    world.device.setReachable(false);
    await world.clock.advance(10_000);
    assert.deepEqual(
      worker.notices.map(({ kind }) => kind),
      ['keeping.hindered'],
    );
    world.device.setReachable(true);
    world.device.forgetDrains();
    await world.clock.advance(1_000);
    assert.equal(adminOf(world), 'drained');
  }),
);

test(
  'a worker that stops hands back what it kept, so that another goes on within seconds',
  inWorld(async (world) => {
    const first = world.start('w1');
    await world.clock.advance(2_000);
    await first.stop();
    world.start('w2');
    await world.clock.advance(2_000);
    world.device.forgetDrains();
    await world.clock.advance(1_000);
    assert.equal(adminOf(world), 'drained');
  }),
);
