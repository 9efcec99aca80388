import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createSshHosts, type SshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import type { UnprovenHost } from '../../src/ports/host-keys.ts';
import { realClock } from '../support/clock.ts';
import { addressOf, PATIENT } from '../support/ssh-world.ts';
import { type Sshd, type SshdFleet, startSshdFleet } from '../support/sshd.ts';
import { transportsOn } from '../support/transports.ts';
import { until } from '../support/until.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');
const ONCE = { firstMs: 10, factor: 2, maxMs: 100, giveUpAfterMs: 0 };

for (const { name, network, how } of transportsOn('127.91')) looking(name, network, how);

function looking(name: string, network: string, how: Partial<UnprovenHost>): void {
  describe(`the key that a host shows, ${name}`, { skip }, () => {
    let fleet: SshdFleet;
    let bastion: Sshd;
    let behind: Sshd;
    let hosts: SshHosts;

    before(async () => {
      fleet = await startSshdFleet({ count: 2, sshdPath, network, config: ['LogLevel DEBUG1'] });
      const [first, second] = fleet.hosts;
      if (!first || !second) throw new Error('the fleet is too small');
      [bastion, behind] = [first, second];
      hosts = createSshHosts({ clock: realClock, random: Math.random, times: PATIENT, retry: ONCE });
    });
    after(async () => {
      await hosts.close();
      await fleet.stop();
    });

    const at = (host: Sshd, more: Partial<UnprovenHost> = {}): UnprovenHost => {
      const { hostKey: _, ...way } = addressOf(host, host.port);
      return { ...way, ...how, ...more };
    };
    const verdict = async (host: UnprovenHost) => (await hosts.shownKey(host)).refused?.code ?? 'trusted';
    let files = 0;
    async function knownHosts(text: string): Promise<NonNullable<UnprovenHost['hostKey']>> {
      const file = join(fleet.folder, `known-${files++}`);
      await writeFile(file, text);
      return { knownHosts: file };
    }

    test('it is seen through a jump host, whose own key is verified as ever', async () => {
      const hostKey = { fingerprint: bastion.fingerprint };
      const jump = { address: bastion.address, port: bastion.port };
      const seen = await hosts.shownKey(at(behind, { jump: [{ ...jump, hostKey }] }));
      assert.equal(seen.fingerprint, behind.fingerprint);
      assert.equal(seen.refused?.code, 'host_key_unknown');
      const wrong = { fingerprint: behind.fingerprint };
      await assert.rejects(hosts.shownKey(at(behind, { jump: [{ ...jump, hostKey: wrong }] })), {
        code: 'host_key_mismatch',
      });
    });

    test('nothing is sent to log in to a host that nobody knows', async () => {
      const LOG_IN = /NEWKEYS received|userauth-request/;
      const loggedDuring = async (work: () => Promise<unknown>) => {
        const before = (await readFile(behind.logFile, 'utf8')).length;
        await work();
        const log = async () => (await readFile(behind.logFile, 'utf8')).slice(before);
        await until('it is logged', async () =>
          /userauth-request|disconnect|closed|reset/i.test(await log()),
        );
        return log();
      };
      const looked = await loggedDuring(() => hosts.shownKey(at(behind)));
      assert.match(looked, /SSH2_MSG_KEXINIT sent/);
      assert.doesNotMatch(looked, LOG_IN);
      const hostKey = { fingerprint: behind.fingerprint };
      assert.match(await loggedDuring(() => hosts.facts({ ...at(behind), hostKey })), LOG_IN);
    });

    test('a file of known keys judges it: its own, none, another one, one that is revoked', async () => {
      const own = await readFile(behind.knownHosts, 'utf8');
      const other = (await readFile(bastion.knownHosts, 'utf8')).replaceAll(
        /^\S+/gm,
        own.split(' ', 1).join(),
      );
      const revoked = own.trimEnd().replaceAll(/^/gm, '@revoked ');
      for (const [text, wanted] of [
        [own, 'trusted'],
        ['', 'host_key_unknown'],
        [other, 'host_key_mismatch'],
        [`${own}${revoked}\n`, 'host_key_mismatch'],
      ] as const)
        assert.equal(await verdict(at(behind, { hostKey: await knownHosts(text) })), wanted);
    });

    test('a file that is not there knows nobody, and the key is seen all the same', async () => {
      const seen = await hosts.shownKey(at(behind, { hostKey: { knownHosts: '/nonexistent' } }));
      assert.equal(seen.fingerprint, behind.fingerprint);
      assert.equal(seen.refused?.code, 'host_key_unknown');
    });

    test('a host that is not there, is silent, or hangs up shows none', async () => {
      await assert.rejects(hosts.shownKey(at(behind, { address: `${network}.99` })), {
        code: 'host_unreachable',
      });
      const hasty = createSshHosts({
        ...{ clock: realClock, random: Math.random, retry: ONCE },
        times: { ...PATIENT, connectMs: 1_000 },
      });
      for (const answer of [() => undefined, (socket: Socket) => socket.end()]) {
        const server = createServer(answer).listen(0, `${network}.50`);
        await once(server, 'listening');
        const { port } = server.address() as AddressInfo;
        const asked = hasty.shownKey(at(behind, { address: `${network}.50`, port }));
        await assert.rejects(asked, { code: 'host_unreachable' });
        server.close();
      }
      await hasty.close();
    });
  });
}
