import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loopbackAddress, startOnFreePorts } from './lab-ports.ts';
import type { SshHost } from './ssh-host.ts';
import { knownHostsLine, newKeyPair, writeIdentity } from './ssh-host-keys.ts';
import { countStarts, type StartCount } from './started-log.ts';

export type LabOptions = {
  /** Everything of the lab lies below it: keys, known_hosts, one folder per host. */
  readonly folder: string;
  readonly hosts: number;
  /** The hosts are dealt to them in equal runs: of two zones and eight hosts the first has web-1 to web-4. */
  readonly zones: readonly [string, ...string[]];
};

/** A host as Edge is told of it, and where its application is to listen. Nothing is installed there yet. */
export type LabHost = {
  readonly name: string;
  readonly zone: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly identityFile: string;
  readonly knownHosts: string;
  readonly folder: string;
  readonly appPort: number;
  readonly appUrl: string;
};

type RunningHost = { readonly ssh: SshHost; readonly appPort: number };

const USER = 'edge';

/** Hosts that serve SSH on loopback addresses, as real as they can be without machines. See `SshHost` for what they lack. */
export class Lab {
  readonly hosts: readonly LabHost[];
  readonly identityFile: string;
  readonly knownHosts: string;
  readonly #running: readonly RunningHost[];

  private constructor(options: LabOptions, files: Files, running: readonly RunningHost[]) {
    this.identityFile = files.identityFile;
    this.knownHosts = files.knownHosts;
    this.#running = running;
    this.hosts = running.map((host, index) => ({
      ...describe(host),
      ...files,
      zone: zoneOf(options, index),
    }));
    process.once('exit', this.#killProcesses);
  }

  /**
   * Starts the hosts. When this process exits by itself no process of a host is left; for signals see `stopOnSignals`;
   * what a kill -9 left behind is ended by the next lab in the same folder.
   */
  static async start(options: LabOptions): Promise<Lab> {
    const folder = resolve(options.folder);
    await mkdir(folder, { recursive: true });
    const client = newKeyPair();
    const files = {
      identityFile: await writeIdentity(folder, client),
      knownHosts: join(folder, 'known_hosts'),
    };
    const running: RunningHost[] = [];
    try {
      for (let index = 0; index < options.hosts; index += 1) {
        running.push(await startHost(folder, index, client.publicKey));
      }
      await writeFile(files.knownHosts, running.map(({ ssh }) => knownHostsLine(ssh)).join(''));
    } catch (error) {
      await stopAll(running);
      throw error;
    }
    return new Lab(options, files, running);
  }

  countStarts(): Promise<StartCount> {
    return countStarts(this.hosts.map((host) => host.folder));
  }

  /** Breaks the SSH connections of one host, or of all; the commands go on. Gives their number. */
  cutConnections(name?: string): number {
    const hosts = this.#running.filter(({ ssh }) => name === undefined || ssh.name === name);
    return hosts.reduce((cut, { ssh }) => cut + ssh.cutConnections(), 0);
  }

  /** Ends the servers and every process of every host. */
  async stop(): Promise<void> {
    await stopAll(this.#running);
    process.removeListener('exit', this.#killProcesses);
  }

  readonly #killProcesses = (): void => {
    for (const { ssh } of this.#running) ssh.killProcesses();
  };
}

/** Stops the lab on SIGINT, SIGTERM or SIGHUP, and then lets the signal end this process. Gives a way to take it back. */
export function stopOnSignals(lab: Lab): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let isStopping = false;
  const forget = () => {
    for (const signal of signals) process.removeListener(signal, onSignal);
  };
  const onSignal = async (signal: NodeJS.Signals) => {
    if (isStopping) return;
    isStopping = true;
    await lab.stop();
    forget();
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}

type Files = Pick<LabHost, 'identityFile' | 'knownHosts'>;

async function startHost(folder: string, index: number, clientKey: string): Promise<RunningHost> {
  const name = `web-${index + 1}`;
  const address = await loopbackAddress(index);
  const home = join(folder, 'hosts', name);
  const host = await startOnFreePorts({ name, folder: home, address, user: USER, clientKey });
  // Read by the application's start and stop scripts.
  const settings = { NODE: process.execPath, ADDRESS: address, PORT: host.appPort };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(join(home, 'app.env'), lines.join(''));
  return host;
}

async function stopAll(hosts: readonly RunningHost[]): Promise<void> {
  await Promise.all(hosts.map(({ ssh }) => ssh.stop()));
}

function describe({ ssh, appPort }: RunningHost): Omit<LabHost, keyof Files | 'zone'> {
  const { name, address, port, user, folder } = ssh;
  return { name, address, port, user, folder, appPort, appUrl: `http://${address}:${appPort}` };
}

function zoneOf({ zones, hosts }: LabOptions, index: number): string {
  return zones[Math.floor((index * zones.length) / hosts)] ?? zones[0];
}
