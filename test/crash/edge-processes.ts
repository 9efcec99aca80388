import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EdgeClient, edgeClient } from '../../src/api/client.ts';
import { freePort } from '../support/free-port.ts';
import { Supervised } from '../support/supervised.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const EDGE = join(import.meta.dirname, '../../bin/edge');
const START_MS = 30_000;

/** `one`: server with its worker in it; else a worker of its own: over HTTP, or on the same data folder. */
export type Setup = 'one' | 'http' | 'folder';

/** What tells a server, and a worker beside it, where the store of a run is. */
export type StoreAccess = { readonly options: readonly string[]; readonly env: Environment };
/** A file in the data folder. */
const IN_DATA_FOLDER: StoreAccess = { options: [], env: {} };

export type EdgeSettings = {
  readonly setup: Setup;
  readonly folder: string;
  /** Left out: a file in the data folder. */
  readonly store?: StoreAccess;
  /** Added to the environment of the processes. */
  readonly env?: { readonly server?: Environment; readonly worker?: Environment };
};
type Environment = Readonly<Record<string, string>>;

/** Edge as real processes under a supervising loop. */
export type EdgeProcesses = {
  readonly dataFolder: string;
  readonly client: EdgeClient;
  readonly server: Supervised;
  /** The server where they are one. */
  readonly worker: Supervised;
  /** What a worker with another name, of which nobody knows what became of its predecessor, is started with. */
  readonly strangerArgs: readonly string[];
  /** Starts one more process of a role beside those that run, under another name. Whoever calls it stops it. */
  another(role: 'server' | 'worker'): Promise<Supervised>;
  /** What a command line prints. */
  cli(...args: readonly string[]): Promise<string>;
  /** Resolves when the server answers. */
  ready(): Promise<void>;
  stop(): Promise<void>;
};

export async function startEdge({
  setup,
  folder,
  store = IN_DATA_FOLDER,
  env: own = {},
}: EdgeSettings): Promise<EdgeProcesses> {
  const dataFolder = join(folder, 'data');
  const url = `http://127.0.0.1:${await freePort()}`;
  const alone = setup === 'one' ? [] : ['--no-worker'];
  const server = new Supervised({
    args: ['server', ...alone, '--listen', new URL(url).host, '--data', dataFolder, ...store.options],
    env: { ...store.env, ...own.server },
    logFile: join(folder, 'server.log'),
  });
  const started = [server];
  try {
    await until('the server answers', () => answers(url), START_MS);
    const token = (await readFile(join(dataFolder, 'token'), 'utf8')).trim();
    const env = { EDGE_SERVER: url, EDGE_TOKEN: token };
    const cli = async (...args: readonly string[]) =>
      (await run(EDGE, [...args], { env: { ...process.env, ...env }, maxBuffer: 2 ** 28 })).stdout;
    const client = edgeClient({ server: url, token });
    const place = { folder, dataFolder, url, client, store, env: own.worker ?? {} };
    const worker = setup === 'one' ? server : await startWorker(setup, place);
    if (worker !== server) started.push(worker);
    const stop = async () => {
      for (const one of started.toReversed()) await one.stop();
    };
    const ready = () => until('the server answers', () => answers(url), START_MS);
    const strangerArgs = [
      'worker',
      '--name',
      'stranger',
      '--server',
      url,
      '--data',
      join(folder, 'stranger'),
    ];
    const another = async (role: 'server' | 'worker') => {
      const beside = [...alone, '--listen', `127.0.0.1:${await freePort()}`, '--data', dataFolder];
      const args = role === 'worker' ? strangerArgs : ['server', ...beside, ...store.options];
      const one = role === 'worker' ? worker : server;
      return new Supervised({ args, env: one.env, logFile: join(folder, `another-${role}.log`) });
    };
    return { dataFolder, client, server, worker, strangerArgs, another, cli, ready, stop };
  } catch (error) {
    await Promise.all(started.map((one) => one.stop()));
    throw error;
  }
}

type Place = {
  readonly folder: string;
  readonly dataFolder: string;
  readonly url: string;
  readonly client: EdgeClient;
  readonly store: StoreAccess;
  readonly env: Environment;
};

async function startWorker(setup: 'http' | 'folder', place: Place): Promise<Supervised> {
  const { folder, dataFolder, url, client, store, env } = place;
  const logFile = join(folder, 'worker.log');
  if (setup === 'folder')
    return new Supervised({
      args: ['worker', '--data', dataFolder, ...store.options],
      env: { ...store.env, ...env },
      logFile,
    });
  const { secret } = await client.createToken({ name: 'crash', role: 'worker', pool: 'default' });
  const args = ['worker', '--server', url, '--data', join(folder, 'worker')];
  return new Supervised({ args, env: { ...env, EDGE_TOKEN: secret }, logFile });
}

const answers = (url: string): Promise<boolean> =>
  edgeClient({ server: url, deadlineMs: 2_000 })
    .health()
    .then(
      () => true,
      () => false,
    );
