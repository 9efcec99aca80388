import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildReleases, type SampleApp } from '../../src/lab/releases.ts';
import { type EdgeEnd, type EdgeOptions, type EdgeProcess, edge, startEdge } from './edge-process.ts';
import {
  type EstateSettings,
  type EstateTarget,
  estateConfiguration,
  nginxMember,
  POOL,
  PROJECT,
  targetsByZone,
} from './estate-configuration.ts';
import { freePort } from './free-port.ts';
import { type Haproxy, startHaproxy } from './haproxy.ts';
import { type Nginx, startNginx } from './nginx.ts';
import { opened } from './opened.ts';
import { killProcessesWith, processesWith, type SeenProcess } from './processes.ts';
import { type SshdFleet, startSshdFleet } from './sshd.ts';
import { until } from './until.ts';

export type EstateOptions = EstateSettings & {
  readonly sshdPath: string;
  readonly haproxyPath: string;
  /** An nginx on the first host, before the applications as well. */
  readonly nginxPath?: string;
  /** First three numbers of the addresses of the hosts. */
  readonly network: string;
  readonly hosts: number;
  readonly versions: readonly string[];
  /** Of versions that are healthy and fail some requests: how much of them, 0.05 for 5 %. */
  readonly failing?: Readonly<Record<string, number>>;
  /** More variables of the server and of each CLI. */
  readonly env?: Readonly<Record<string, string>>;
  /** Without one, each CLI finds the server of another, or is one by itself. Default: true. */
  readonly server?: boolean;
  /** All hosts have their sshd on one port. */
  readonly samePort?: boolean;
};

/**
 * Real OpenSSH hosts for the sample application behind a real HAProxy, and the real program in processes of its own that
 * deploys to them.
 */
export type Estate = {
  readonly targets: readonly EstateTarget[];
  /** The names of the targets of each zone. */
  readonly zones: Readonly<Record<string, readonly string[]>>;
  readonly haproxy: Haproxy;
  readonly nginx: Nginx | undefined;
  readonly dataFolder: string;
  /** One run of the CLI to its end. */
  readonly edge: (...words: readonly string[]) => Promise<EdgeEnd>;
  readonly start: (...words: readonly string[]) => EdgeProcess;
  /** Tells Edge of the same estate with other settings. */
  readonly configure: (settings: Partial<EstateSettings>) => Promise<void>;
  /** What each application says that it is, past the balancer. */
  readonly served: () => Promise<readonly string[]>;
  /** What runs on the hosts and is not the application: nothing, while nobody works there. */
  readonly strangers: () => Promise<readonly SeenProcess[]>;
  /** Ends all of it. Rejects if Edge left something running on the hosts. */
  readonly stop: () => Promise<void>;
};

export const openEstate = (options: EstateOptions): Promise<Estate> => opened((ends) => open(options, ends));

async function open(options: EstateOptions, ends: AsyncDisposableStack): Promise<Estate> {
  const { sshdPath, network, hosts, samePort = false, env = {} } = options;
  const fleet = await startSshdFleet({ sshdPath, network, samePort, count: hosts });
  ends.defer(fleet.stop);
  ends.defer(() => killProcessesWith(fleet.folder));
  const targets = await targetsOn(fleet);
  const haproxy = await haproxyFor(targets, options);
  ends.defer(haproxy.stop);
  const nginx = await nginxFor(targets, fleet, options);
  ends.defer(async () => nginx?.stop());
  const strangers = () => strangersOf(fleet);
  ends.defer(() => nothingLeft(strangers));
  const dataFolder = join(fleet.folder, 'data');
  await mkdir(dataFolder, { mode: 0o700 });
  if (options.server !== false) {
    const server = await startEdgeServer({ dataFolder, env });
    ends.defer(() => stopServer(server));
  }
  const estate: Estate = {
    ...{ targets, zones: targetsByZone(targets, options), haproxy, nginx, dataFolder, strangers },
    edge: (...words) => edge(words, { dataFolder, env }),
    start: (...words) => startEdge(words, { dataFolder, env }),
    configure: (settings) => applied(estate, fleet, { ...options, ...settings }),
    served: () => Promise.all(targets.map(({ appUrl }) => versionAt(appUrl))),
    stop: () => ends.disposeAsync(),
  };
  await applied(estate, fleet, options);
  await createReleases(estate, fleet, options);
  return estate;
}

async function targetsOn(fleet: SshdFleet): Promise<readonly EstateTarget[]> {
  const node = await nodeFor(fleet);
  return Promise.all(
    fleet.hosts.map(async (sshd, index) => {
      const appPort = await freePort(sshd.address);
      const settings = { NODE: node, ADDRESS: sshd.address, PORT: appPort, START_LIMIT_S: 60 };
      const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
      await writeFile(join(sshd.home, 'app.env'), lines.join(''));
      return { name: `web-${index + 1}`, sshd, appPort, appUrl: `http://${sshd.address}:${appPort}` };
    }),
  );
}

/** The Node of this process; a copy where the hosts' account may not run it, such as below the home folder of root. */
async function nodeFor({ account, folder }: SshdFleet): Promise<string> {
  const mayRun = await promisify(execFile)(process.execPath, ['--version'], { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  );
  if (mayRun) return process.execPath;
  const copy = join(folder, 'node');
  await copyFile(process.execPath, copy);
  return copy;
}

function haproxyFor(targets: readonly EstateTarget[], { haproxyPath }: EstateOptions): Promise<Haproxy> {
  const servers = targets.map(({ name, sshd, appPort }) => ({ name, address: sshd.address, port: appPort }));
  return startHaproxy({
    path: haproxyPath,
    backends: { [POOL]: servers },
    ...{ checkMs: 300, fall: 3, until: 'listening' },
  });
}

async function nginxFor(
  targets: readonly EstateTarget[],
  fleet: SshdFleet,
  { nginxPath }: EstateOptions,
): Promise<Nginx | undefined> {
  const [host] = fleet.hosts;
  if (nginxPath === undefined || !host) return undefined;
  const servers = targets.map(
    (target) => `  server ${nginxMember(target)} weight=2 max_fails=0; # ${target.name}\n`,
  );
  return startNginx(host, {
    path: nginxPath,
    account: fleet.account,
    upstreams: `upstream ${POOL} {\n${servers.join('')}  keepalive 8;\n}\n`,
  });
}

const PATIENCE_MS = 60_000;

/** A server process that answers. */
export async function startEdgeServer(options: EdgeOptions): Promise<EdgeProcess> {
  const server = startEdge(['server', '--listen', '127.0.0.1:0'], options);
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });
  const serves = () => {
    if (hasEnded) throw new Error(`the server ended: ${server.stderr()}`);
    return server.stdout().includes('serves http');
  };
  await until('the server serves', serves, PATIENCE_MS).catch((error: unknown) => {
    server.signal('SIGKILL');
    throw error;
  });
  return server;
}

async function stopServer(server: EdgeProcess): Promise<void> {
  server.signal('SIGTERM');
  const { status, stderr } = await server.ended;
  if (status !== 0) throw new Error(`the server ended with ${status}: ${stderr}`);
}

async function applied(estate: Estate, fleet: SshdFleet, options: EstateOptions): Promise<void> {
  const keys = await Promise.all(fleet.hosts.map((host) => readFile(host.knownHosts, 'utf8')));
  const { nginx, haproxy } = estate;
  const knownHosts = join(fleet.folder, 'known_hosts');
  const files = { knownHosts, balancerSocket: haproxy.socket, ...(nginx && { nginx: nginx.config }) };
  await writeFile(files.knownHosts, keys.join(''));
  const file = join(fleet.folder, 'estate.yaml');
  await writeFile(file, estateConfiguration(estate.targets, files, options));
  expectDone(await estate.edge('apply', '-f', file, '--json'));
}

async function createReleases(
  estate: Estate,
  fleet: SshdFleet,
  { versions, failing = {} }: EstateOptions,
): Promise<void> {
  const apps = versions.map(
    (version): SampleApp => ({ version, startupDelayMs: 200, broken: false, failing: failing[version] ?? 0 }),
  );
  for (const { version, path } of await buildReleases(join(fleet.folder, 'releases'), apps)) {
    const artifact = `app.tar.gz=${path}`;
    expectDone(await estate.edge('releases', 'create', PROJECT, version, '-a', artifact, '--json'));
  }
}

/** The run itself, if it ended with exit status 0; else what it said is in the error. */
export function expectDone(end: EdgeEnd): EdgeEnd {
  if (end.status === 0) return end;
  throw new Error(`exit status ${end.status}: ${end.stdout}${end.stderr}`);
}

async function versionAt(url: string): Promise<string> {
  const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => null);
  await answer?.text();
  return answer?.headers.get('x-app-version') ?? 'nothing';
}

/** Known by the home folders that the processes of the hosts have. */
async function strangersOf({ folder }: SshdFleet): Promise<readonly SeenProcess[]> {
  const found = await processesWith(`HOME=${join(folder, 'home-')}`);
  return found.filter(({ command }) => !command.includes('/server.mjs --home '));
}

/** Shells of connections that are closed, and the last `sleep` of a supervisor, need a moment to end. */
async function nothingLeft(strangers: Estate['strangers']): Promise<void> {
  let left: readonly SeenProcess[] = [];
  const none = async () => {
    left = await strangers();
    return left.length === 0;
  };
  await until('Edge leaves nothing on the hosts', none).catch((error: unknown) => {
    throw new Error(`left on the hosts: ${left.map(({ command }) => command).join('; ')}`, { cause: error });
  });
}
