import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireService } from '../../scripts/services.ts';
import { connect, exec, type Login, openExec } from '../../test/support/ssh-exec.ts';
import { until } from '../../test/support/until.ts';
import { SshHost } from './ssh-host.ts';
import { knownHostsLine, newKeyPair, writeIdentity } from './ssh-host-keys.ts';
import { processesOf } from './ssh-host-processes.ts';

const key = newKeyPair();
let folder: string;
let host: SshHost;
let login: Login;

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'edge-lab-')));
  host = await startHost('web-1');
  login = { address: host.address, port: host.port, user: host.user, privateKey: key.privateKey };
});

after(async () => {
  await host.stop();
  await rm(folder, { recursive: true });
});

const startHost = (name: string) =>
  SshHost.start({
    name,
    folder: join(folder, name),
    address: '127.0.0.1',
    port: 0,
    user: 'edge',
    clientKey: key.publicKey,
  });

function contentOf(file: string): string {
  const path = join(host.folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

test('a command runs in the folder of its host, with a clean environment and a group of its own', async () => {
  const client = await connect(login);
  const { stdout } = await exec(
    client,
    'pwd; echo "$HOME $USER"; env | cut -d= -f1 | sort | tr "\\n" " "; echo; ps -o pgid= -p $$ 2>/dev/null || cut -d" " -f5 /proc/$$/stat; echo $$',
  );
  client.end();
  const [cwd, home, names, group, pid] = stdout.toString().split('\n');
  assert.equal(cwd, host.folder);
  assert.equal(home, `${host.folder} edge`);
  assert.equal(names?.trim(), 'EDGE_LAB_HOST HOME LOGNAME PATH PWD SHELL USER');
  assert.equal(group?.trim(), pid);
});

test('exit status, exit signal and both outputs arrive', async () => {
  const client = await connect(login);
  const failed = await exec(client, 'echo out; echo err >&2; exit 3');
  const killed = await exec(client, 'kill -TERM $$');
  client.end();
  assert.deepEqual(
    [failed.code, failed.signal, failed.stdout.toString(), failed.stderr.toString()],
    [3, undefined, 'out\n', 'err\n'],
  );
  assert.deepEqual([killed.code, killed.signal], [null, 'SIGTERM']);
});

test('five megabytes of binary go through standard input and come back as they were', async () => {
  const client = await connect(login);
  const sent = randomBytes(5_000_000);
  const { code, stdout } = await exec(client, 'cat', sent);
  client.end();
  assert.equal(code, 0);
  assert.ok(stdout.equals(sent));
});

test('both outputs are exact when each has had to wait for a slow reader', async () => {
  const client = await connect(login);
  const channel = await openExec(
    client,
    'for i in 1 2 3; do head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; done; echo end; echo end >&2',
  );
  // Nothing is read until the window of the channel is used up.
  await sleep(300);
  const [stdout, stderr] = await Promise.all([buffer(channel), buffer(channel.stderr)]);
  client.end();
  assert.equal(stdout.length, 9_000_004);
  assert.equal(stderr.length, 9_000_004);
  assert.equal(stdout.subarray(-4).toString(), 'end\n');
  assert.equal(stderr.subarray(-4).toString(), 'end\n');
});

test('a command that does not read its input still ends', async () => {
  const client = await connect(login);
  const { code } = await exec(client, 'exec <&-; exit 7', randomBytes(8_000_000));
  client.end();
  assert.equal(code, 7);
});

test('the channel stays open until nobody holds its output, as with sshd', async () => {
  const client = await connect(login);
  const { code, stdout } = await exec(client, '{ sleep 0.3; echo late; } & echo early');
  client.end();
  assert.deepEqual([code, stdout.toString()], [0, 'early\nlate\n']);
});

test('another key, another user and a password are refused', async () => {
  await assert.rejects(
    connect({ ...login, privateKey: newKeyPair().privateKey }),
    /authentication methods failed/,
  );
  await assert.rejects(connect({ ...login, user: 'root' }), /authentication methods failed/);
  const { Client } = (await import('ssh2')).default;
  const client = new Client();
  client.connect({ host: login.address, port: login.port, username: 'edge', password: 'edge' });
  await assert.rejects(once(client, 'ready'), /authentication methods failed/);
});

test('a command goes on when its connection is cut, with its input closed', async () => {
  const client = await connect(login);
  const channel = await openExec(client, 'cat >input; trap "" PIPE; sleep 0.2; echo $$ >survived');
  channel.write('half a line');
  await until('its input arrived', () => contentOf('input') === 'half a line');
  assert.equal(host.cutConnections(), 1);
  await until('it went on', () => existsSync(join(host.folder, 'survived')));
  assert.equal(contentOf('input'), 'half a line');
});

test('a signal from the client reaches the whole process group', async () => {
  const client = await connect(login);
  const channel = await openExec(
    client,
    'trap "echo caught; exit 5" TERM; echo ready; while :; do sleep 0.05; done',
  );
  const exited = once(channel, 'exit');
  await once(channel, 'data');
  channel.signal('TERM');
  channel.resume();
  const [code] = await exited;
  client.end();
  assert.equal(code, 5);
});

test('at most ten commands run on one connection, as with sshd', async () => {
  const client = await connect(login);
  const channels = await Promise.all(Array.from({ length: 10 }, () => openExec(client, 'cat')));
  await assert.rejects(openExec(client, 'true'), /Channel open failure/);
  for (const channel of channels) channel.end().resume();
  await Promise.all(channels.map((channel) => once(channel, 'close')));
  const { code } = await exec(client, 'true');
  client.end();
  assert.equal(code, 0);
});

test('there is no sudo, and it says why', async () => {
  const client = await connect(login);
  const { code, stderr } = await exec(client, 'sudo -n true');
  client.end();
  assert.equal(code, 1);
  assert.match(stderr.toString(), /the lab has no sudo/);
});

test('forwarding, terminals, shells and SFTP are refused', async () => {
  const client = await connect(login);
  await assert.rejects(
    new Promise((resolve, reject) => client.sftp((e, sftp) => (e ? reject(e) : resolve(sftp)))),
  );
  await assert.rejects(
    new Promise((resolve, reject) => client.shell((e, shell) => (e ? reject(e) : resolve(shell)))),
  );
  await assert.rejects(
    new Promise((resolve, reject) =>
      client.forwardOut('127.0.0.1', 1, '127.0.0.1', 22, (e, forwarded) =>
        e ? reject(e) : resolve(forwarded),
      ),
    ),
  );
  client.end();
});

test('stop leaves no process, not even one that left its session and ignores TERM', {
  skip: process.platform !== 'linux',
}, async () => {
  const stopped = await startHost('web-2');
  const client = await connect({ ...login, port: stopped.port });
  await exec(
    client,
    'setsid sh -c \'trap "" TERM HUP; while :; do sleep 1; done\' >/dev/null 2>&1 </dev/null & sleep 100 >/dev/null 2>&1 </dev/null &',
  );
  await until('all run', () => processesOf(stopped.folder).length >= 3);
  await stopped.stop();
  assert.deepEqual(processesOf(stopped.folder), []);
});

test('a host ends what an earlier lab left in its folder', {
  skip: process.platform !== 'linux',
}, async () => {
  const first = await startHost('web-3');
  const client = await connect({ ...login, port: first.port });
  await exec(client, 'sleep 100 >/dev/null 2>&1 </dev/null &');
  assert.equal(processesOf(first.folder).length, 1);
  const second = await startHost('web-3');
  assert.deepEqual(processesOf(first.folder), []);
  await Promise.all([first.stop(), second.stop()]);
});

test('the client of OpenSSH logs in, checks the host key and gets exact output', {
  skip: requireService('sshd').skip,
}, async () => {
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, knownHostsLine(host));
  const { spawn } = await import('node:child_process');
  const identity = await writeIdentity(folder, key);
  const options = [
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    `UserKnownHostsFile=${knownHosts}`,
  ];
  const args = [
    '-F',
    'none',
    '-p',
    String(host.port),
    '-i',
    identity,
    ...options.flatMap((option) => ['-o', option]),
  ];
  const child = spawn('ssh', [...args, `edge@${host.address}`, 'exec sh -s']);
  child.stdin.end('head -c 1000000 /dev/zero; exit 9\n');
  const exited = once(child, 'exit');
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  const [code] = await exited;
  assert.equal(code, 9, stderr.toString());
  assert.equal(stdout.length, 1_000_000);
});
