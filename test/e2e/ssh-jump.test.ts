import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { requireService } from '../../scripts/services.ts';
import { createSshHosts, type SshHostsOptions } from '../../src/adapters/ssh/ssh-hosts.ts';
import type { EdgeError } from '../../src/domain/errors.ts';
import type { HostAddress, Hosts, JumpHost } from '../../src/ports/hosts.ts';
import { command } from '../contracts/hosts/bench.ts';
import { realClock } from '../support/clock.ts';
import { addressOf, PATIENT } from '../support/ssh-world.ts';
import { type Sshd, type SshdFleet, startSshdFleet } from '../support/sshd.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { transportsOn } from '../support/transports.ts';
import { until } from '../support/until.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');
const AT_ONCE = { firstMs: 10, factor: 2, maxMs: 100, giveUpAfterMs: 300 };

for (const { name, network, how } of transportsOn('127.78')) jumping(name, network, how);

function jumping(name: string, network: string, how: Partial<HostAddress>): void {
  describe(`hosts behind jump hosts, ${name}`, { skip }, () => {
    let fleet: SshdFleet;
    let bastion: Sshd;
    let inner: Sshd;
    let behind: readonly Sshd[];
    let proxy: TcpProxy;
    const opened: { close(): Promise<void> }[] = [];

    before(async () => {
      fleet = await startSshdFleet({ count: 5, sshdPath, network, config: ['LogLevel VERBOSE'] });
      const [first, second, ...others] = fleet.hosts;
      if (!first || !second) throw new Error('the fleet is too small');
      [bastion, inner, behind] = [first, second, others];
      proxy = await startTcpProxy(bastion.address, bastion);
    });
    after(async () => {
      await Promise.all(opened.map((hosts) => hosts.close()));
      await proxy.close();
      await fleet.stop();
    });

    function newHosts(more: Partial<SshHostsOptions> = {}): Hosts & { close(): Promise<void> } {
      const hosts = createSshHosts({
        clock: realClock,
        random: Math.random,
        times: PATIENT,
        retry: AT_ONCE,
        ...more,
      });
      opened.push(hosts);
      return hosts;
    }

    /** By a known_hosts file of the test's own, since nobody knows the port of the proxy. */
    async function jumpTo(host: Sshd, port = host.port): Promise<JumpHost> {
      const file = join(fleet.folder, `known-${host.address}-${port}`);
      const lines = (await readFile(host.knownHosts, 'utf8')).replaceAll(`]:${host.port} `, `]:${port} `);
      await writeFile(file, lines);
      return { address: host.address, port, hostKey: { knownHosts: file } };
    }

    const at = (host: Sshd, jump: readonly JumpHost[]): HostAddress => ({
      ...addressOf(host, host.port),
      ...how,
      jump,
    });

    const logOf = (host: Sshd) => readFile(host.logFile, 'utf8');
    const connectionsTo = async (host: Sshd) => (await logOf(host)).split('Connection from').length;

    test('all hosts behind a jump host share one connection to it, which ends when nobody needs it', async () => {
      const hosts = newHosts({ idleCloseMs: 200 });
      const before = proxy.taken();
      const jump = [await jumpTo(bastion, proxy.port)];
      await Promise.all(behind.map((host) => hosts.facts(at(host, jump))));
      assert.equal(proxy.taken() - before, 1);
      await until('it is closed', () => proxy.open() === 0);
    });

    test('«hosts behind jump hosts», through one to the next', async () => {
      const [host] = behind;
      assert.ok(host);
      const before = await logOf(inner);
      const jump = [await jumpTo(bastion, proxy.port), await jumpTo(inner)];
      await newHosts().facts(at(host, jump));
      assert.match((await logOf(inner)).slice(before.length), /Accepted publickey/);
    });

    test('the key of a jump host is verified too, and nothing goes through it before', async () => {
      const [host] = behind;
      assert.ok(host);
      const before = await connectionsTo(host);
      const { fingerprint } = inner;
      const unknown = { ...(await jumpTo(bastion)), hostKey: { knownHosts: '/nonexistent' } };
      const swapped = { ...unknown, hostKey: { fingerprint } };
      for (const [jump, code] of [
        [unknown, 'host_key_unknown'],
        [swapped, 'host_key_mismatch'],
      ] as const)
        await assert.rejects(newHosts().facts(at(host, [jump])), (error: EdgeError) => {
          assert.equal(error.code, code);
          assert.ok(error.message.includes(host.address) && error.message.includes(bastion.address));
          assert.equal(error.body.where?.target, `host-${host.address}`);
          return true;
        });
      await wait(200);
      assert.equal(await connectionsTo(host), before);
    });

    test('the key of the host behind is verified as ever', async () => {
      const [host] = behind;
      assert.ok(host);
      const address = at(host, [await jumpTo(bastion)]);
      const hostKey = { fingerprint: bastion.fingerprint };
      await assert.rejects(newHosts().facts({ ...address, hostKey }), { code: 'host_key_mismatch' });
    });

    test('a host that the jump host does not reach is unreachable, and so is one behind a jump host that is', async () => {
      const [host] = behind;
      assert.ok(host);
      const jump = await jumpTo(bastion);
      const nowhere = { ...at(host, [jump]), address: `${network}.99` };
      await assert.rejects(newHosts().facts(nowhere), { code: 'host_unreachable' });
      const lost = { ...jump, address: `${network}.98` };
      await assert.rejects(newHosts().facts(at(host, [lost])), { code: 'host_unreachable' });
    });

    test('a task goes on when the connection to the jump host breaks, and is attached to again', async () => {
      const [host] = behind;
      assert.ok(host);
      const before = proxy.taken();
      const pieces: Uint8Array[] = [];
      const task = command(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done']);
      const status = await newHosts().run(at(host, [await jumpTo(bastion, proxy.port)]), task, {
        fromOffset: 0,
        onDispatch: async () => undefined,
        onOutput: async ({ data }) => {
          if (pieces.push(Buffer.from(data)) === 1) proxy.cut();
        },
        signal: AbortSignal.timeout(60_000),
      });
      assert.equal(status.kind, 'exited');
      assert.equal(Buffer.concat(pieces).toString(), '1\n2\n3\n4\n5\n6\n7\n8\n');
      assert.equal(proxy.taken() - before, 2);
    });
  });
}
