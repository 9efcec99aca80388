import assert from 'node:assert/strict';
import { access, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { MemberState } from '../../src/domain/balancer.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { startLoad } from '../../src/lab/load.ts';
import { loadBalancerContract, rejectsWith } from '../contracts/load-balancer.ts';
import { type NginxWorld, type NginxWorldOptions, openNginxWorld, POOL } from '../support/nginx-world.ts';
import { roll } from '../support/rolling.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const nginx = requireService('nginx');
const busybox = requireService('busybox');
const skip = sshd.skip ?? nginx.skip;
const signal = new AbortController().signal;

const open = (options: Partial<NginxWorldOptions> = {}): Promise<NginxWorld> =>
  openNginxWorld({
    nginxPath: nginx.path ?? '',
    sshdPath: sshd.path ?? '',
    network: '127.72.21',
    ...options,
  });

// Not on two hosts: on one machine each of them would see the connections of the other.
loadBalancerContract('nginx', open, skip);

type Body = (world: NginxWorld, first: string, t: TestContext) => Promise<void>;

function does(title: string, options: Partial<NginxWorldOptions>, body: Body): void {
  const without = skip ?? (options.shell === 'busybox' ? busybox.skip : undefined);
  test(`nginx: ${title}`, { skip: without ?? false }, async (t) => {
    const world = await open(options);
    try {
      await body(world, world.members[0] ?? '', t);
    } finally {
      await world.dispose();
    }
  });
}

async function stateOf({ balancer }: NginxWorld, member: string): Promise<MemberState | undefined> {
  return (await balancer.members(POOL, signal)).find((state) => state.member === member);
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof EdgeError && error.code === 'balancer_refused', String(error));
  return error.message;
}

/** No file of Edge's own is left beside the one that it changed. */
async function onlyTheFile({ nginxes }: NginxWorld): Promise<void> {
  for (const { file } of nginxes) assert.deepEqual(await readdir(dirname(file)), ['web.conf']);
}

const ODD = ([one, two, three]: readonly string[]): string => `# Größe: ½
map $uri $x { default '{'; }
upstream other { server 10.9.9.9:1; server ${one}; }
upstream web{
\tserver   ${one}\tweight=3  max_fails=0 ;# the big one
  server "${two}" backup
     fail_timeout=3s;
  server ${three} down; }`;

does(
  '«nginx is changed through its file, tested and reloaded over SSH»: the line of one server, put back byte for byte',
  { upstreams: ODD },
  async (world) => {
    const { balancer, nginxes, members } = world;
    const [{ read }] = nginxes;
    const before = await read();
    const [one = '', two = '', three = ''] = members;
    const found = await balancer.members(POOL, signal);
    assert.deepEqual(
      found.map(({ member, admin }) => [member, admin]),
      [
        [one, 'enabled'],
        [two, 'enabled'],
        [three, 'offline'],
      ],
    );
    await balancer.disable({ pool: POOL, member: one }, 'drained', signal);
    assert.equal(await read(), before.replace('max_fails=0 ;', 'max_fails=0 down ;'));
    await balancer.disable({ pool: POOL, member: two }, 'offline', signal);
    await balancer.disable({ pool: POOL, member: three }, 'offline', signal);
    assert.ok((await read()).includes('fail_timeout=3s down;'));
    for (const { member, asFound } of found) await balancer.restore({ pool: POOL, member }, asFound, signal);
    assert.equal(await read(), before);
    await onlyTheFile(world);
  },
);

does(
  'what somebody else made invalid in the file is refused, and stays as they left it',
  {},
  async (world, first) => {
    const [{ read, edit, url }] = world.nginxes;
    const good = await read();
    const bad = `${good}nonsense on;\n`;
    await edit(bad);
    const member = { pool: POOL, member: first };
    const message = await messageOf(world.balancer.disable(member, 'drained', signal));
    assert.match(message, /refuses the configuration.*unknown directive "nonsense"/s);
    assert.equal(await read(), bad);
    assert.equal((await fetch(url)).status, 200);
    await onlyTheFile(world);
    await edit(good);
    assert.equal((await world.balancer.disable(member, 'drained', signal)).admin, 'offline');
  },
);

does('what is invalid in another file stops a change as well', {}, async (world, first) => {
  const [one] = world.nginxes;
  const other = `${dirname(one.file)}/another.conf`;
  await writeFile(other, 'upstream broken { server 10.0.0.1:x; }\n');
  const before = await one.read();
  const message = await messageOf(world.balancer.disable({ pool: POOL, member: first }, 'drained', signal));
  assert.match(message, /another\.conf/);
  assert.equal(await one.read(), before);
  assert.equal((await stateOf(world, first))?.admin, 'enabled');
  await rm(other);
  assert.equal(
    (await world.balancer.disable({ pool: POOL, member: first }, 'drained', signal)).admin,
    'offline',
  );
});

does('a reload that fails, or that nginx does not take, is undone', {}, async (world, first) => {
  const [{ read }] = world.nginxes;
  const before = await read();
  const member = { pool: POOL, member: first };
  const failing = world.connect({ reload: ['sh', '-c', 'echo "no such process"; exit 1'] });
  assert.match(
    await messageOf(failing.disable(member, 'drained', signal)),
    /reload failed.*no such process/s,
  );
  assert.equal(await read(), before);
  const idle = world.connect({ reload: ['true'] });
  assert.match(await messageOf(idle.disable(member, 'drained', signal)), /did not take the configuration/);
  assert.equal(await read(), before);
  assert.equal((await stateOf(world, first))?.admin, 'enabled');
  await onlyTheFile(world);
});

does('a file that was changed and not loaded is not believed', {}, async (world, first) => {
  const [{ read, edit, reload }] = world.nginxes;
  await stateOf(world, first);
  // Written later than the workers started by more than the slack of the comparison.
  await until('the workers have run for a while', async () => (await runsForS(world)) > 7, 20_000);
  await edit((await read()).replace(`server ${first}`, `server ${first} down`));
  assert.match(await messageOf(world.balancer.members(POOL, signal)), /has not loaded it/);
  await reload();
  assert.equal((await stateOf(world, first))?.admin, 'offline');
});

async function runsForS({ nginxes: [{ workers }] }: NginxWorld): Promise<number> {
  const [pid] = await workers();
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const startedS = Number(stat.replace(/^.*\) /s, '').split(' ')[19]) / 100;
  return Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]) - startedS;
}

does('writers of several processes and people at once lose nothing of each other', {}, async (world) => {
  const { members, nginxes } = world;
  const [{ read, edit, reload }] = nginxes;
  const others = members.map(() => world.connect());
  await Promise.all(
    members.map((member, index) => others[index]?.disable({ pool: POOL, member }, 'offline', signal)),
  );
  assert.equal((await read()).match(/ down;/g)?.length, 3);
  await edit(`# by hand\n${await read()}`);
  await reload();
  for (const member of members)
    await world.balancer.restore({ pool: POOL, member }, { line: `server ${member};` }, signal);
  assert.match(await read(), /^# by hand\n/);
  assert.ok(!(await read()).includes('down'));
});

does('a write that has begun comes to its end when the connection is lost', {}, async (world, first) => {
  const [host] = world.fleet.hosts;
  const [{ config, read }] = world.nginxes;
  const mark = join(host?.home ?? '', 'testing');
  const script = `touch "$1"; while [ -e "$1" ]; do sleep 0.1; done; shift; exec "$@"`;
  const slow = world.connect({ test: ['sh', '-c', script, 'test', mark, ...config.test] });
  const writing = slow.disable({ pool: POOL, member: first }, 'drained', signal);
  await until('nginx is being asked', () =>
    access(mark).then(
      () => true,
      () => false,
    ),
  );
  await host?.killSessions();
  await rm(mark);
  assert.equal((await writing).admin, 'offline');
  assert.match(await read(), / down;/);
  await onlyTheFile(world);
});

does('what was found is put back only if it is a server of that name', {}, async (world, first) => {
  const member = { pool: POOL, member: first };
  const [{ read }] = world.nginxes;
  const before = await read();
  for (const line of [
    '',
    'server 10.0.0.1:1;',
    `server ${first}; server ${first}1;`,
    `server ${first}; } evil {`,
  ])
    await assert.rejects(world.balancer.restore(member, { line }, signal));
  assert.equal(await read(), before);
});

does(
  'a server or an upstream that is there twice is refused',
  {
    upstreams: ([one, two]) => `upstream web { server ${one}; server ${two}; server ${one} backup; }\n`,
  },
  async (world) => {
    assert.match(await messageOf(world.balancer.members(POOL, signal)), /twice/);
  },
);

does(
  'an nginx that belongs to another user is reached through sudo',
  {
    throughSudo: true,
  },
  async (world, first, t) => {
    if (world.fleet.sudoUser === undefined) return t.skip('only root can make the accounts');
    const member = { pool: POOL, member: first };
    const [found] = await world.balancer.members(POOL, signal);
    const [{ read, config }] = world.nginxes;
    const before = await read();
    assert.equal((await world.balancer.disable(member, 'drained', signal)).admin, 'offline');
    assert.equal((await world.balancer.restore(member, found?.asFound ?? {}, signal)).admin, 'enabled');
    assert.equal(await read(), before);
    const login = world.connect({ ...config, runAs: world.fleet.hosts[0]?.user ?? '' });
    await rejectsWith('balancer_refused', login.disable(member, 'drained', signal));
  },
);

does('an nginx that does not run is unreachable', {}, async (world) => {
  await world.nginxes[0].stop();
  await rejectsWith('balancer_unreachable', world.balancer.members(POOL, signal));
});

does(
  'connections are unknown, and not zero, while a worker of before may still send requests',
  {},
  async (world) => {
    const [one = '', two = ''] = world.members;
    const release = await world.occupy(one);
    await world.balancer.disable({ pool: POOL, member: two }, 'drained', signal);
    assert.equal((await stateOf(world, one))?.connections, 1);
    assert.equal((await stateOf(world, two))?.connections, undefined);
    release();
    await until('the worker of before has ended', async () => (await stateOf(world, two))?.connections === 0);
  },
);

does('on busybox it is the same', { shell: 'busybox' }, async (world, first) => {
  const { balancer, fleet } = world;
  // The busybox of Debian has none; that of Alpine does.
  await symlink('/usr/bin/flock', join(fleet.folder, 'bin', 'flock')).catch(() => undefined);
  const member = { pool: POOL, member: first };
  const [found] = await balancer.members(POOL, signal);
  assert.equal((await balancer.disable(member, 'drained', signal)).admin, 'offline');
  assert.equal((await balancer.restore(member, found?.asFound ?? {}, signal)).admin, 'enabled');
});

does(
  'two hosts that disagree show the member as enabled and not as serving',
  { hosts: 2 },
  async (world, first) => {
    const [one, two] = world.nginxes;
    const member = { pool: POOL, member: first };
    const [found] = await world.balancer.members(POOL, signal);
    await world.balancer.disable(member, 'drained', signal);
    for (const each of world.nginxes) assert.match(await each.read(), / down;/);
    await two?.edit((await one.read()).replaceAll(' down', ''));
    await two?.reload();
    const seen = await stateOf(world, first);
    assert.deepEqual([seen?.admin, seen?.health], ['enabled', 'checking']);
    assert.equal((await world.balancer.disable(member, 'drained', signal)).admin, 'offline');
    assert.equal((await world.balancer.restore(member, found?.asFound ?? {}, signal)).admin, 'enabled');
    for (const each of world.nginxes) assert.ok(!(await each.read()).includes('down'));
  },
);

does('two hosts whose upstreams have different servers are refused', { hosts: 2 }, async (world, first) => {
  const [, two] = world.nginxes;
  await two?.edit((await two.read()).replace(`  server ${first};\n`, ''));
  await two?.reload();
  const message = await messageOf(world.balancer.members(POOL, signal));
  assert.match(message, new RegExp(`has the member ${first} at 127.72.21.1, and not at 127.72.21.2`));
});

const KEEPALIVE = (members: readonly string[]): string =>
  `upstream web {\n${members.map((member) => `  server ${member} max_fails=0;\n`).join('')}  keepalive 16;\n}\n`;

for (const drain of [true, false])
  does(
    drain
      ? '«servers are replaced under load without a failed request» if they are drained, through both of two hosts'
      : 'servers that are not drained fail requests',
    { hosts: 2, upstreams: KEEPALIVE },
    async ({ balancer, servers, nginxes, memberOf }) => {
      const [one, two = one] = nginxes;
      const beside = startLoad({ url: two.url, ratePerS: 50, slow: { every: 10, path: '/slow?ms=100' } });
      const report = await roll({ balancer, pool: POOL, url: one.url, servers, memberOf, drain });
      const other = await beside.stop();
      const failed = report.failed + other.failed;
      assert.equal(failed === 0, drain, JSON.stringify([report.samples, other.samples]));
      assert.ok((other.byVersion.v2 ?? 0) > 0);
    },
  );
