import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

/** A server that lists hosts, and can be told how. */
export type ListServer = {
  readonly url: string;
  /** Headers of each request that came, oldest first. */
  readonly asked: readonly IncomingHttpHeaders[];
  /** Path and query of each, oldest first. */
  readonly addresses: readonly string[];
  /** What it answers from now on. */
  answers(how: Answer): void;
  stop(): Promise<void>;
};

/** `wants`: the value of `Authorization` without which it answers 401. `silent`: it takes the request and says nothing. */
export type Answer = {
  readonly status?: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly wants?: string;
  readonly silent?: boolean;
};

export async function startListServer(first: Answer = {}): Promise<ListServer> {
  let now = first;
  const asked: IncomingHttpHeaders[] = [];
  const addresses: string[] = [];
  const server = createServer((request, response: ServerResponse) => {
    asked.push(request.headers);
    addresses.push(request.url ?? '');
    if (now.silent) return;
    const isRefused = now.wants !== undefined && request.headers.authorization !== now.wants;
    response.writeHead(isRefused ? 401 : (now.status ?? 200), now.headers);
    response.end(isRefused ? 'no' : now.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hosts?key=in-the-query`,
    asked,
    addresses,
    answers: (how) => {
      now = how;
    },
    stop: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
