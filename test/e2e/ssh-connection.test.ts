import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { requireService } from '../../scripts/services.ts';
import { createSshHosts, type SshHostsOptions } from '../../src/adapters/ssh/ssh-hosts.ts';
import type { EdgeError } from '../../src/domain/errors.ts';
import { remoteTaskId } from '../../src/domain/ids.ts';
import { sha256 } from '../../src/lib/hash.ts';
import type { HostAddress, Hosts, RemoteStatus, RemoteTask } from '../../src/ports/hosts.ts';
import { realClock } from '../support/clock.ts';
import { connect, loginOf } from '../support/ssh-exec.ts';
import { addressOf, PATIENT } from '../support/ssh-world.ts';
import { type Sshd, type SshdFleet, startSshdFleet } from '../support/sshd.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');
const AT_ONCE = { firstMs: 10, factor: 2, maxMs: 100, giveUpAfterMs: 300 };

const TRANSPORTS = [
  { name: 'by the library', network: '127.72', how: {} },
  { name: "by the system's client", network: '127.75', how: { transport: 'openssh' } },
] as const;

for (const { name, network, how } of TRANSPORTS) connections(name, network, how);

function connections(name: string, network: string, how: Partial<HostAddress>): void {
  describe(`SSH connections to real OpenSSH ${name}`, { skip }, () => {
    let fleet: SshdFleet;
    let strict: SshdFleet;
    let forced: SshdFleet;
    let talking: SshdFleet;
    let talkative: Sshd;
    let sshd: Sshd;
    const opened: { close(): Promise<void> }[] = [];

    before(async () => {
      fleet = await startSshdFleet({
        count: 2,
        sshdPath,
        network: `${network}.1`,
        config: ['LogLevel VERBOSE'],
      });
      strict = await startSshdFleet({
        count: 1,
        sshdPath,
        network: `${network}.2`,
        config: ['MaxSessions 2'],
      });
      forced = await startSshdFleet({
        count: 1,
        sshdPath,
        network: `${network}.3`,
        config: ['ForceCommand echo no shell today >&2'],
      });
      talking = await startSshdFleet({
        count: 1,
        sshdPath,
        network: `${network}.4`,
        config: ['LogLevel DEBUG2'],
      });
      talkative = first(talking.hosts);
      sshd = first(fleet.hosts);
    });
    after(async () => {
      await Promise.all(opened.map((hosts) => hosts.close()));
      await Promise.all([fleet, strict, forced, talking].map((each) => each.stop()));
    });

    function hostsWith(options: Partial<SshHostsOptions> = {}): Hosts {
      const hosts = createSshHosts({
        ...{ clock: realClock, random: Math.random, retry: AT_ONCE, times: PATIENT },
        ...options,
      });
      opened.push(hosts);
      return hosts;
    }

    const at = (host: Sshd, port = host.port): HostAddress => ({ ...addressOf(host, port), ...how });
    const addressWith = (more: Partial<HostAddress>): HostAddress => ({ ...at(sshd), ...more });

    async function knownHostsWith(text: string): Promise<HostAddress['hostKey']> {
      const knownHosts = join(fleet.folder, `known-${randomBytes(4).toString('hex')}`);
      await writeFile(knownHosts, text);
      return { knownHosts };
    }

    const refusal = (address: HostAddress) =>
      hostsWith()
        .facts(address)
        .then(
          () => 'none',
          (error) => error.code,
        );

    test('a host that is in the known_hosts file is trusted', async () => {
      const text = await readFile(sshd.knownHosts, 'utf8');
      assert.equal(await refusal(addressWith({ hostKey: await knownHostsWith(text) })), 'none');
    });

    test('a host is trusted by the one of its keys that is known, of whatever type', async () => {
      const text = (await readFile(sshd.knownHosts, 'utf8'))
        .split('\n')
        .filter((line) => line.includes('ecdsa'));
      assert.equal(await refusal(addressWith({ hostKey: await knownHostsWith(text.join('\n')) })), 'none');
    });

    test('a name that ssh-keygen has hashed is known', async () => {
      const hostKey = await knownHostsWith(await readFile(sshd.knownHosts, 'utf8'));
      const file = 'knownHosts' in hostKey ? String(hostKey.knownHosts) : '';
      execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
      assert.match(await readFile(file, 'utf8'), /^\|1\|/);
      assert.equal(await refusal(addressWith({ hostKey })), 'none');
    });

    test('a host without a known key is refused', async () => {
      assert.equal(
        await refusal(addressWith({ hostKey: await knownHostsWith('# nobody\n') })),
        'host_key_unknown',
      );
      assert.equal(
        await refusal(addressWith({ hostKey: { knownHosts: '/nonexistent' } })),
        'host_key_unknown',
      );
    });

    test('a revoked key is refused', async () => {
      const text = (await readFile(sshd.knownHosts, 'utf8')).replaceAll(/^(?=.)/gm, '@revoked ');
      assert.equal(await refusal(addressWith({ hostKey: await knownHostsWith(text) })), 'host_key_mismatch');
    });

    test('a host with another key than the known one sees no credential', async () => {
      const other = fleet.hosts[1] ?? sshd;
      const before = (await readFile(sshd.logFile, 'utf8')).length;
      assert.equal(
        await refusal(addressWith({ hostKey: { fingerprint: other.fingerprint } })),
        'host_key_mismatch',
      );
      await wait(200);
      const log = (await readFile(sshd.logFile, 'utf8')).slice(before);
      assert.match(log, /Connection (from|closed)/);
      assert.doesNotMatch(log, /user edge-test|publickey|Accepted|Postponed/);
    });

    test('the error of a swapped key names both keys and the host', async () => {
      const fingerprint = `SHA256:${'A'.repeat(43)}`;
      await assert.rejects(hostsWith().facts(addressWith({ hostKey: { fingerprint } })), (error: Error) =>
        [fingerprint, sshd.fingerprint, `${sshd.address}:${sshd.port}`].every((text) =>
          error.message.includes(text),
        ),
      );
    });

    test('a key that the host does not know is refused', async () => {
      const identityFile = join(fleet.folder, 'stranger');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', identityFile]);
      assert.equal(await refusal(addressWith({ identityFile })), 'host_auth_refused');
    });

    test('a private key that cannot be read or used is named', async () => {
      assert.equal(await refusal(addressWith({ identityFile: '/nonexistent' })), 'host_auth_refused');
      assert.equal(await refusal(addressWith({ identityFile: sshd.knownHosts })), 'host_auth_refused');
    });

    test('a host on which nothing listens is unreachable', async () => {
      assert.equal(await refusal(addressWith({ address: `${network}.9.9` })), 'host_unreachable');
    });

    test('a host that accepts and says nothing is unreachable at the deadline', async () => {
      const server = createServer(() => undefined).listen(0, `${network}.1.250`);
      await once(server, 'listening');
      const bound = server.address();
      const port = typeof bound === 'object' && bound ? bound.port : 0;
      const hosts = hostsWith({ times: { connectMs: 300, keepaliveMs: 10_000, keepaliveCount: 3 } });
      await assert.rejects(hosts.facts(addressWith({ address: `${network}.1.250`, port })), {
        code: 'host_unreachable',
      });
      server.close();
    });

    test('a connection that went silent is found, and the task is attached to again', async () => {
      const proxy = await startTcpProxy(sshd.address, sshd);
      const hosts = hostsWith({ times: { ...PATIENT, keepaliveMs: 100, keepaliveCount: 2 } });
      const task = command(['sh', '-c', 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done']);
      const { output } = await run(hosts, at(sshd, proxy.port), task, () => proxy.blackhole());
      assert.equal(output, '1\n2\n3\n4\n5\n6\n');
      assert.equal(proxy.taken(), 2);
      await proxy.close();
    });

    test('many tasks share few connections, eight channels each', async () => {
      const proxy = await startTcpProxy(sshd.address, sshd);
      const hosts = hostsWith();
      const tasks = Array.from({ length: 20 }, (_, n) => command(['sh', '-c', `sleep 0.2; echo ${n}`]));
      const ran = await Promise.all(tasks.map((task) => run(hosts, at(sshd, proxy.port), task)));
      assert.deepEqual(
        ran.map(({ output }) => output),
        tasks.map((_, n) => `${n}\n`),
      );
      assert.ok(proxy.taken() <= 3, `${proxy.taken()} connections`);
      await proxy.close();
    });

    test('a host that allows fewer channels gets more connections', async () => {
      const host = first(strict.hosts);
      const hosts = hostsWith();
      const tasks = Array.from({ length: 6 }, (_, n) => command(['sh', '-c', `sleep 0.2; echo ${n}`]));
      const ran = await Promise.all(tasks.map((task) => run(hosts, at(host), task)));
      assert.deepEqual(
        ran.map(({ output }) => output),
        tasks.map((_, n) => `${n}\n`),
      );
    });

    test('with room for one connection two hosts are served in turn', async () => {
      const hosts = hostsWith({ maxConnections: 1 });
      const addresses = fleet.hosts.map((host) => at(host));
      const rounds = [...addresses, ...addresses, ...addresses];
      const ran = await Promise.all(rounds.map((address) => run(hosts, address, command(['echo', 'x']))));
      assert.equal(ran.map(({ output }) => output).join(''), 'x\n'.repeat(rounds.length));
    });

    test('an account whose shell does not work is named, with what the shell said', async () => {
      const broken = first(forced.hosts);
      const refused = hostsWith().facts(at(broken));
      await assert.rejects(
        refused,
        (error: EdgeError) => error.code === 'host_unfit' && /no shell today/.test(error.message),
      );
    });

    test('a connection that nobody uses is closed', async () => {
      const proxy = await startTcpProxy(sshd.address, sshd);
      const hosts = hostsWith({ idleCloseMs: 100 });
      await hosts.facts(at(sshd, proxy.port));
      for (let round = 0; round < 100 && proxy.open() > 0; round++) await wait(50);
      assert.equal(proxy.open(), 0);
      await hosts.facts(at(sshd, proxy.port));
      assert.equal(proxy.taken(), 2);
      await proxy.close();
    });

    test('a process that is busy while several hosts end what they say loses none of it', async () => {
      const hosts = hostsWith();
      const content = '#!/bin/sh\necho n=1 >"$EDGE_OUTPUTS"\n';
      const script = { content, sha256: sha256(content), outputsLimitBytes: 1_000 };
      const clock = new Int32Array(new SharedArrayBuffer(4));
      const busy = setInterval(() => Atomics.wait(clock, 0, 0, Math.random() * 30), 1);
      try {
        for (let round = 0; round < 8; round += 1) {
          const tasks = Array.from({ length: 12 }, () => command(['sh'], { script }));
          const seen = await Promise.all(tasks.map((task) => run(hosts, at(sshd), task)));
          for (const { status } of seen) assert.equal(status.kind === 'exited' && status.outputs, 'n=1\n');
        }
      } finally {
        clearInterval(busy);
      }
    });

    test('nobody has the host prove keys that nobody learns', async () => {
      await hostsWith({ idleCloseMs: 100 }).facts(at(talkative));
      const said = () => readFile(talkative.logFile, 'utf8');
      await until(
        'it has seen the end',
        async () => /Closing connection|disconnect/i.test(await said()),
        10_000,
      );
      assert.doesNotMatch(await said(), /hostkeys-prove/);
      const plain = await connect(await loginOf(talkative));
      await until('a plain client has it', async () => /hostkeys-prove/.test(await said()), 10_000);
      plain.end();
    });

    test('a flood of output takes neither memory here nor disk there, and what was dropped is counted', async () => {
      const hosts = hostsWith();
      const task = command(['sh', '-c', 'head -c 400000000 /dev/zero; printf end'], {
        outputLimitBytes: 1_000_000,
      });
      const { status, output } = await run(hosts, addressWith({}), task);
      assert.deepEqual(status, {
        kind: 'exited',
        code: 0,
        outputBytes: 400_000_003,
        droppedBytes: 399_000_003,
      });
      assert.ok(
        output.endsWith('\0end') && output.includes('[edge: 399000003 bytes of output were not kept]'),
      );
      const file = join(sshd.home, '.edge', `${task.id}.out`);
      const bytesOnDisk = async () => (await stat(file)).blocks * 512;
      for (let round = 0; round < 200 && (await bytesOnDisk()) > 10_000_000; round++) await wait(50);
      assert.ok((await bytesOnDisk()) <= 10_000_000, `${await bytesOnDisk()} bytes on the disk`);
    });

    const isRoot = userInfo().uid === 0;
    test('a full disk is a clean refusal: nothing started, and a later start is the first', {
      skip: isRoot ? false : 'only root can mount',
    }, async () => {
      const host = fleet.hosts[1] ?? sshd;
      const folder = join(host.home, '.edge');
      const hosts = hostsWith();
      const address = at(host);
      const { identity } = await hosts.facts(address);
      execFileSync('cp', ['-a', folder, `${folder}.kept`]);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder]);
      try {
        execFileSync('cp', ['-a', `${folder}.kept/host-id`, folder]);
        execFileSync('chown', [`--reference=${folder}.kept`, folder]);
        execFileSync('sh', ['-c', 'cat /dev/zero >"$0" 2>/dev/null || true', join(folder, 'fill')]);
        const task = command(['echo', 'x']);
        assert.equal((await run(hosts, address, task)).status.kind, 'refused');
        assert.deepEqual(await hosts.status(address, task, identity), { kind: 'none' });
        execFileSync('rm', [join(folder, 'fill')]);
        assert.equal((await run(hosts, address, task)).output, 'x\n');
        const file = { localPath: '/bin/bash', path: `${folder}/big`, sha256: '0'.repeat(64), mode: 0o644 };
        const sha256 = execFileSync('sha256sum', ['/bin/bash']).toString().slice(0, 64);
        await assert.rejects(hosts.upload(address, { ...file, sha256 }, AbortSignal.timeout(20_000)), {
          code: 'host_unfit',
        });
      } finally {
        // Whoever was refused may still be clearing up behind itself.
        await until('nobody has a file open there', () => spawnSync('umount', [folder]).status === 0, 20_000);
      }
    });
  });
}

/** `onFirst` is called at the first output. */
async function run(
  hosts: Hosts,
  address: HostAddress,
  task: RemoteTask,
  onFirst: () => void = () => undefined,
): Promise<{ status: RemoteStatus; output: string }> {
  const pieces: Uint8Array[] = [];
  const status = await hosts.run(address, task, {
    fromOffset: 0,
    onDispatch: async () => undefined,
    onOutput: async ({ data }) => {
      if (pieces.push(Buffer.from(data)) === 1) onFirst();
    },
    signal: AbortSignal.timeout(60_000),
  });
  return { status, output: Buffer.concat(pieces).toString('latin1') };
}

function command(argv: readonly string[], more: Partial<RemoteTask> = {}): RemoteTask {
  return {
    id: remoteTaskId(randomBytes(16).toString('hex')),
    argv,
    env: {},
    secrets: [],
    outputLimitBytes: 1_000_000,
    ...more,
  };
}

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('there is none');
  return item;
}
