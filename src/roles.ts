import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import type {
  ArtifactOptions,
  PluginOptions,
  ServeOptions,
  ServerAccess,
  WorkOptions,
} from './cli/environment.ts';
import { type RoleSettings, type RunningServer, startServer, startWorker } from './compose.ts';
import { announceServer } from './data-folder.ts';
import { EdgeError } from './domain/errors.ts';
import { originOf } from './outbound/origins.ts';

/** The roles of a process that is more than a command line. */

const DEFAULT_LISTEN = '127.0.0.1:7070';
export const DEFAULT_POOL = 'default';

/** Where a role of this version keeps its state, in the data folder or in the store of an address, and the variables of its process. */
export type Place = {
  readonly version: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly dataFolder: string;
  readonly store?: string;
};

/** `toFile`: what it has to say goes to a file in the data folder, since the terminal is for people. */
export function roleSettings(
  { version, variables, dataFolder, store }: Place,
  toFile: boolean,
): RoleSettings {
  const log = pino(
    toFile
      ? pino.destination({ dest: join(dataFolder, 'edge.log'), mkdir: true, sync: true })
      : pino.destination(2),
  );
  return {
    version,
    dataFolder,
    ...(store !== undefined && { store }),
    environment: variables,
    log: (message, fault) => (fault === undefined ? log.info(message) : log.warn({ fault }, message)),
  };
}

function artifactSettings({ artifactSpace, artifactOrigin }: ArtifactOptions): Partial<RoleSettings> {
  return {
    ...(artifactSpace !== undefined && { artifactBytes: artifactSpace * 1_024 ** 3 }),
    ...(artifactOrigin && { artifactOrigins: artifactOrigin.map(allowedOrigin) }),
  };
}

function allowedOrigin(url: string): string {
  if (URL.canParse(url) && /^(https?|ssh|file):$/.test(new URL(url).protocol)) return originOf(url);
  throw new EdgeError(
    'settings_invalid',
    `--artifact-origin: "${url}" is not an http, https, ssh or file address`,
  );
}

/** Those of `--plugin`, and of EDGE_PLUGINS with commas between; paths are from the folder that the process was started in. */
async function pluginSettings(
  { variables }: Place,
  { plugin = [] }: PluginOptions = {},
): Promise<Partial<RoleSettings>> {
  const listed = (variables.EDGE_PLUGINS ?? '').split(',').map((name) => name.trim());
  const modules = new Set([...plugin, ...listed.filter((name) => name !== '')]);
  if (modules.size === 0) return {};
  const { loadPlugins } = await import('./plugins.ts');
  return { plugins: await loadPlugins([...modules], process.cwd()) };
}

/** A server in this process, until `close`. */
export async function embedded(place: Place): Promise<ServerAccess> {
  const server = await startServer({
    ...roleSettings(place, true),
    ...(await pluginSettings(place)),
    host: '127.0.0.1',
    port: 0,
    pools: [DEFAULT_POOL],
  });
  const forget = await announceServer(place.dataFolder, server.url);
  return accessTo(server, async () => {
    await forget();
    await server.stop();
  });
}

export const accessTo = ({ url, token }: RunningServer, close: () => Promise<void>): ServerAccess => ({
  url,
  ...(token !== null && { token }),
  embedded: true,
  close,
});

/** Runs until it is told to end; resolves with the exit status. */
export async function serve(place: Place, options: ServeOptions): Promise<number> {
  const listen = addressOf(options.listen ?? DEFAULT_LISTEN);
  const pools = options.works ? [DEFAULT_POOL] : [];
  const tls = await tlsOf(options);
  const server = await startServer({
    ...roleSettings(place, false),
    ...artifactSettings(options),
    ...(await pluginSettings(place, options)),
    ...listen,
    ...{ pools, schedules: true },
    ...(tls && { tls }),
  });
  const forget = await announceServer(place.dataFolder, server.url);
  process.stdout.write(
    `Edge ${place.version} serves ${server.url} from ${place.store ?? place.dataFolder}\n${pageLine(server)}`,
  );
  await untilTold();
  await forget();
  await server.stop();
  return 0;
}

/** Where to look at it with a browser. */
export const pageLine = ({ url, hasPage }: RunningServer): string =>
  hasPage ? `The page: ${url}/\n` : 'There is no page: `npm run build:web` builds it.\n';

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

/** Runs until it is told to end; resolves with the exit status. */
export async function work(place: Place, options: WorkOptions): Promise<number> {
  const { server, token, pool, name = `worker-${pool}`, parallel } = options;
  if (server !== undefined && token === undefined) {
    throw new EdgeError('token_missing', 'A worker needs the token of its pool', {
      hint: 'Make one with `edge token create --role worker --pool …`, and set EDGE_TOKEN.',
    });
  }
  const worker = await startWorker({
    ...roleSettings(place, false),
    ...artifactSettings(options),
    ...(await pluginSettings(place, options)),
    ...(server !== undefined && token !== undefined && { remote: { server, token } }),
    pool,
    name,
    ...(parallel !== undefined && { slots: parallel }),
  });
  process.stdout.write(`Edge ${place.version} works for the pool ${pool}\n`);
  await untilTold();
  await worker.stop();
  return 0;
}

/** Until SIGINT, SIGTERM or SIGHUP. */
export function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
