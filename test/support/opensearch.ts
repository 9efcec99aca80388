import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorldSample } from '../contracts/metrics.ts';
import { answers, type MetricsServer, metricsServer } from './metrics-server.ts';

/** A real OpenSearch of one node, which keeps its data over `kill` and `start`. It takes some seconds to start. */
export type Opensearch = MetricsServer & {
  readonly url: string;
  /** Makes an index of samples, which are found at once. */
  fill(index: string, samples: readonly WorldSample[]): Promise<void>;
  /** Makes an index of which no search can group anything. */
  spoil(index: string): Promise<void>;
  /** Removes indices; a pattern is none. */
  remove(...indices: readonly string[]): Promise<void>;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
};

/** `path`: the folder of its jars, from `requireService('opensearch')`. */
export async function startOpensearch(path: string): Promise<Opensearch> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-opensearch-'));
  const port = await runnerPort();
  const url = `http://127.0.0.1:${port}`;
  const server = metricsServer({
    name: 'OpenSearch',
    command: ['java', ...JAVA, '-cp', `${path}/*`, RUNNER, ...wordsFor(folder, port)],
    isReady: () => answers(`${url}/_cluster/health?wait_for_status=yellow&timeout=5s`),
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    writeSettings(folder);
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const send = sender(url);
  return {
    ...{ ...server, url, stop },
    fill: async (index, samples) => {
      await send('PUT', `/${index}`, JSON.stringify(indexOf('keyword')));
      const lines = samples.flatMap(({ name, labels, atMs, value }) => [
        { index: {} },
        { '@timestamp': atMs, name, ...labels, value },
      ]);
      const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      await send('POST', `/${index}/_bulk?refresh=true`, body);
    },
    spoil: (index) => send('PUT', `/${index}`, JSON.stringify(indexOf('text'))),
    remove: (...indices) => send('DELETE', `/${indices.join(',')}?ignore_unavailable=true`),
  };
}

const RUNNER = 'org.codelibs.opensearch.runner.OpenSearchRunner';

/** What makes it start soon, and small. */
const JAVA = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Of its modules those that a search for metrics has use for. */
const MODULES = ['org.opensearch.transport.Netty4Plugin', 'org.opensearch.painless.PainlessPlugin'];

/** It listens on the next port after its base. */
const wordsFor = (folder: string, port: number): readonly string[] => [
  ...['-basePath', folder, '-confPath', join(folder, 'conf'), '-numOfNode', '1'],
  ...['-baseHttpPort', String(port - 1), '-disableESLogger', '-moduleTypes', MODULES.join(',')],
];

function writeSettings(folder: string): void {
  mkdirSync(join(folder, 'conf'));
  const settings = {
    'http.host': '127.0.0.1',
    'transport.host': '127.0.0.1',
    'transport.port': 0,
    'discovery.type': 'single-node',
    // A full disk of the machine is none of its business.
    'cluster.routing.allocation.disk.threshold_enabled': false,
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'conf', 'opensearch.yml'), JSON.stringify(settings));
}

/** A text in place of a keyword cannot be grouped by. */
const indexOf = (labels: 'keyword' | 'text') => ({
  settings: { number_of_shards: 1, number_of_replicas: 0 },
  mappings: {
    properties: {
      '@timestamp': { type: 'date' },
      value: { type: 'double' },
      ...Object.fromEntries(['name', 'server', 'zone'].map((label) => [label, { type: labels }])),
    },
  },
});

const sender =
  (url: string) =>
  async (method: string, path: string, body?: string): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body }) });
    const text = await answer.text();
    if (answer.status >= 300 || text.includes('"errors":true'))
      throw new Error(`OpenSearch refuses ${method} ${path}: ${text}`);
  };

/** The runner takes ports from 9201 to 9299 only. */
async function runnerPort(): Promise<number> {
  const first = process.pid % 90;
  for (let next = 0; next < 90; next += 1) {
    const port = 9_205 + ((first + next) % 90);
    if (await isFree(port)) return port;
  }
  throw new Error('no port from 9205 to 9294 is free');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
