import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { WorldSample } from '../contracts/metrics.ts';
import { freePort } from './free-port.ts';
import { answers, type MetricsServer, metricsServer } from './metrics-server.ts';

const run = promisify(execFile);

/** A real graphite-web over files of whisper, which it keeps over `kill` and `start`. */
export type Graphite = MetricsServer & {
  readonly url: string;
  /** From now on these are all that it has measured, to 30 seconds. */
  fill(samples: readonly WorldSample[]): Promise<void>;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
};

/** `path`: `graphite-manage`, from `requireService('graphite')`. */
export async function startGraphite(path: string): Promise<Graphite> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-graphite-'));
  const host = `127.0.0.1:${await freePort()}`;
  const url = `http://${host}`;
  const env = { GRAPHITE_SETTINGS_MODULE: 'edge_settings', PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' };
  const command = [path, 'runserver', '--noreload', host] as const;
  const isReady = () => answers(`${url}/render?format=json`);
  const server = metricsServer({ name: 'Graphite', command, env, isReady });
  const stop = async (): Promise<void> => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const [tables, empty] = [join(folder, 'graphite.db'), join(folder, 'empty.db')];
  const fill = async (samples: readonly WorldSample[]): Promise<void> => {
    rmSync(join(folder, 'whisper', '_tagged'), { recursive: true, force: true });
    await copyFile(empty, tables);
    await writeSamples(folder, samples);
    await tag(url, samples);
  };
  try {
    writeSettings(folder);
    await run(path, ['migrate', '--run-syncdb'], { env: { ...process.env, ...env } });
    await copyFile(tables, empty);
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...server, url, fill, stop };
}

/** In place of those that the package has in `/etc`. JSON of texts is Python too. */
function writeSettings(folder: string): void {
  mkdirSync(join(folder, 'whisper'));
  const settings = {
    SECRET_KEY: 'of a test',
    STORAGE_DIR: folder,
    CONF_DIR: folder,
    LOG_DIR: folder,
    WHISPER_DIR: join(folder, 'whisper'),
    CARBONLINK_HOSTS: [],
    DATABASES: {
      default: { ENGINE: 'django.db.backends.sqlite3', NAME: join(folder, 'graphite.db') },
    },
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  writeFileSync(join(folder, 'edge_settings.py'), lines.join(''));
}

/** `errors;server=web-1;zone=a`, as tags are sorted there (graphite/tags/utils.py). */
const seriesOf = ({ name, labels }: WorldSample): string =>
  [
    name,
    ...Object.entries(labels)
      .map(([label, value]) => `${label}=${value}`)
      .toSorted(),
  ].join(';');

/** Where carbon would write a series (`TaggedSeries.encode`). */
function fileOf(folder: string, series: string): string {
  const hash = createHash('sha256').update(series).digest('hex');
  const name = series.replaceAll('.', '_DOT_');
  return join(folder, 'whisper', '_tagged', hash.slice(0, 3), hash.slice(3, 6), `${name}.wsp`);
}

const YEAR_MS = 366 * 86_400_000;

async function writeSamples(folder: string, samples: readonly WorldSample[]): Promise<void> {
  const oldest = samples.reduce((least, { atMs }) => Math.min(least, atMs), Date.now());
  const kept = `30s:${Math.ceil((Date.now() - oldest) / YEAR_MS) + 1}y`;
  const write = async ([series, those]: [string, readonly WorldSample[]]): Promise<void> => {
    const file = fileOf(folder, series);
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file)) await run('whisper-create', ['--sparse', file, kept]);
    await run('whisper-update', [file, ...those.map(({ atMs, value }) => `${atMs / 1_000}:${value}`)]);
  };
  await Promise.all([...Map.groupBy(samples, seriesOf)].map(write));
}

/** As carbon makes a series known that it has a first value of. */
async function tag(url: string, samples: readonly WorldSample[]): Promise<void> {
  const form = new URLSearchParams();
  for (const series of new Set(samples.map(seriesOf))) form.append('path', series);
  const answer = await fetch(`${url}/tags/tagMultiSeries`, { method: 'POST', body: form });
  if (answer.status !== 200) throw new Error(`Graphite does not tag: ${await answer.text()}`);
}
