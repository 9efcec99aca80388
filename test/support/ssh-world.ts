import { createSshHosts, type SshHostsOptions } from '../../src/adapters/ssh/ssh-hosts.ts';
import { CONNECTION_TIMES, type ConnectionTimes } from '../../src/adapters/ssh/transport.ts';
import type { HostAddress } from '../../src/ports/hosts.ts';
import type { HostsWorld } from '../contracts/hosts/world.ts';
import { realClock } from './clock.ts';
import { type FleetOptions, type Sshd, startSshdFleet } from './sshd.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** On a machine that does much else a log-in takes its time. */
export const PATIENT: ConnectionTimes = { ...CONNECTION_TIMES, connectMs: 60_000 };

export type SshWorld = HostsWorld & { readonly sshd: Sshd; readonly proxy: TcpProxy };

/** One real sshd behind a network that can be cut, for the contract of `Hosts`. */
export async function openSshWorld(
  options: Omit<FleetOptions, 'count'>,
  more: Partial<SshHostsOptions> = {},
  how: Partial<HostAddress> = {},
): Promise<SshWorld> {
  const fleet = await startSshdFleet({ ...options, count: 1 });
  const [sshd] = fleet.hosts;
  if (!sshd) throw new Error('the fleet has no host');
  const proxy = await startTcpProxy(sshd.address, sshd);
  const opened: { close(): Promise<void> }[] = [];
  return {
    sshd,
    proxy,
    clock: realClock,
    address: { ...addressOf(sshd, proxy.port), ...how },
    // sudo sets a PATH of its own, so what `sh` is could not be chosen there.
    sudoUser: options.shell ? undefined : fleet.sudoUser,
    newHosts: () => {
      const hosts = createSshHosts({ clock: realClock, random: Math.random, ...more });
      opened.push(hosts);
      return hosts;
    },
    cut: proxy.cut,
    close: async () => {
      await Promise.all(opened.map((hosts) => hosts.close()));
      await proxy.close();
      await fleet.stop();
    },
  };
}

/** Pinned, since the port of a proxy is in no known_hosts file. */
export function addressOf(sshd: Sshd, port: number): HostAddress {
  const { address, user, identityFile, fingerprint } = sshd;
  return { name: `host-${address}`, address, port, user, identityFile, hostKey: { fingerprint } };
}
