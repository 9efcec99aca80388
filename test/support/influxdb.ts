import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorldSample } from '../contracts/metrics.ts';
import { freePort } from './free-port.ts';
import { answers, type MetricsServer, metricsServer } from './metrics-server.ts';

export type InfluxdbSettings = {
  /** The program, from `requireService('influxdb')`. */
  readonly path: string;
  /** What it has measured, to the millisecond, in the database `edge`. */
  readonly samples: readonly WorldSample[];
  /** Whom alone it answers, and who may only read. */
  readonly reader?: { readonly name: string; readonly password: string };
  /** More settings: section by section, such as `coordinator`. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, number | boolean>>>>;
};

/** A real InfluxDB with a data folder of its own, which it keeps over `kill` and `start`. */
export type Influxdb = MetricsServer & {
  readonly url: string;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
};

export async function startInfluxdb({
  path,
  samples,
  reader,
  settings = {},
}: InfluxdbSettings): Promise<Influxdb> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-influxdb-'));
  const [http, rpc] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const url = `http://${http}`;
  const file = join(folder, 'influxdb.conf');
  const server = metricsServer({
    name: 'InfluxDB',
    command: [path, '-config', file],
    isReady: () => answers(`${url}/ping`, 204),
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const say = (statement: string) => post(`${url}/query`, new URLSearchParams({ q: statement }));
  const admit = async ({ name, password }: NonNullable<InfluxdbSettings['reader']>): Promise<void> => {
    await say("CREATE USER root WITH PASSWORD 'root' WITH ALL PRIVILEGES");
    await say(`CREATE USER ${name} WITH PASSWORD '${password}'`);
    await say(`GRANT READ ON edge TO ${name}`);
    await server.kill();
    const guarded = { ...settings, http: { ...settings.http, 'auth-enabled': true } };
    writeFileSync(file, configuration({ folder, http, rpc }, guarded));
    await server.start();
  };
  try {
    writeFileSync(file, configuration({ folder, http, rpc }, settings));
    await server.start();
    await say('CREATE DATABASE edge');
    await post(`${url}/write?db=edge&precision=ms`, samples.map(lineOf).join('\n'));
    if (reader) await admit(reader);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...server, url, stop };
}

async function post(url: string, body: URLSearchParams | string): Promise<void> {
  const answer = await fetch(url, { method: 'POST', body });
  const text = await answer.text();
  if (answer.status >= 300 || text.includes('"error"')) throw new Error(`InfluxDB refuses ${body}: ${text}`);
}

type Places = { readonly folder: string; readonly http: string; readonly rpc: string };

function configuration(
  { folder, http, rpc }: Places,
  more: NonNullable<InfluxdbSettings['settings']>,
): string {
  const sections: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    meta: { dir: join(folder, 'meta') },
    data: { dir: join(folder, 'data'), 'wal-dir': join(folder, 'wal') },
    monitor: { 'store-enabled': false },
    ...more,
    http: { 'bind-address': http, ...more.http },
  };
  const linesOf = (values: Readonly<Record<string, unknown>>): readonly string[] =>
    Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const lines = Object.entries(sections).flatMap(([name, values]) => [`[${name}]`, ...linesOf(values)]);
  return [...linesOf({ 'reporting-disabled': true, 'bind-address': rpc }), ...lines, ''].join('\n');
}

/** A line of its protocol: `errors,server=web-1,zone=a value=1 1767607200000`. */
function lineOf({ name, labels, atMs, value }: WorldSample): string {
  const escaped = (text: string): string => text.replaceAll(/[ ,=]/g, '\\$&');
  const tags = Object.entries(labels).map(([tag, text]) => `,${tag}=${escaped(text)}`);
  return `${name}${tags.join('')} value=${value} ${atMs}`;
}
