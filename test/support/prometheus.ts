import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WorldSample } from '../contracts/metrics.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const run = promisify(execFile);

export type PrometheusSettings = {
  /** The program, from `requireService('prometheus')`. */
  readonly path: string;
  /** What it has measured, at exactly these times. */
  readonly samples: readonly WorldSample[];
  /** An address of 127.0.0.0/8 of the caller's own. */
  readonly address?: string;
  /** Further data is read from here with each query (`remote_read`). */
  readonly remoteRead?: string;
  /** It scrapes these, `host:port`, every second. */
  readonly scrapes?: readonly string[];
  /** Whom it answers; `hash` is bcrypt of the password. */
  readonly user?: { readonly name: string; readonly password: string; readonly hash: string };
  /** More options of the server, such as `--query.max-samples=1000`. */
  readonly options?: readonly string[];
};

/** A real Prometheus with a data folder of its own, which it keeps over `kill` and `start`. */
export type Prometheus = {
  readonly url: string;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same folder and port. */
  start(): Promise<void>;
  /** It stands still: its port takes connections, and nothing answers. */
  freeze(): void;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
};

/** Starts Prometheus over a folder that `promtool` has filled. */
export async function startPrometheus(settings: PrometheusSettings): Promise<Prometheus> {
  const { address = '127.0.0.1', path } = settings;
  const folder = mkdtempSync(join(tmpdir(), 'edge-prometheus-'));
  const url = `http://${address}:${await freePort(address)}`;
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    child = undefined;
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const start = async (): Promise<void> => {
    child = spawn(path, argumentsFor(settings, folder, new URL(url).host), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await untilReady(child, url, settings);
  };
  try {
    await fill(folder, settings);
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, kill, start, stop, freeze: () => void child?.kill('SIGSTOP') };
}

const argumentsFor = ({ options = [] }: PrometheusSettings, folder: string, listen: string) => [
  `--config.file=${join(folder, 'prometheus.yml')}`,
  `--web.config.file=${join(folder, 'web.yml')}`,
  `--storage.tsdb.path=${join(folder, 'data')}`,
  `--web.listen-address=${listen}`,
  // The samples of a test have fixed times, which may be long ago.
  '--storage.tsdb.retention.time=100y',
  ...options,
];

/** Until then it answers 503 to whoever it knows. */
async function untilReady(child: ChildProcess, url: string, { user }: PrometheusSettings): Promise<void> {
  const pair = Buffer.from(`${user?.name}:${user?.password}`).toString('base64');
  const headers = { authorization: `Basic ${pair}` };
  let log = '';
  child.stderr?.on('data', (data) => {
    log = `${log}${data}`.slice(-4_000);
  });
  await until(
    'Prometheus answers',
    async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended: ${log}`);
      const answer = await fetch(`${url}/-/ready`, user ? { headers } : {}).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    },
    60_000,
  );
}

async function fill(folder: string, settings: PrometheusSettings): Promise<void> {
  const { samples, remoteRead, user, scrapes = [] } = settings;
  const [data, metrics] = [join(folder, 'data'), join(folder, 'metrics.txt')];
  // JSON is YAML.
  const reads = remoteRead === undefined ? [] : [{ url: remoteRead, read_recent: true }];
  const scrape = { job_name: 'applications', scrape_interval: '1s', static_configs: [{ targets: scrapes }] };
  const jobs = scrapes.length === 0 ? [] : [scrape];
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify({ remote_read: reads, scrape_configs: jobs }));
  const users = user ? { basic_auth_users: { [user.name]: user.hash } } : {};
  writeFileSync(join(folder, 'web.yml'), JSON.stringify(users));
  mkdirSync(data);
  if (samples.length === 0) return;
  writeFileSync(metrics, openMetrics(samples));
  await run('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', metrics, data]);
}

/** https://openmetrics.io: the samples of a metric together, those of a series in the order of their times. */
function openMetrics(samples: readonly WorldSample[]): string {
  const lines = [...Map.groupBy(samples, ({ name }) => name)].flatMap(([name, those]) => [
    `# TYPE ${name} gauge`,
    ...those.toSorted((a, b) => a.atMs - b.atMs).map(sampleLine),
  ]);
  return `${lines.join('\n')}\n# EOF\n`;
}

function sampleLine({ name, labels, value, atMs }: WorldSample): string {
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}{${pairs.join(',')}} ${String(value).replace('Infinity', 'Inf')} ${(atMs / 1_000).toFixed(3)}`;
}
