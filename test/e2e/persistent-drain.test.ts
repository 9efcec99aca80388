import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { bindAction } from '../../src/actions/define.ts';
import { createHaproxyBalancer } from '../../src/adapters/haproxy/load-balancer.ts';
import { deploymentId, taskId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { balancerDrain } from '../../src/platforms/datacenter/balancer-drain.ts';
import type { LoadBalancer } from '../../src/ports/load-balancer.ts';
import { realClock } from '../support/clock.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { LAB_POOL, startPairDevice } from '../support/lab-device.ts';
import { type MemberServer, startMemberServer } from '../support/member-server.ts';
import { until } from '../support/until.ts';

const { path, skip = false } = requireService('haproxy');
const signal = new AbortController().signal;

type World = {
  readonly balancer: LoadBalancer;
  readonly pool: string;
  readonly url: string;
  readonly servers: readonly MemberServer[];
  readonly memberOf: (server: MemberServer) => string;
  close(): Promise<void>;
};

async function haproxyWorld(): Promise<World> {
  const servers = await Promise.all([1, 2].map((n) => startMemberServer(`web-${n}`)));
  const web = servers.map(({ name, port }) => ({ name, address: '127.0.0.1', port }));
  const haproxy = await startHaproxy({ path: path ?? '', backends: { web }, cookie: 'srv' });
  return {
    balancer: createHaproxyBalancer({ socket: haproxy.socket }),
    ...{ pool: 'web', url: haproxy.url('web'), servers, memberOf: ({ name }) => name },
    close: async () => {
      await haproxy.stop();
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
}

async function f5World(): Promise<World> {
  const device = await startPairDevice({ pool: { virtual: { persistence: { cookie: 'srv' } } } });
  return {
    balancer: device.balancer,
    ...{ pool: LAB_POOL, url: device.lab.virtualUrl(LAB_POOL), servers: device.servers },
    memberOf: ({ name }) => `${name}:80`,
    close: () => device.dispose(),
  };
}

type Answer = { readonly status: number; readonly member: string; readonly cookie: string };

async function ask(url: string, cookie = ''): Promise<Answer> {
  const answer = await fetch(url, { headers: cookie === '' ? {} : { cookie } });
  await answer.text();
  const set = answer.headers.get('set-cookie')?.split(';')[0];
  return { status: answer.status, member: answer.headers.get('x-member') ?? '', cookie: set ?? cookie };
}

/** A drain as a worker runs it, on the real clock. */
async function drain(world: World, balancer: LoadBalancer, member: string): Promise<Outcome> {
  const key = { deployment: deploymentId('d'), target: 0, step: 0, group: 0 };
  const began = realClock.monotonicMs();
  const inputs = {
    members: [{ balancer: 'lb', pool: world.pool, member }],
    balancers: { lb: { kind: 'haproxy', socket: '/not/asked' } },
    timeoutMs: 60_000,
    // biome-ignore lint/suspicious/noThenProperty: the word of the strategy; nothing awaits these inputs
    then: 'stop',
  };
  const nobody = () => Promise.reject(new Error('not asked'));
  const handler = bindAction(balancerDrain, {
    balancer: async () => balancer,
    statistics: nobody,
    metrics: nobody,
    clock: realClock,
    hosts: { run: nobody, status: nobody, cancel: nobody, upload: nobody, forget: nobody, facts: nobody },
    probe: { http: nobody, tcp: nobody },
    secrets: { resolve: nobody },
    artifacts: { hold: nobody },
  });
  let checkpoint = null;
  for (;;) {
    const outcome = await handler.apply({
      ...{
        task: taskId(key),
        deployment: key.deployment,
        target: 't',
        step: 's',
        attempt: 1,
        epoch: 1,
        group: 0,
      },
      ...{ inputs, checkpoint, saveCheckpoint: async () => {}, output: async () => {}, progress: () => {} },
      ...{ signal, lost: signal, requireLease: () => signal.throwIfAborted() },
      ...{ remainingMs: () => 120_000 - (realClock.monotonicMs() - began) },
    });
    if (outcome.kind !== 'wait') return outcome;
    checkpoint = outcome.checkpoint;
  }
}

/** Calls through, and does something first when a member is about to go offline. */
const withBefore = (balancer: LoadBalancer, beforeOffline: () => Promise<void>): LoadBalancer => ({
  members: (pool, s) => balancer.members(pool, s),
  disable: async (member, to, s) => {
    if (to === 'offline') await beforeOffline();
    return balancer.disable(member, to, s);
  },
  restore: (member, asFound, s) => balancer.restore(member, asFound, s),
  close: () => balancer.close(),
});

async function persistentClient(title: string, make: () => Promise<World>): Promise<void> {
  const world = await make();
  const { balancer, pool, url, servers } = world;
  const first = await ask(url);
  const server = servers.find(({ name }) => name === first.member);
  assert.ok(server, title);
  const member = { pool, member: world.memberOf(server) };
  const stateNow = async () =>
    (await balancer.members(pool, signal)).find((state) => state.member === member.member);
  await until('the member is up', async () => (await stateNow())?.health === 'up');
  const found = await stateNow();

  // Drained by hand: the client that the balancer remembers still comes.
  await balancer.disable(member, 'drained', signal);
  assert.equal((await ask(url, first.cookie)).member, server.name);

  // It comes once more in the very moment in which the member goes offline, and its request takes long.
  server.holding = true;
  let late: Promise<Answer> | undefined;
  let isDone = false;
  const arrives = async (): Promise<void> => {
    late = ask(`${url}/hold`, first.cookie);
    await until('its request is held', () => server.held === 1);
  };
  const draining = drain(world, withBefore(balancer, arrives), member.member).then((outcome) => {
    isDone = true;
    return outcome;
  });
  await until('the member is offline', async () => (await stateNow())?.admin === 'offline');
  assert.equal((await stateNow())?.connections, 1);
  const moved = await ask(url, first.cookie);
  assert.deepEqual([moved.status, moved.member === server.name], [200, false]);
  assert.equal(isDone, false);
  server.holding = false;
  server.release();
  const answered = await late;
  assert.deepEqual([answered?.status, answered?.member], [200, server.name]);
  const outcome = await draining;
  assert.equal(outcome.kind, 'done');

  assert.equal((await balancer.restore(member, found?.asFound ?? {}, signal)).admin, 'enabled');
  await until('the member is up again', async () => (await stateNow())?.health === 'up');
  assert.deepEqual((await stateNow())?.asFound, found?.asFound);
  assert.equal((await ask(url, first.cookie)).member, server.name);
  await world.close();
}

test('behind an F5 pair, «clients that the balancer remembers are moved, and never cut off»', () =>
  persistentClient('F5', f5World));

test('behind HAProxy, «clients that the balancer remembers are moved, and never cut off»', { skip }, () =>
  persistentClient('HAProxy', haproxyWorld),
);
