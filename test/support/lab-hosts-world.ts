import { createHash } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import { SshHost } from '../../src/lab/ssh-host.ts';
import { newKeyPair, parsePublicKey, writeIdentity } from '../../src/lab/ssh-host-keys.ts';
import type { HostsWorld } from '../contracts/hosts/world.ts';
import { realClock } from './clock.ts';

/** A host of the lab and the SSH adapter, for the contract of `Hosts`. */
export async function openLabHostsWorld(): Promise<HostsWorld> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'edge-lab-')));
  const key = newKeyPair();
  const host = await SshHost.start({
    name: 'web-1',
    folder: join(folder, 'web-1'),
    address: '127.0.0.1',
    port: 0,
    user: 'edge',
    clientKey: key.publicKey,
  });
  const opened: { close(): void }[] = [];
  const { name, address, port, user } = host;
  return {
    address: {
      name,
      address,
      port,
      user,
      identityFile: await writeIdentity(folder, key),
      hostKey: { fingerprint: fingerprintOf(host.publicKey) },
    },
    clock: realClock,
    newHosts: () => {
      const hosts = createSshHosts({ clock: realClock, random: Math.random });
      opened.push(hosts);
      return hosts;
    },
    cut: () => void host.cutConnections(),
    close: async () => {
      for (const hosts of opened) hosts.close();
      await host.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function fingerprintOf(publicKey: string): string {
  const digest = createHash('sha256').update(parsePublicKey(publicKey).getPublicSSH()).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}
