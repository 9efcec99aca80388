import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requireService } from '../../scripts/services.ts';
import { createSshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import type { EdgeError } from '../../src/domain/errors.ts';
import type { HostAddress, Hosts } from '../../src/ports/hosts.ts';
import { command } from '../contracts/hosts/bench.ts';
import { realClock } from '../support/clock.ts';
import { processesWith } from '../support/processes.ts';
import { addressOf, PATIENT } from '../support/ssh-world.ts';
import { type Sshd, type SshdFleet, startSshdFleet } from '../support/sshd.ts';
import { until } from '../support/until.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');
const ONCE = { firstMs: 10, factor: 2, maxMs: 100, giveUpAfterMs: 0 };
/** Of a master that lost its process of Edge, with room for a busy machine. */
const MASTER_ENDS_MS = 60_000;

describe("what the system's OpenSSH client brings", { skip }, () => {
  let fleet: SshdFleet;
  let sshd: Sshd;
  let folder: string;
  const opened: { close(): Promise<void> }[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edge-ca-'));
    await chmod(folder, 0o755);
    for (const name of ['ca', 'certified', 'user']) keyAt(join(folder, name));
    signed('certified', ['-h', '-n', '127.76.1.1']);
    fleet = await startSshdFleet({
      ...{ count: 1, sshdPath, network: '127.76.1' },
      config: [
        `HostKey ${join(folder, 'certified')}`,
        `HostCertificate ${join(folder, 'certified-cert.pub')}`,
        `TrustedUserCAKeys ${join(folder, 'ca.pub')}`,
      ],
    });
    sshd = fleet.hosts[0] ?? assert.fail('no host');
  });
  after(async () => {
    await Promise.all(opened.map((hosts) => hosts.close()));
    await fleet.stop();
    await rm(folder, { recursive: true });
  });

  /** A certificate for a key, by the authority of this test. */
  function signed(name: string, more: readonly string[]): void {
    const key = join(folder, `${name}.pub`);
    execFileSync('ssh-keygen', ['-q', '-s', join(folder, 'ca'), '-I', name, ...more, key]);
  }

  function newHosts(): Hosts & { close(): Promise<void> } {
    const hosts = createSshHosts({ clock: realClock, random: Math.random, times: PATIENT, retry: ONCE });
    opened.push(hosts);
    return hosts;
  }

  const at = (more: Partial<HostAddress> = {}): HostAddress => ({
    ...addressOf(sshd, sshd.port),
    transport: 'openssh',
    // Of its two keys of one type it shows the first.
    hostKey: { fingerprint: fingerprintAt(join(folder, 'certified.pub')) },
    ...more,
  });

  async function knownHosts(text: string): Promise<HostAddress['hostKey']> {
    const file = join(folder, `known-${Math.random()}`);
    await writeFile(file, text);
    return { knownHosts: file };
  }

  const authority = async () =>
    `@cert-authority [127.76.1.*]:* ${await readFile(join(folder, 'ca.pub'), 'utf8')}`;

  test('«hosts and users are known by certificates of an authority»: a host', async () => {
    await newHosts().facts(at({ hostKey: await knownHosts(await authority()) }));
  });

  test('a host whose certificate is of another authority is unknown', async () => {
    keyAt(join(folder, 'other-ca'));
    const other = (await authority()).replace(
      /ssh-ed25519 .*/,
      await readFile(join(folder, 'other-ca.pub'), 'utf8'),
    );
    await assert.rejects(newHosts().facts(at({ hostKey: await knownHosts(other) })), {
      code: 'host_key_unknown',
    });
  });

  test('a host whose certificate is revoked is refused', async () => {
    const revoked = (await readFile(join(folder, 'certified.pub'), 'utf8')).replace(/^/, '@revoked * ');
    const hostKey = await knownHosts((await authority()) + revoked);
    await assert.rejects(newHosts().facts(at({ hostKey })), { code: 'host_key_mismatch' });
  });

  test('the library says that it knows no certificates of hosts, and what does', async () => {
    const { transport: _, ...address } = at({ hostKey: await knownHosts(await authority()) });
    await assert.rejects(newHosts().facts(address), (error: EdgeError) => {
      assert.equal(error.code, 'host_key_unknown');
      assert.match(error.body.hint ?? '', /transport: openssh/);
      return true;
    });
  });

  test('«hosts and users are known by certificates of an authority»: a user, and not by the bare key', async () => {
    const identityFile = join(folder, 'user');
    await assert.rejects(newHosts().facts(at({ identityFile })), { code: 'host_auth_refused' });
    signed('user', ['-n', sshd.user]);
    await newHosts().facts(at({ identityFile }));
  });

  test('a command that ends with 255, as ssh does when it fails, is one that ended with 255', async () => {
    const status = await newHosts().run(at(), command(['sh', '-c', 'exit 255']), {
      fromOffset: 0,
      onDispatch: async () => undefined,
      onOutput: async () => undefined,
      signal: AbortSignal.timeout(30_000),
    });
    assert.deepEqual(status, { kind: 'exited', code: 255, outputBytes: 0, droppedBytes: 0 });
  });

  test('an address that ssh would take for an option, or a shell for a command, reaches neither', async () => {
    const canary = join(folder, 'canary');
    for (const address of [
      `-oProxyCommand=touch ${canary}`,
      `x;touch ${canary}`,
      `$(touch ${canary})`,
      'a\nb',
      '',
    ])
      await assert.rejects(newHosts().facts(at({ address })), { code: 'host_unreachable' });
    const hostKey = { knownHosts: `/x"\nProxyCommand touch ${canary}` };
    await assert.rejects(newHosts().facts(at({ hostKey })), { code: 'request_invalid' });
    assert.ok(!(await readdir(folder)).includes('canary'));
  });

  test('no ssh and no socket is left once the hosts are closed', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'e-'));
    const before = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
    try {
      const hosts = newHosts();
      await hosts.facts(at());
      assert.equal((await processesWith(temporary)).length, 1);
      await hosts.close();
      await until('its master has ended', async () => (await processesWith(temporary)).length === 0);
      assert.deepEqual(await readdir(temporary), []);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      await rm(temporary, { recursive: true });
    }
  });

  test('the master of a process that was killed ends by itself', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'e-'));
    const holder = fileURLToPath(new URL('../support/ssh-holder.ts', import.meta.url));
    const child = spawn(process.execPath, [holder, JSON.stringify(at())], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => assert.fail('it did not connect')),
    ]);
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.equal((await processesWith(temporary)).length, 1);
    await until(
      'its master has ended',
      async () => (await processesWith(temporary)).length === 0,
      MASTER_ENDS_MS,
    );
    await rm(temporary, { recursive: true });
  });
});

function keyAt(path: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
}

function fingerprintAt(path: string): string {
  return execFileSync('ssh-keygen', ['-l', '-f', path]).toString().split(' ')[1] ?? '';
}
