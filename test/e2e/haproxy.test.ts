import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createHaproxyBalancer } from '../../src/adapters/haproxy/load-balancer.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { type BalancerWorld, loadBalancerContract } from '../contracts/load-balancer.ts';
import { type Haproxy, startHaproxy } from '../support/haproxy.ts';
import { type MemberServer, startMemberServer } from '../support/member-server.ts';
import { occupy } from '../support/occupy.ts';
import { roll } from '../support/rolling.ts';

const POOL = 'web';
const { path, skip } = requireService('haproxy');
const signal = new AbortController().signal;

type World = BalancerWorld & { readonly haproxy: Haproxy; readonly servers: readonly MemberServer[] };

async function makeWorld(): Promise<World> {
  const servers = await Promise.all([1, 2, 3].map((n) => startMemberServer(`web-${n}`)));
  const haproxy = await startHaproxy({
    path: path ?? '',
    backends: { [POOL]: servers.map(({ name, port }) => ({ name, address: '127.0.0.1', port })) },
  });
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

loadBalancerContract('HAProxy', makeWorld, skip);

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

test('HAProxy: over TCP, the weight a server was found with is restored', {
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
    ? 'HAProxy: servers that are drained are replaced without a failed request'
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
