import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberState } from '../../src/domain/balancer.ts';
import { EdgeError, type ErrorCode } from '../../src/domain/errors.ts';
import type { LoadBalancer } from '../../src/ports/load-balancer.ts';
import { perTest } from '../support/per-test.ts';
import { until } from '../support/until.ts';

/** A balancer with one pool of at least three members, all enabled and up, and the hands to change its world. */
export type BalancerWorld = {
  readonly balancer: LoadBalancer;
  readonly pool: string;
  readonly members: readonly string[];
  /** Where the balancer sends the traffic of each. */
  readonly places: readonly Pick<MemberState, 'address' | 'port'>[];
  /** What this kind of balancer does not have: a monitor to ask, or a word for drained other than that for offline. */
  readonly lacks?: readonly ('health' | 'drained')[];
  /** Opens a connection or request that stays on this member until the returned function is called. */
  occupy(member: string): Promise<() => void>;
  /** Makes the member ill or well in the eyes of the monitor. */
  setHealthy(member: string, healthy: boolean): Promise<void>;
  /** The device goes away. */
  vanish(): Promise<void>;
  dispose(): Promise<void>;
};

const signal = new AbortController().signal;

/** What every `LoadBalancer` does, run on each adapter. `skip` is why it cannot run here. */
export function loadBalancerContract(name: string, make: () => Promise<BalancerWorld>, skip?: string): void {
  const start = perTest(make);
  const does = (title: string, body: (world: BalancerWorld, first: string) => Promise<void>): void => {
    test(`${name}: ${title}`, { skip: skip ?? false }, async () => {
      const world = await start();
      const [first = ''] = world.members;
      for (const member of world.members) await untilHealth(world, member, healthOf(world, 'up'));
      await body(world, first);
    });
  };

  does('lists every member of a pool as enabled, up and without connections', async (world) => {
    const health = healthOf(world, 'up');
    const seen = await world.balancer.members(world.pool, signal);
    assert.deepEqual(
      seen.map(({ member, admin, health, connections }) => ({ member, admin, health, connections })),
      world.members.map((member) => ({ member, admin: 'enabled', health, connections: 0 })),
    );
  });

  does('tells where each member is, in service or not', async (world, first) => {
    const { balancer, pool, places } = world;
    const seen = async () =>
      (await balancer.members(pool, signal)).map(({ address, port }) => ({ address, port }));
    assert.deepEqual(await seen(), places);
    await balancer.disable({ pool, member: first }, 'offline', signal);
    assert.deepEqual(await seen(), places);
  });

  for (const to of ['drained', 'offline'] as const) {
    does(
      `«what was written to a balancer is read back»: a member that is set ${to}, and no other is touched`,
      async (world, first) => {
        const read = await world.balancer.disable({ pool: world.pool, member: first }, to, signal);
        assert.equal(read.member, first);
        assert.equal(read.admin, adminOf(world, to));
        assert.deepEqual(
          await admins(world),
          world.members.map((member) => (member === first ? adminOf(world, to) : 'enabled')),
        );
      },
    );

    does(`to set a member ${to} twice is to set it once`, async (world, first) => {
      const member = { pool: world.pool, member: first };
      await world.balancer.disable(member, to, signal);
      assert.equal((await world.balancer.disable(member, to, signal)).admin, adminOf(world, to));
    });

    does(`a member that was found enabled and set ${to} is restored to service`, async (world, first) => {
      const member = { pool: world.pool, member: first };
      const found = await stateOf(world, first);
      await world.balancer.disable(member, to, signal);
      assert.equal((await world.balancer.restore(member, found.asFound, signal)).admin, 'enabled');
      await untilHealth(world, first, healthOf(world, 'up'));
    });

    does(`a member that was found ${to} is restored to ${to}`, async (world, first) => {
      const member = { pool: world.pool, member: first };
      await world.balancer.disable(member, to, signal);
      const found = await stateOf(world, first);
      await world.balancer.disable(member, to === 'drained' ? 'offline' : 'drained', signal);
      const read = await world.balancer.restore(member, found.asFound, signal);
      assert.equal(read.admin, adminOf(world, to));
    });
  }

  does('what was found survives JSON', async (world, first) => {
    const member = { pool: world.pool, member: first };
    const asFound = JSON.parse(JSON.stringify((await stateOf(world, first)).asFound));
    await world.balancer.disable(member, 'offline', signal);
    assert.equal((await world.balancer.restore(member, asFound, signal)).admin, 'enabled');
  });

  does('to restore what was not touched changes nothing', async (world, first) => {
    const found = await stateOf(world, first);
    await world.balancer.restore({ pool: world.pool, member: first }, found.asFound, signal);
    assert.deepEqual((await stateOf(world, first)).asFound, found.asFound);
  });

  does(
    'a drained member keeps its connections and shows them until the last one ends',
    async (world, first) => {
      const release = await world.occupy(first);
      await until('the connection is counted', async () => (await stateOf(world, first)).connections === 1);
      await world.balancer.disable({ pool: world.pool, member: first }, 'drained', signal);
      assert.equal((await stateOf(world, first)).connections, 1);
      release();
      await until('the connection has ended', async () => (await stateOf(world, first)).connections === 0);
    },
  );

  does('a member that is ill is down and still enabled', async (world, first) => {
    await world.setHealthy(first, false);
    await untilHealth(world, first, healthOf(world, 'down'));
    assert.equal((await stateOf(world, first)).admin, 'enabled');
    await world.setHealthy(first, true);
    await untilHealth(world, first, healthOf(world, 'up'));
  });

  does('a drained member is looked at as ever', async (world, first) => {
    await world.balancer.disable({ pool: world.pool, member: first }, 'drained', signal);
    await world.setHealthy(first, false);
    await untilHealth(world, first, healthOf(world, 'down'));
    await world.setHealthy(first, true);
    await untilHealth(world, first, healthOf(world, 'up'));
    assert.equal((await stateOf(world, first)).admin, adminOf(world, 'drained'));
  });

  does('members that are set at the same time are all set', async (world) => {
    const { balancer, pool, members } = world;
    await Promise.all(members.map((member) => balancer.disable({ pool, member }, 'drained', signal)));
    assert.deepEqual(new Set(await admins(world)), new Set([adminOf(world, 'drained')]));
  });

  does('a read that starts after a write sees it', async (world, first) => {
    const { balancer, pool } = world;
    const before = balancer.members(pool, signal);
    await balancer.disable({ pool, member: first }, 'drained', signal);
    assert.equal((await stateOf(world, first)).admin, adminOf(world, 'drained'));
    await before;
  });

  does('names a member and a pool that are not there', async ({ balancer, pool, members }) => {
    const [member = ''] = members;
    await rejectsWith(
      'balancer_member_unknown',
      balancer.disable({ pool, member: 'nobody:1' }, 'drained', signal),
    );
    await rejectsWith(
      'balancer_member_unknown',
      balancer.disable({ pool: 'nowhere', member }, 'drained', signal),
    );
    await rejectsWith('balancer_member_unknown', balancer.members('nowhere', signal));
  });

  does('a name cannot carry a second command', async (world, first) => {
    const { balancer, pool } = world;
    for (const tail of [`; set server ${pool}/${first} state maint`, '\nx', '/../x', '?x=1', '#', ' x']) {
      const member = { pool, member: `${first}${tail}` };
      await rejectsWith('balancer_member_unknown', balancer.disable(member, 'offline', signal));
    }
    assert.deepEqual(new Set(await admins(world)), new Set(['enabled']));
  });

  does('a device that has gone away is unreachable', async (world, first) => {
    await world.vanish();
    await rejectsWith('balancer_unreachable', world.balancer.members(world.pool, signal));
    const member = { pool: world.pool, member: first };
    await rejectsWith('balancer_unreachable', world.balancer.disable(member, 'drained', signal));
  });

  does(
    'asks in the moment of a write whether it may still be made, and makes none that may not',
    async (world, first) => {
      const { balancer, pool } = world;
      const member = { pool, member: first };
      const over = (): never => {
        throw new Error('the lease is over');
      };
      const { asFound } = await stateOf(world, first);
      await assert.rejects(balancer.disable(member, 'offline', signal, over), /the lease is over/);
      assert.equal((await stateOf(world, first)).admin, 'enabled');
      let asked = 0;
      const count = (): void => {
        asked += 1;
      };
      await balancer.disable(member, 'offline', signal, count);
      assert.ok(asked > 0);
      await assert.rejects(balancer.restore(member, asFound, signal, over), /the lease is over/);
      assert.equal((await stateOf(world, first)).admin, 'offline');
    },
  );

  does('rejects with the reason of the signal of the caller, and changes nothing', async (world, first) => {
    const stopped = AbortSignal.abort(new Error('enough'));
    await assert.rejects(world.balancer.members(world.pool, stopped), /enough/);
    const member = { pool: world.pool, member: first };
    await assert.rejects(world.balancer.disable(member, 'drained', stopped), /enough/);
    assert.equal((await stateOf(world, first)).admin, 'enabled');
  });
}

async function stateOf({ balancer, pool }: BalancerWorld, member: string): Promise<MemberState> {
  const found = (await balancer.members(pool, signal)).find((state) => state.member === member);
  assert.ok(found, `${pool} has ${member}`);
  return found;
}

async function admins({ balancer, pool }: BalancerWorld): Promise<MemberState['admin'][]> {
  return (await balancer.members(pool, signal)).map(({ admin }) => admin);
}

/** How a member reads that was set so. */
const adminOf = ({ lacks }: BalancerWorld, to: 'drained' | 'offline'): MemberState['admin'] =>
  lacks?.includes('drained') ? 'offline' : to;

/** What is seen of a member that is so: unknown, never a guess, where nothing looks at it. */
const healthOf = ({ lacks }: BalancerWorld, is: 'up' | 'down'): MemberState['health'] =>
  lacks?.includes('health') ? 'unknown' : is;

async function untilHealth(
  world: BalancerWorld,
  member: string,
  health: MemberState['health'],
): Promise<void> {
  await until(`${member} is ${health}`, async () => (await stateOf(world, member)).health === health);
}

/** Passes only if the promise rejects with this code of the catalogue. */
export function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  return assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof EdgeError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}
