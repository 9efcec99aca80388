import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorldSample } from '../contracts/metrics.ts';

/** A small store of metrics with an API of its own: `GET /series?q=<name> <server>&from=&to=`, times in seconds. */
export type SeriesServer = {
  readonly url: string;
  /** It says that its answers are parts, or no longer. */
  setPartial(isPartial: boolean): void;
  break(): Promise<void>;
  mend(): Promise<void>;
  hang(): void;
};

export async function startSeriesServer(samples: readonly WorldSample[]): Promise<SeriesServer> {
  const state = { partial: false, hanging: false };
  const answer = (url: URL, response: ServerResponse): void => {
    if (state.hanging) return;
    const asked = askedIn(url.searchParams);
    if (!asked) return void response.writeHead(400).end(JSON.stringify({ message: 'not understood' }));
    const warnings = state.partial ? ['shard 2 does not answer'] : [];
    response.writeHead(200).end(JSON.stringify({ warnings, series: seriesFor(samples, asked) }));
  };
  const server = createServer((request, response) =>
    answer(new URL(request.url ?? '/', 'http://here'), response),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/series?q={{query}}&from={{from}}&to={{to}}`,
    setPartial: (partial) => void Object.assign(state, { partial }),
    break: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    mend: async () => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    hang: () => void Object.assign(state, { hanging: true }),
  };
}

type Asked = { readonly name: string; readonly server?: string; readonly from: number; readonly to: number };

function askedIn(words: URLSearchParams): Asked | undefined {
  const [, name, , server] = /^(\w+)( (.*))?$/s.exec(words.get('q') ?? '') ?? [];
  const [from, to] = [Number(words.get('from')), Number(words.get('to'))];
  if (name === undefined || !(from <= to)) return undefined;
  return { name, from, to, ...(server !== undefined && { server }) };
}

function seriesFor(samples: readonly WorldSample[], { name, server, from, to }: Asked) {
  const found = samples.filter(
    (one) =>
      one.name === name &&
      (server === undefined || one.labels.server === server) &&
      one.atMs / 1_000 >= from &&
      one.atMs / 1_000 <= to,
  );
  // Newest first, as CloudWatch does.
  return [...Map.groupBy(found, ({ labels }) => JSON.stringify(labels))].map(([labels, those]) => ({
    metric: name,
    tags: JSON.parse(labels) as unknown,
    points: those
      .toSorted((a, b) => b.atMs - a.atMs)
      .map(({ atMs, value }) => ({ at: atMs / 1_000, value: inJson(value) })),
  }));
}

const inJson = (value: number): number | string =>
  Number.isFinite(value) ? value : String(value).replace('Infinity', 'Inf');
