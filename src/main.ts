import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { runCli } from './cli/cli.ts';
import { type DemoStage, playDemo } from './cli/demo.ts';
import type {
  CliEnvironment,
  CliSettings,
  DemoOptions,
  ServeOptions,
  ServerAccess,
  WorkOptions,
} from './cli/environment.ts';
import {
  announceServer,
  findServer,
  type RoleSettings,
  type RunningServer,
  startServer,
  startWorker,
} from './compose.ts';
import { EdgeError } from './domain/errors.ts';
import { type Fleet, startFleet } from './lab/fleet.ts';
import { startLoad } from './lab/load.ts';

const VERSION = await versionOf();
const DEFAULT_LISTEN = '127.0.0.1:7070';
const DEFAULT_POOL = 'default';
const DEMO_HOSTS = 8;

/** Environment variables are read here, once; the options of the command line go before them. */
const settings: CliSettings = {
  ...(process.env.EDGE_SERVER && { server: process.env.EDGE_SERVER }),
  ...(process.env.EDGE_TOKEN && { token: process.env.EDGE_TOKEN }),
  ...(process.env.EDGE_DATA && { dataFolder: process.env.EDGE_DATA }),
  ...(process.env.EDGE_STORE && { store: process.env.EDGE_STORE }),
};

const environment: CliEnvironment = {
  version: VERSION,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  terminal: {
    redraws: process.stdout.isTTY === true && process.env.TERM !== 'dumb',
    answers: process.stdin.isTTY === true && process.stdout.isTTY === true,
    colours: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
    size: () => ({ columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 }),
  },
  folder: process.cwd(),
  settings,
  now: () => Date.now(),
  sleep: (ms, signal) => wait(ms, undefined, signal && { signal }).catch(() => undefined),
  onInterrupt: (listener) => {
    process.on('SIGINT', listener);
    return () => process.off('SIGINT', listener);
  },
  connect,
  serve,
  work,
  demo,
};

async function versionOf(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return String(JSON.parse(text).version);
}

function roleSettings(dataFolder: string, toFile: boolean, store?: string): RoleSettings {
  const log = pino(
    toFile
      ? pino.destination({ dest: join(dataFolder, 'edge.log'), mkdir: true, sync: true })
      : pino.destination(2),
  );
  return {
    version: VERSION,
    dataFolder,
    ...(store !== undefined && { store }),
    environment: process.env,
    log: (message, fault) => (fault === undefined ? log.info(message) : log.warn({ fault }, message)),
  };
}

const folderOf = (given: { readonly dataFolder?: string }): string =>
  given.dataFolder ?? settings.dataFolder ?? join(homedir(), '.edge-data');

/** Finds the data folder's server, or is one for the time of a command. */
async function connect(options: { readonly dataFolder?: string }): Promise<ServerAccess> {
  const dataFolder = folderOf(options);
  const found = await findServer(dataFolder);
  if (found)
    return {
      url: found.url,
      ...(found.token !== null && { token: found.token }),
      embedded: false,
      close: async () => {},
    };
  const server = await startServer({
    ...roleSettings(dataFolder, true, settings.store),
    host: '127.0.0.1',
    port: 0,
    pools: [DEFAULT_POOL],
  });
  const forget = await announceServer(dataFolder, server.url);
  return accessTo(server, async () => {
    await forget();
    await server.stop();
  });
}

const accessTo = ({ url, token }: RunningServer, close: () => Promise<void>): ServerAccess => ({
  url,
  ...(token !== null && { token }),
  embedded: true,
  close,
});

async function serve(options: ServeOptions): Promise<number> {
  const dataFolder = folderOf(options);
  const listen = addressOf(options.listen ?? DEFAULT_LISTEN);
  const pools = options.works ? [DEFAULT_POOL] : [];
  const tls = await tlsOf(options);
  const store = options.store ?? settings.store;
  const server = await startServer({
    ...roleSettings(dataFolder, false, store),
    ...listen,
    pools,
    ...(tls && { tls }),
  });
  const forget = await announceServer(dataFolder, server.url);
  process.stdout.write(`Edge ${VERSION} serves ${server.url} from ${store ?? dataFolder}\n`);
  await untilTold();
  await forget();
  await server.stop();
  return 0;
}

async function tlsOf({ tlsCert, tlsKey }: ServeOptions): Promise<{ key: string; cert: string } | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  const [cert, key] = await Promise.all([pemOf('--tls-cert', tlsCert), pemOf('--tls-key', tlsKey)]);
  return { cert, key };
}

async function pemOf(option: string, path: string | undefined): Promise<string> {
  if (path === undefined)
    throw new EdgeError('settings_invalid', `${option} is missing`, {
      hint: 'Give --tls-cert and --tls-key, or neither.',
    });
  return readFile(path, 'utf8').catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EdgeError('settings_invalid', `${option}: ${why}`, { cause });
  });
}

function addressOf(listen: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535) {
    throw new EdgeError('settings_invalid', `"${listen}" is not an address to listen on`, {
      hint: 'Write host:port, such as 127.0.0.1:7070.',
    });
  }
  return { host, port };
}

async function work(options: WorkOptions): Promise<number> {
  const { server, token, pool, name = `worker-${pool}`, parallel } = options;
  if (server !== undefined && token === undefined) {
    throw new EdgeError('token_missing', 'A worker needs the token of its pool', {
      hint: 'Make one with `edge token create --role worker --pool …`, and set EDGE_TOKEN.',
    });
  }
  const worker = await startWorker({
    ...roleSettings(folderOf(options), false, options.store ?? settings.store),
    ...(server !== undefined && token !== undefined && { remote: { server, token } }),
    pool,
    name,
    ...(parallel !== undefined && { slots: parallel }),
  });
  process.stdout.write(`Edge ${VERSION} works for the pool ${pool}\n`);
  await untilTold();
  await worker.stop();
  return 0;
}

/** Until SIGINT, SIGTERM or SIGHUP. */
function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

/** All of the demo lives in a folder of its own, which ends with it. */
async function demo(options: DemoOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-demo-'));
  const fleet = await startFleet({ folder: join(folder, 'lab'), hosts: DEMO_HOSTS });
  const dataFolder = join(folder, 'data');
  try {
    await mkdir(dataFolder);
    const server = await startServer({
      ...roleSettings(dataFolder, true),
      host: '127.0.0.1',
      port: 0,
      pools: [DEFAULT_POOL],
    });
    try {
      const stage = await stageOf(fleet, folder);
      const code = await playDemo(
        stage,
        accessTo(server, async () => {}),
        { environment, options },
      );
      if (!options.once && code !== 130) await stayUp(server, dataFolder);
      return code;
    } finally {
      await server.stop();
    }
  } finally {
    await fleet.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function stayUp(server: RunningServer, dataFolder: string): Promise<void> {
  process.stdout.write(
    `\nThe lab stays up until Ctrl-C. The API answers at ${server.url}; in another terminal:\n`,
  );
  process.stdout.write(
    `  EDGE_SERVER=${server.url} EDGE_TOKEN=$(cat ${join(dataFolder, 'token')}) bin/edge status\n`,
  );
  await untilTold();
}

async function stageOf(fleet: Fleet, folder: string): Promise<DemoStage> {
  const configurationFile = join(folder, 'lab.yaml');
  await writeFile(configurationFile, fleet.configuration);
  const { lab, releases, url } = fleet;
  return {
    configurationFile,
    releases,
    url,
    hosts: lab.hosts.length,
    startLoad: () => startLoad({ url, ratePerS: 200, slow: { every: 20, path: '/slow?ms=300' } }),
    servedVersions: () => Promise.all(lab.hosts.map(({ appUrl }) => versionAt(appUrl))),
    startedMoreThanOnce: async () => (await lab.countStarts()).startedMoreThanOnce.length,
  };
}

async function versionAt(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
  return answer?.headers.get('x-app-version') ?? 'nothing';
}

/** Whoever read the answer is gone (`edge logs … | head`): the command ends as any program that SIGPIPE ends. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), environment);
