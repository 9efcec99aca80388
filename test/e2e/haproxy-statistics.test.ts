import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createHaproxyStatistics } from '../../src/adapters/haproxy/statistics.ts';
import { trafficBetween } from '../../src/domain/traffic.ts';
import {
  countsOf,
  readingOf,
  type StatisticsWorld,
  trafficStatisticsContract,
} from '../contracts/traffic-statistics.ts';
import { realClock } from '../support/clock.ts';
import { type Haproxy, type HaproxySettings, startHaproxy } from '../support/haproxy.ts';
import { type MemberServer, startMemberServer } from '../support/member-server.ts';
import { ask } from '../support/observer.ts';
import { perTest } from '../support/per-test.ts';

const POOL = 'web';
const COOKIE = 'member';
const { path = '', skip } = requireService('haproxy');
const signal = new AbortController().signal;

type World = StatisticsWorld & {
  readonly instances: readonly Haproxy[];
  readonly servers: readonly MemberServer[];
};

const haproxyFor = (servers: readonly MemberServer[], settings: Partial<HaproxySettings>): Promise<Haproxy> =>
  startHaproxy({
    ...{ path, cookie: COOKIE },
    backends: { [POOL]: servers.map(({ name, port }) => ({ name, address: '127.0.0.1', port })) },
    ...settings,
  });

/** A cookie leads to the member, and the connection is a fresh one. How it ends is the counters' to say. */
function request(haproxy: Haproxy, member: string, page: string): Promise<void> {
  const headers = { cookie: `${COOKIE}=${member}` };
  return new Promise((resolve) => {
    get(`${haproxy.url(POOL)}${page}`, { agent: false, headers }, (answer) => answer.resume())
      .on('error', () => resolve())
      .on('close', resolve);
  });
}

async function makeWorld(count = 1, settings: Partial<HaproxySettings> = {}): Promise<World> {
  const servers = await Promise.all(['web-1', 'web-2'].map((name) => startMemberServer(name)));
  const instances = await Promise.all(Array.from({ length: count }, () => haproxyFor(servers, settings)));
  const statistics = createHaproxyStatistics({ sockets: instances.map(({ socket }) => socket) }, realClock);
  const members = servers.map(({ name }) => name);
  // It was asked whether it serves.
  for (const { socket } of instances) await ask(socket, 'clear counters all');
  return {
    ...{ statistics, pool: POOL, members, instances, servers },
    serve: async (member, well, badly) => {
      const pages = [...Array(well).fill('/'), ...Array(badly).fill('/fail')];
      for (const [at, page] of pages.entries()) {
        const haproxy = instances[at % count];
        assert.ok(haproxy);
        await request(haproxy, member, page);
      }
    },
    restart: async () => {
      for (const haproxy of instances) await haproxy.reload();
    },
    vanish: async () => {
      await Promise.all(instances.map((haproxy) => haproxy.stop()));
    },
    dispose: async () => {
      await Promise.all(instances.map((haproxy) => haproxy.stop()));
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
}

trafficStatisticsContract('statistics of HAProxy', () => makeWorld(), skip);
trafficStatisticsContract('statistics of two HAProxy', () => makeWorld(2), skip);

const start = perTest(makeWorld);
const does = (title: string, body: () => Promise<void>): void => {
  test(`statistics of HAProxy: ${title}`, { skip: skip ?? false }, body);
};

does('an answer that never comes, and a server that is gone, are errors of that server', async () => {
  const world = await start(1, { checkMs: 60_000 });
  const [haproxy] = world.instances;
  assert.ok(haproxy);
  const before = await readingOf(world);
  await request(haproxy, 'web-1', '/cut');
  await world.servers[1]?.kill();
  await request(haproxy, 'web-2', '/');
  assert.deepEqual(countsOf(before, await readingOf(world)), {
    'web-1': { requests: 1, errors: 1 },
    'web-2': { requests: 1, errors: 1 },
  });
});

does('a request that another server had to answer is an error of the one that failed', async () => {
  const retries = ['retries 2', 'option redispatch', 'retry-on 500 conn-failure'];
  const world = await start(1, { checkMs: 60_000, cookie: undefined, retries });
  const [haproxy] = world.instances;
  assert.ok(haproxy);
  await world.servers[0]?.kill();
  const before = await readingOf(world);
  for (let at = 0; at < 4; at += 1) await request(haproxy, 'web-1', '/');
  const counts = countsOf(before, await readingOf(world));
  assert.ok(counts['web-1'] && counts['web-1'].requests > 0);
  assert.equal(counts['web-1'].errors, counts['web-1'].requests);
  assert.deepEqual(counts['web-2'], { requests: 4, errors: 0 });
});

does('where one of two says nothing, the other counts, and the step is a part', async () => {
  const world = await start(2);
  const [first, second] = world.instances;
  assert.ok(first && second);
  const before = await readingOf(world);
  await request(first, 'web-1', '/');
  await request(second, 'web-1', '/');
  await second.stop();
  const after = await readingOf(world);
  assert.deepEqual(countsOf(before, after)['web-1'], { requests: 1, errors: 0 });
  const { missing } = trafficBetween(before, after);
  assert.equal(missing.length, 1);
  assert.ok(missing[0]?.includes(second.socket), String(missing));
});

does('counters that a person has set to zero leave a gap', async () => {
  const world = await start();
  const [haproxy] = world.instances;
  assert.ok(haproxy);
  await world.serve('web-1', 3, 0);
  const before = await readingOf(world);
  await ask(haproxy.socket, 'clear counters all');
  await world.serve('web-1', 1, 0);
  assert.deepEqual(trafficBetween(before, await readingOf(world)).members, []);
});

does('a socket over TCP of a lower level is enough', async () => {
  const world = await start();
  const [haproxy] = world.instances;
  assert.ok(haproxy);
  const statistics = createHaproxyStatistics({ sockets: [haproxy.operatorSocket] }, realClock);
  const before = await readingOf({ ...world, statistics });
  await world.serve('web-2', 1, 1);
  const after = await readingOf({ ...world, statistics });
  assert.deepEqual(countsOf(before, after)['web-2'], { requests: 2, errors: 1 });
});

does('a backend in TCP mode counts no errors, which is unknown', async () => {
  const world = await start(1, { mode: 'tcp', cookie: undefined });
  const answer = await world.statistics.read(world, signal);
  assert.ok(answer.kind === 'unknown', answer.kind);
  assert.match(answer.why, /TCP mode/);
});

does('a name that HAProxy cannot have is asked of nobody', async () => {
  const world = await start();
  await assert.rejects(world.statistics.read({ ...world, pool: 'web;show info' }, signal), /is not a name/);
});
