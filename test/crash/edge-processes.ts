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

/** Edge as real processes under a supervising loop. */
export type EdgeProcesses = {
  readonly dataFolder: string;
  readonly client: EdgeClient;
  readonly server: Supervised;
  /** The server where they are one. */
  readonly worker: Supervised;
  /** What a worker with another name, of which nobody knows what became of its predecessor, is started with. */
  readonly strangerArgs: readonly string[];
  /** What a command line prints. */
  cli(...args: readonly string[]): Promise<string>;
  /** Resolves when the server answers. */
  ready(): Promise<void>;
  stop(): Promise<void>;
};

export async function startEdge(setup: Setup, folder: string): Promise<EdgeProcesses> {
  const dataFolder = join(folder, 'data');
  const url = `http://127.0.0.1:${await freePort()}`;
  const alone = setup === 'one' ? [] : ['--no-worker'];
  const server = new Supervised({
    args: ['server', ...alone, '--listen', new URL(url).host, '--data', dataFolder],
    env: {},
    logFile: join(folder, 'server.log'),
  });
  const started = [server];
  try {
    await until('the server answers', () => answers(url), START_MS);
    const token = (await readFile(join(dataFolder, 'token'), 'utf8')).trim();
    const env = { EDGE_SERVER: url, EDGE_TOKEN: token };
    const cli = async (...args: readonly string[]) =>
      (await run(EDGE, [...args], { env: { ...process.env, ...env }, maxBuffer: 2 ** 28 })).stdout;
    const worker = setup === 'one' ? server : await startWorker(setup, { folder, dataFolder, url, cli });
    if (worker !== server) started.push(worker);
    const stop = async () => {
      for (const one of started.toReversed()) await one.stop();
    };
    const client = edgeClient({ server: url, token });
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
    return { dataFolder, client, server, worker, strangerArgs, cli, ready, stop };
  } catch (error) {
    await Promise.all(started.map((one) => one.stop()));
    throw error;
  }
}

type Place = {
  readonly folder: string;
  readonly dataFolder: string;
  readonly url: string;
  readonly cli: EdgeProcesses['cli'];
};

async function startWorker(setup: 'http' | 'folder', place: Place): Promise<Supervised> {
  const { folder, dataFolder, url, cli } = place;
  const logFile = join(folder, 'worker.log');
  if (setup === 'folder') return new Supervised({ args: ['worker', '--data', dataFolder], env: {}, logFile });
  const made = await cli('token', 'create', 'crash', '--role', 'worker', '--pool', 'default');
  const args = ['worker', '--server', url, '--data', join(folder, 'worker')];
  return new Supervised({ args, env: { EDGE_TOKEN: made.trim() }, logFile });
}

const answers = (url: string): Promise<boolean> =>
  edgeClient({ server: url, deadlineMs: 2_000 })
    .health()
    .then(
      () => true,
      () => false,
    );
