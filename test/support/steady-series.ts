import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A source of metrics in which every server counts the same in each step. */
export type SteadySeries = {
  /** How a source of the kind `http-json` is told of it. */
  readonly source: object;
  stop(): Promise<void>;
};

/** By what is asked for, and then by server. */
export type Steady = Readonly<Record<string, Readonly<Record<string, number>>>>;

export async function startSteadySeries(steady: Steady): Promise<SteadySeries> {
  const server = createServer((request, response) => {
    const words = new URL(request.url ?? '/', 'http://here').searchParams;
    const [from, to, step] = ['from', 'to', 'step'].map((name) => Number(words.get(name)));
    const points = Math.floor(((to ?? 0) - (from ?? 0)) / (step ?? 1)) + 1;
    const times = Array.from({ length: points }, (_, n) => (from ?? 0) + n * (step ?? 1));
    const series = Object.entries(steady[words.get('q') ?? ''] ?? {}).map(([instance, value]) => ({
      labels: { instance },
      times,
      values: times.map(() => value),
    }));
    response.end(JSON.stringify({ series }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    source: {
      kind: 'http-json',
      url: `http://127.0.0.1:${port}/series?q={{query}}&from={{from}}&to={{to}}&step={{step}}`,
      unit: 'milliseconds',
      delayMs: 0,
      paths: { series: 'series', labels: 'labels', times: 'times', values: 'values' },
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
