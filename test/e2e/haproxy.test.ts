import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createHaproxyBalancer } from '../../src/adapters/haproxy/load-balancer.ts';
import { together } from '../../src/adapters/together/load-balancer.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { type BalancerWorld, loadBalancerContract } from '../contracts/load-balancer.ts';
import { type Haproxy, type HaproxySettings, startHaproxy } from '../support/haproxy.ts';
import { type MemberServer, startMemberServer } from '../support/member-server.ts';
import { ask } from '../support/observer.ts';
import { occupy } from '../support/occupy.ts';
import { roll } from '../support/rolling.ts';

const POOL = 'web';
const { path, skip } = requireService('haproxy');
const signal = new AbortController().signal;

type World = BalancerWorld & { readonly haproxy: Haproxy; readonly servers: readonly MemberServer[] };

async function makeWorld(settings: Partial<HaproxySettings> = {}): Promise<World> {
  const servers = await Promise.all([1, 2, 3].map((n) => startMemberServer(`web-${n}`)));
  const haproxy = await haproxyFor(servers, settings);
  const serverOf = (name: string): MemberServer => {
    const server = servers.find((known) => known.name === name);
    assert.ok(server);
    return server;
  };
  const balancer = createHaproxyBalancer({ socket: haproxy.socket });
  return {
    balancer,
    haproxy,
    servers,
    pool: POOL,
    members: servers.map(({ name }) => name),
    places: servers.map(({ port }) => ({ address: '127.0.0.1', port })),
    occupy: (member) => occupy(haproxy.url(POOL), serverOf(member)),
    setHealthy: async (member, healthy) => {
      serverOf(member).healthy = healthy;
    },
    vanish: () => haproxy.stop(),
    dispose: async () => {
      await haproxy.stop();
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
}

const haproxyFor = (
  servers: readonly MemberServer[],
  settings: Partial<HaproxySettings> = {},
): Promise<Haproxy> =>
  startHaproxy({
    path: path ?? '',
    backends: { [POOL]: servers.map(({ name, port }) => ({ name, address: '127.0.0.1', port })) },
    ...settings,
  });

type PairWorld = World & { readonly second: Haproxy };

/** Two instances that share one backend. */
async function makePair(): Promise<PairWorld> {
  const world = await makeWorld();
  const second = await haproxyFor(world.servers);
  const balancer = together(
    [world.haproxy, second].map(({ socket }) => ({
      name: socket,
      balancer: createHaproxyBalancer({ socket }),
    })),
  );
  const dispose = async () => {
    await second.stop();
    await world.dispose();
  };
  return { ...world, balancer, second, vanish: second.stop, dispose };
}

loadBalancerContract('HAProxy', makeWorld, skip);
loadBalancerContract('two HAProxy', makePair, skip);

test('two HAProxy: a drain that one of them forgot is shown, and asserted again at that one', {
  skip: skip ?? false,
}, async (t) => {
  const world = await makePair();
  t.after(world.dispose);
  const member = { pool: POOL, member: 'web-1' };
  await world.balancer.disable(member, 'drained', signal);
  await ask(world.second.socket, `set server ${POOL}/web-1 state ready`);
  const [seen] = await world.balancer.members(POOL, signal);
  assert.deepEqual([seen?.admin, seen?.health], ['enabled', 'checking']);
  assert.equal((await world.balancer.disable(member, 'drained', signal)).admin, 'drained');
});

for (const keepsState of [false, true]) {
  const title = keepsState
    ? ': «HAProxy keeps what was set over a reload»'
    : ' forgets its drains at a reload';
  test(`HAProxy with${keepsState ? '' : 'out'} the state file of the guide${title}`, {
    skip: skip ?? false,
  }, async (t) => {
    const world = await makeWorld({ keepsState });
    t.after(world.dispose);
    const { balancer, haproxy } = world;
    await balancer.disable({ pool: POOL, member: 'web-1' }, 'drained', signal);
    await balancer.disable({ pool: POOL, member: 'web-2' }, 'offline', signal);
    await balancer.restore({ pool: POOL, member: 'web-3' }, { adminState: 0, weight: 30 }, signal);
    await haproxy.reload();
    const seen = await balancer.members(POOL, signal);
    assert.deepEqual(
      seen.map(({ admin }) => admin),
      keepsState ? ['drained', 'offline', 'enabled'] : ['enabled', 'enabled', 'enabled'],
    );
    assert.equal(seen[2]?.asFound.weight, keepsState ? 30 : 1);
  });
}

test('HAProxy: a socket of level operator refuses a change, and says what it needs', {
  skip: skip ?? false,
}, async () => {
  const world = await makeWorld();
  const balancer = createHaproxyBalancer({ socket: world.haproxy.operatorSocket });
  const refused = await balancer
    .disable({ pool: POOL, member: 'web-1' }, 'drained', signal)
    .catch((e: unknown) => e);
  assert.ok(refused instanceof EdgeError && refused.code === 'balancer_refused');
  assert.match(refused.message, /Permission denied/);
  assert.match(refused.body.hint, /level admin/);
  await world.dispose();
});

test('HAProxy: «HAProxy is driven through its runtime socket», over TCP as well: a weight is restored as found', {
  skip: skip ?? false,
}, async () => {
  const world = await makeWorld();
  const balancer = createHaproxyBalancer({ socket: world.haproxy.tcpSocket });
  const member = { pool: POOL, member: 'web-1' };
  await balancer.restore(member, { adminState: 0, weight: 30 }, signal);
  const found = (await balancer.members(POOL, signal))[0];
  assert.equal(found?.asFound.weight, 30);
  await balancer.disable(member, 'drained', signal);
  await balancer.restore(member, { adminState: 0, weight: 1 }, signal);
  const back = await balancer.restore(member, found.asFound, signal);
  assert.deepEqual(back.asFound, { adminState: 0, weight: 30 });
  await world.dispose();
});

for (const drain of [true, false]) {
  const title = drain
    ? 'HAProxy: «servers are replaced under load without a failed request» if they are drained'
    : 'HAProxy: servers that are not drained fail requests';
  test(title, { skip: skip ?? false }, async () => {
    const world = await makeWorld();
    const { balancer, servers, haproxy } = world;
    const report = await roll({
      balancer,
      pool: POOL,
      url: haproxy.url(POOL),
      servers,
      memberOf: ({ name }) => name,
      drain,
    });
    await world.dispose();
    assert.equal(report.failed === 0, drain, JSON.stringify(report));
  });
}
