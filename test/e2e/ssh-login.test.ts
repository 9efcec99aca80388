import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createSshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import { systemSecrets } from '../../src/adapters/system/secrets.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import type { HostAddress } from '../../src/ports/hosts.ts';
import { realClock } from '../support/clock.ts';
import { addressOf, PATIENT } from '../support/ssh-world.ts';
import { type Sshd, type SshdFleet, startSshdFleet } from '../support/sshd.ts';
import { until } from '../support/until.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');
const ONCE = { firstMs: 10, factor: 2, maxMs: 100, giveUpAfterMs: 0 };
const PASSPHRASE = 'canary-of-the-passphrase';
const PASSWORD = 'canary-of-the-password';
const ACCOUNT = `edge-pw-${process.pid}`;
const isRoot = userInfo().uid === 0;

describe('logging in over SSH', { skip }, () => {
  let fleet: SshdFleet;
  let sshd: Sshd;
  let folder: string;
  let agentSocket: string;
  const agents: { kill(): unknown }[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edge-login-'));
    const config = ['PasswordAuthentication yes', 'LogLevel VERBOSE', 'MaxAuthTries 3'];
    fleet = await startSshdFleet({ count: 1, sshdPath, network: '127.77.1', config });
    sshd = fleet.hosts[0] ?? assert.fail('no host');
    execFileSync('cp', [sshd.identityFile, join(folder, 'locked')]);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', PASSPHRASE, '-f', join(folder, 'locked')]);
    agentSocket = await agentWith('agent', [sshd.identityFile]);
    if (!isRoot) return;
    execFileSync('useradd', ['--no-create-home', '--shell', '/bin/sh', ACCOUNT]);
    execFileSync('chpasswd', { input: `${ACCOUNT}:${PASSWORD}\n` });
  });
  after(async () => {
    for (const agent of agents) agent.kill();
    await fleet.stop();
    await rm(folder, { recursive: true });
    if (isRoot) execFileSync('userdel', [ACCOUNT]);
  });

  /** An agent of this test that holds these keys. */
  async function agentWith(name: string, keys: readonly string[]): Promise<string> {
    const socket = join(folder, name);
    const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    agents.push(child);
    await once(child.stdout, 'data');
    for (const key of keys)
      execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    return socket;
  }

  function newKey(name: string): string {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    return join(folder, name);
  }

  /** How to reach the host, with these credentials and no others. */
  function at(credentials: Partial<HostAddress>): HostAddress {
    const { identityFile: _, ...address } = addressOf(sshd, sshd.port);
    return { ...address, ...credentials };
  }

  /** Logs in and out again; what it answers is the error, if there was one. */
  async function logIn(address: HostAddress, more: { agentSocket?: string } = {}): Promise<EdgeError | null> {
    const secrets = systemSecrets({ PASSPHRASE, PASSWORD, WRONG: `${PASSPHRASE}-not` });
    const hosts = createSshHosts({
      clock: realClock,
      random: Math.random,
      times: PATIENT,
      retry: ONCE,
      secrets,
      ...more,
    });
    const fault = await hosts.facts(address).then(
      () => null,
      (error) => error,
    );
    await hosts.close();
    if (fault !== null) assert.ok(fault instanceof EdgeError, String(fault));
    return fault;
  }

  const env = (name: string) => ({ source: 'env', name }) as const;

  test('by a key that is locked, with its passphrase from a secret', async () => {
    assert.equal(
      await logIn(at({ identityFile: join(folder, 'locked'), passphrase: env('PASSPHRASE') })),
      null,
    );
  });

  test('a key that is locked is told apart from one that is refused, and shows no passphrase', async () => {
    const identityFile = join(folder, 'locked');
    const without = await logIn(at({ identityFile }));
    assert.match(without?.message ?? '', /is encrypted, and no passphrase is configured/);
    const wrong = await logIn(at({ identityFile, passphrase: env('WRONG') }));
    assert.match(wrong?.message ?? '', /is encrypted, and the passphrase is not its own/);
    assert.doesNotMatch(JSON.stringify([wrong, wrong?.body, String(wrong?.stack)]), /canary/);
    assert.equal((await logIn(at({ identityFile, passphrase: env('NOBODY') })))?.code, 'secret_unavailable');
  });

  test('«a log-in by an agent» whose socket is named', async () => {
    assert.equal(await logIn(at({ agent: agentSocket })), null);
    assert.equal(await logIn(at({ agent: agentSocket, transport: 'openssh' })), null);
  });

  test('«a log-in by an agent» that SSH_AUTH_SOCK names', async () => {
    assert.equal(await logIn(at({ agent: true }), { agentSocket }), null);
    const none = await logIn(at({ agent: true }));
    assert.equal(none?.code, 'host_auth_refused');
    assert.match(none?.message ?? '', /SSH_AUTH_SOCK/);
  });

  test('by the next way, when an agent cannot be reached or its keys are refused', async () => {
    const { identityFile } = sshd;
    const empty = await agentWith('empty', []);
    const lost = newKey('lost');
    for (const agent of [join(folder, 'nowhere'), empty])
      assert.equal(await logIn(at({ agent, identityFile })), null);
    assert.equal(await logIn(at({ agent: agentSocket, identityFile: lost })), null);
    const fault = await logIn(at({ agent: join(folder, 'nowhere'), identityFile: lost }));
    assert.equal(fault?.code, 'host_auth_refused');
    assert.match(fault?.message ?? '', /refused the key .*lost, the keys of the agent .*nowhere \(.*connect/);
  });

  test('an agent with more keys than the host lets one try is refused, not unreachable', async () => {
    const full = await agentWith('full', ['a', 'b', 'c', 'd', 'e'].map(newKey));
    assert.equal((await logIn(at({ agent: full })))?.code, 'host_auth_refused');
    assert.equal((await logIn(at({ agent: full, transport: 'openssh' })))?.code, 'host_auth_refused');
  });

  test('by a password, from a secret and after the key', {
    skip: isRoot ? false : 'only root can make accounts',
  }, async () => {
    const identityFile = newKey('stranger');
    const address = at({ user: ACCOUNT, password: env('PASSWORD'), identityFile });
    assert.equal(await logIn(address), null);
    const wrong = await logIn({ ...address, password: env('WRONG') });
    assert.equal(wrong?.code, 'host_auth_refused');
    assert.match(wrong?.message ?? '', /refused the key .*stranger, the password/);
    assert.doesNotMatch(JSON.stringify([wrong, wrong?.body]), /canary/);
    const path = join(folder, 'password');
    await writeFile(path, `${PASSWORD}\n`);
    assert.equal(await logIn(at({ user: ACCOUNT, password: { source: 'file', name: path } })), null);
  });

  test('a host that nobody knows is trusted by an explicit choice: its error names the key to pin', async () => {
    const { identityFile } = sshd;
    const unknown = await logIn(at({ identityFile, hostKey: { knownHosts: '/dev/null' } }));
    assert.equal(unknown?.code, 'host_key_unknown');
    const [fingerprint = ''] = /SHA256:[A-Za-z0-9+/]{43}/.exec(unknown?.message ?? '') ?? [];
    assert.equal(await logIn(at({ identityFile, hostKey: { fingerprint } })), null);
  });

  test('«a password is sent only where one is configured»', async () => {
    const before = (await readFile(sshd.logFile, 'utf8')).length;
    assert.equal((await logIn(at({ identityFile: newKey('unknown') })))?.code, 'host_auth_refused');
    const log = async () => (await readFile(sshd.logFile, 'utf8')).slice(before);
    await until('the host has told of it', async () => /Connection (closed|reset)/.test(await log()));
    assert.match(await log(), /Failed publickey|Connection (closed|reset) by authenticating user/);
    assert.doesNotMatch(await log(), /password/);
  });
});
