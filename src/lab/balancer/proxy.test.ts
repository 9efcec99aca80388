import assert from 'node:assert/strict';
import { Agent, get, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, test } from 'node:test';
import { type MemberServer, startMemberServer } from '../../../test/support/member-server.ts';
import { until } from '../../../test/support/until.ts';
import { type LabBalancer, startLabBalancer } from './lab-balancer.ts';
import type { VirtualSettings } from './proxy.ts';

const POOL = '/Common/web';
const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

test('spreads requests round robin over the members that are up', async () => {
  const { lab } = await world(3);
  const seen = await Promise.all([1, 2, 3, 4, 5, 6].map(() => ask(lab.virtualUrl(POOL))));
  assert.deepEqual(tally(seen), { 'web-1': 2, 'web-2': 2, 'web-3': 2 });
});

test('gives a disabled member nothing new and lets what it has finish', async () => {
  const { lab, servers } = await world(2);
  const [first] = servers;
  assert.ok(first);
  first.holding = true;
  const long = holdOne(lab, first);
  await until('the request is held', () => first.held === 1);
  lab.faults.editByHand(POOL, 'web-1:80', { disabled: true });
  const others = await Promise.all([1, 2, 3].map(() => ask(lab.virtualUrl(POOL))));
  assert.deepEqual(tally(others), { 'web-2': 3 });
  assert.equal(connections(lab, 'web-1:80'), 1);
  first.release();
  assert.equal((await long).status, 200);
  await until('nothing is in flight', () => connections(lab, 'web-1:80') === 0);
});

test('answers 503 and counts it when no member is in service', async () => {
  const { lab } = await world(1);
  lab.faults.editByHand(POOL, 'web-1:80', { disabled: true });
  const answer = await ask(lab.virtualUrl(POOL));
  assert.equal(answer.status, 503);
  assert.equal(answer.reason, 'no member is in service');
  assert.equal(lab.counters(POOL).noMember, 1);
});

test('does not retry: a member that dies under a request fails it', async () => {
  const { lab, servers } = await world(2);
  const [first] = servers;
  assert.ok(first);
  first.holding = true;
  const long = holdOne(lab, first);
  await until('the request is held', () => first.held === 1);
  await first.kill();
  assert.equal((await long).status, 502);
  assert.equal(lab.counters(POOL).memberFailed, 1);
  assert.equal(connections(lab, 'web-1:80'), 0);
});

test('counts a client that goes away apart, and its request once', async () => {
  const { lab, servers } = await world(1);
  const [only] = servers;
  assert.ok(only);
  only.holding = true;
  const client = get(`${lab.virtualUrl(POOL)}/hold`);
  client.on('error', () => {});
  await until('the request is held', () => only.held === 1);
  // A reset: a mere FIN could be a client that still waits for its answer.
  client.socket?.resetAndDestroy();
  await until('the abort is counted', () => lab.counters(POOL).clientAborted === 1);
  assert.equal(connections(lab, 'web-1:80'), 0);
  assert.equal(lab.counters(POOL).memberFailed, 0);
});

test('takes a member out when its monitor fails, and back when it passes', async () => {
  const { lab, servers } = await world(2);
  const [first] = servers;
  assert.ok(first);
  first.healthy = false;
  await lab.lookNow();
  await lab.lookNow();
  assert.deepEqual(tally(await Promise.all([1, 2].map(() => ask(lab.virtualUrl(POOL))))), { 'web-2': 2 });
  first.healthy = true;
  await lab.lookNow();
  assert.deepEqual(tally(await Promise.all([1, 2].map(() => ask(lab.virtualUrl(POOL))))), {
    'web-1': 1,
    'web-2': 1,
  });
});

test('a disabled member still gets a client with its cookie, a member forced offline does not', async () => {
  const { lab } = await world(2, { persistence: { cookie: 'lab' } });
  const first = await ask(lab.virtualUrl(POOL));
  const cookie = first.cookie?.split(';')[0] ?? '';
  lab.faults.editByHand(POOL, `${first.member}:80`, { disabled: true });
  assert.equal((await ask(lab.virtualUrl(POOL), { headers: { cookie } })).member, first.member);
  lab.faults.editByHand(POOL, `${first.member}:80`, { forcedDown: true });
  assert.notEqual((await ask(lab.virtualUrl(POOL), { headers: { cookie } })).member, first.member);
});

test('a lower priority group gets traffic only while too few of the higher one are available', async () => {
  const { lab } = await world(3, {}, { minActiveMembers: 2, groups: [10, 10, 5] });
  const asked = () => Promise.all([1, 2, 3, 4].map(() => ask(lab.virtualUrl(POOL))));
  assert.deepEqual(tally(await asked()), { 'web-1': 2, 'web-2': 2 });
  lab.faults.editByHand(POOL, 'web-1:80', { disabled: true });
  assert.deepEqual(tally(await asked()), { 'web-2': 2, 'web-3': 2 });
});

test('a disabled node gets nothing new, and one that is forced offline not even persistent clients', async () => {
  const { lab } = await world(2, { persistence: { cookie: 'lab' } });
  const first = await ask(lab.virtualUrl(POOL));
  const cookie = first.cookie?.split(';')[0] ?? '';
  lab.faults.editNode(first.member, 'disabled');
  assert.notEqual((await ask(lab.virtualUrl(POOL))).member, first.member);
  assert.equal((await ask(lab.virtualUrl(POOL), { headers: { cookie } })).member, first.member);
  lab.faults.editNode(first.member, 'forcedDown');
  assert.notEqual((await ask(lab.virtualUrl(POOL), { headers: { cookie } })).member, first.member);
});

test('per connection: a keep-alive client stays with its member, even disabled, until it hangs up', async () => {
  const { lab } = await world(2, { perConnection: true });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  open.push(() => agent.destroy());
  const first = await ask(lab.virtualUrl(POOL), { agent });
  lab.faults.editByHand(POOL, `${first.member}:80`, { disabled: true, forcedDown: true });
  assert.equal((await ask(lab.virtualUrl(POOL), { agent })).member, first.member);
  assert.equal(connections(lab, `${first.member}:80`), 1);
  agent.destroy();
  await until('the connection is gone', () => connections(lab, `${first.member}:80`) === 0);
});

test('per connection: a client leaves a member that hangs up', async () => {
  const { lab, servers } = await world(2, { perConnection: true });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  open.push(() => agent.destroy());
  const first = await ask(lab.virtualUrl(POOL), { agent });
  lab.faults.editByHand(POOL, `${first.member}:80`, { disabled: true });
  for (const server of servers) server.hangingUp = true;
  assert.equal((await ask(lab.virtualUrl(POOL), { agent })).member, first.member);
  assert.notEqual((await ask(lab.virtualUrl(POOL), { agent })).member, first.member);
});

test('strips the fields that belong to one connection, and answers a half-closed client', async () => {
  const { lab, servers } = await world(1);
  const raw = await new Promise<string>((resolve) => {
    const url = new URL(lab.virtualUrl(POOL));
    const socket = connect(Number(url.port), url.hostname);
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('end', () => resolve(text));
    socket.end('GET / HTTP/1.1\r\nhost: web\r\nconnection: close, x-mine\r\nx-mine: 1\r\n\r\n');
  });
  assert.match(raw, /^HTTP\/1\.1 200 OK/);
  assert.match(raw, /x-member: web-1/);
  assert.equal(servers[0]?.lastHeaders['x-mine'], undefined);
  assert.equal(servers[0]?.lastHeaders.host, 'web');
});

test('carries a body both ways', async () => {
  const { lab, servers } = await world(1);
  const body = await new Promise<string>((resolve, reject) => {
    const post = request(`${lab.virtualUrl(POOL)}/`, { method: 'POST' }, (answer) => resolve(text(answer)));
    post.on('error', reject);
    post.end('x'.repeat(100_000));
  });
  assert.equal(body, 'web-1 v1\n');
  assert.equal(servers[0]?.requests, 1);
});

type Groups = { readonly minActiveMembers: number; readonly groups: readonly number[] };

async function world(count: number, virtual: VirtualSettings = {}, groups?: Groups) {
  const servers = await Promise.all(
    Array.from({ length: count }, (_, i) => startMemberServer(`web-${i + 1}`)),
  );
  const lab = await startLabBalancer({
    users: [],
    pools: [
      {
        name: POOL,
        minActiveMembers: groups?.minActiveMembers ?? 0,
        members: servers.map((server, at) => ({
          name: `${server.name}:80`,
          connect: { host: '127.0.0.1', port: server.port },
          priorityGroup: groups?.groups[at] ?? 0,
        })),
        monitor: { path: '/health', intervalMs: 60_000, timeoutMs: 5_000, fall: 2 },
        virtual,
      },
    ],
  });
  open.push(() => lab.close(), ...servers.map((server) => () => server.kill()));
  return { lab, servers };
}

type Answer = { status: number; member: string; cookie: string | undefined; reason: string };

async function ask(
  url: string,
  options: { headers?: Record<string, string>; agent?: Agent } = {},
): Promise<Answer> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false, ...options }, resolve).on('error', reject);
  });
  await text(answer);
  return {
    status: answer.statusCode ?? 0,
    member: String(answer.headers['x-member']),
    cookie: answer.headers['set-cookie']?.[0],
    reason: String(answer.headers['x-lab-balancer']),
  };
}

async function text(answer: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of answer) body += String(chunk);
  return body;
}

/** Sends requests to `/hold` until one waits at the server; resolves when that one is answered. */
async function holdOne(lab: LabBalancer, server: MemberServer): Promise<Answer> {
  for (;;) {
    const waiting = ask(`${lab.virtualUrl(POOL)}/hold`);
    const held = until('held', () => server.held > 0).then(() => 'held' as const);
    const first = await Promise.race([waiting, held]);
    if (first === 'held') return waiting;
    held.catch(() => {});
    if (server.held > 0) return waiting;
  }
}

const connections = (lab: LabBalancer, name: string): number | undefined =>
  lab.members(POOL).find((member) => member.name === name)?.connections;

function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { member } of answers) counts[member] = (counts[member] ?? 0) + 1;
  return counts;
}
