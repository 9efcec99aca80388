import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createSshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import type { HostAddress } from '../../src/ports/hosts.ts';
import { realClock } from '../support/clock.ts';
import { PATIENT } from '../support/ssh-world.ts';
import { type Sshd, type SshdFleet, startSshdFleet } from '../support/sshd.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { transportsOn } from '../support/transports.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');
const ONCE = { firstMs: 10, factor: 2, maxMs: 100, giveUpAfterMs: 0 };

for (const { name, network, how } of transportsOn('127.79')) configured(name, network, how);

function configured(name: string, network: string, how: Partial<HostAddress>): void {
  describe(`hosts as a file of ssh_config says, ${name}`, { skip }, () => {
    let fleet: SshdFleet;
    let proxy: TcpProxy;
    let folder: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'edge-config-'));
      fleet = await startSshdFleet({ count: 2, sshdPath, network });
      const [bastion] = fleet.hosts;
      assert.ok(bastion);
      proxy = await startTcpProxy(bastion.address, bastion);
      await write('config', `Include ${join(folder, 'hosts')}\n`);
    });
    after(async () => {
      await proxy.close();
      await fleet.stop();
      await rm(folder, { recursive: true });
    });

    const write = (file: string, text: string) => writeFile(join(folder, file), text);

    /** What the file says of a host, all of it. */
    const block = (alias: string, host: Sshd, more: readonly string[] = []) =>
      [
        `Host ${alias}`,
        `HostName ${host.address}`,
        `Port ${host.port}`,
        `User ${host.user}`,
        `IdentityFile ${host.identityFile}`,
        `UserKnownHostsFile ${host.knownHosts}`,
        ...more,
        '',
      ].join('\n');

    const at = (more: Partial<HostAddress> = {}): HostAddress => ({
      ...{ name: 'web-1', address: 'web', config: join(folder, 'config'), hostKey: { config: true } },
      ...how,
      ...more,
    });

    async function logIn(host: HostAddress): Promise<string> {
      const hosts = createSshHosts({ clock: realClock, random: Math.random, times: PATIENT, retry: ONCE });
      const code = await hosts.facts(host).then(
        () => 'none',
        (error) => error.code ?? String(error),
      );
      await hosts.close();
      return code;
    }

    test('«hosts as `~/.ssh/config` says»: name, port, user, key and known keys, also from what it includes', async () => {
      const [, host] = fleet.hosts;
      assert.ok(host);
      await write('hosts', block('web', host));
      assert.equal(await logIn(at()), 'none');
    });

    test('what is said of the host goes before it', async () => {
      const [bastion, host] = fleet.hosts;
      assert.ok(bastion && host);
      await write('hosts', block('web', host));
      assert.equal(await logIn(at({ port: 1 })), 'host_unreachable');
      assert.equal(await logIn(at({ user: 'nobody-here' })), 'host_auth_refused');
      assert.equal(await logIn(at({ hostKey: { fingerprint: bastion.fingerprint } })), 'host_key_mismatch');
    });

    test('an unknown key is refused, whatever the file says of asking', async () => {
      const [bastion, host] = fleet.hosts;
      assert.ok(bastion && host);
      const text = block('web', { ...host, knownHosts: bastion.knownHosts }, ['StrictHostKeyChecking no']);
      await write('hosts', text);
      assert.equal(await logIn(at()), 'host_key_unknown');
    });

    test('jump hosts come from it, each as the file says of it', async () => {
      const [bastion, host] = fleet.hosts;
      assert.ok(bastion && host);
      const known = (await readFile(bastion.knownHosts, 'utf8')).replaceAll(
        `]:${bastion.port} `,
        `]:${proxy.port} `,
      );
      await write('known', known);
      const jump = block('hop', { ...bastion, port: proxy.port, knownHosts: join(folder, 'known') });
      await write('hosts', block('web', host, ['ProxyJump hop']) + jump);
      const before = proxy.taken();
      assert.equal(await logIn(at()), 'none');
      assert.ok(proxy.taken() > before);
    });

    test('a key is looked at and judged as the file says', async () => {
      const [bastion, host] = fleet.hosts;
      assert.ok(bastion && host);
      const hosts = createSshHosts({ clock: realClock, random: Math.random, times: PATIENT, retry: ONCE });
      for (const [knownHosts, wanted] of [
        [host.knownHosts, undefined],
        [bastion.knownHosts, 'host_key_unknown'],
      ] as const) {
        await write('hosts', block('web', { ...host, knownHosts }));
        const { fingerprint, refused } = await hosts.shownKey(at());
        assert.deepEqual([fingerprint, refused?.code], [host.fingerprint, wanted]);
      }
      await hosts.close();
    });

    test('a file that is not there or says nonsense is told', async () => {
      assert.equal(await logIn(at({ config: join(folder, 'missing') })), 'host_unfit');
      await write('broken', 'Nonsense yes\n');
      assert.equal(await logIn(at({ config: join(folder, 'broken') })), 'host_unfit');
    });
  });
}
