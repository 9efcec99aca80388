import { existsSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';

/**
 * A web server behind a balancer, steered by the test. It answers with its name and version; with the status 500 at `/fail`, and not at all at
 * `/cut`.
 */
export type MemberServer = {
  readonly name: string;
  readonly port: number;
  /** Requests that wait at `/hold`. */
  readonly held: number;
  readonly requests: number;
  /** Looks at its health page that found its gate closed. */
  readonly closedLooks: number;
  /** Requests that it works on now. */
  readonly active: number;
  /** The fields of the last request, health looks left out. */
  readonly lastHeaders: IncomingHttpHeaders;
  healthy: boolean;
  /** While true, requests to `/hold` wait for `release`; else they are answered at once. */
  holding: boolean;
  version: string;
  /** While this file is there, `/health` says that it is not ready; or its `port` takes no connection, as behind a firewall. */
  gate: { readonly file: string; readonly closes: 'page' | 'port' } | undefined;
  /** While true, it ends the connection after each answer, as a server that stops gracefully does. */
  hangingUp: boolean;
  release(): void;
  /** Stops as a process that dies: connections are cut, requests in flight with them. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
};

export async function startMemberServer(name: string, host = '127.0.0.1'): Promise<MemberServer> {
  const held = new Set<ServerResponse>();
  let requests = 0;
  let closedLooks = 0;
  let active = 0;
  let lastHeaders: IncomingHttpHeaders = {};
  let server: Server | undefined;
  let port = 0;
  const answer = (outgoing: ServerResponse, status = 200): void => {
    if (member.hangingUp) outgoing.setHeader('connection', 'close');
    outgoing.writeHead(status, {
      'x-app-version': member.version,
      'x-member': name,
      'content-type': 'text/plain',
    });
    outgoing.end(`${name} ${member.version}\n`);
  };
  const isClosed = (): boolean => member.gate !== undefined && existsSync(member.gate.file);
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server = createServer({ keepAliveTimeout: 65_000 }, (incoming, outgoing) => {
        const url = new URL(incoming.url ?? '/', 'http://member');
        incoming.resume();
        if (url.pathname === '/health') {
          if (isClosed()) closedLooks += 1;
          return answer(outgoing, member.healthy && !isClosed() ? 200 : 503);
        }
        requests += 1;
        active += 1;
        outgoing.once('close', () => {
          active -= 1;
        });
        lastHeaders = incoming.headers;
        if (url.pathname === '/hold' && member.holding) return void held.add(outgoing);
        if (url.pathname === '/fail') return answer(outgoing, 500);
        if (url.pathname === '/cut') return void incoming.socket.destroy();
        if (url.pathname === '/slow')
          return void setTimeout(() => answer(outgoing), Number(url.searchParams.get('ms') ?? 100));
        answer(outgoing);
      });
      server.on('connection', (socket) => {
        if (member.gate?.closes === 'port' && isClosed()) socket.destroy();
      });
      server.once('error', reject);
      server.listen(port, host, () => {
        const address = server?.address();
        port = typeof address === 'object' && address ? address.port : port;
        resolve();
      });
    });
  const member: MemberServer = {
    name,
    get port() {
      return port;
    },
    get held() {
      return held.size;
    },
    get requests() {
      return requests;
    },
    get closedLooks() {
      return closedLooks;
    },
    get active() {
      return active;
    },
    get lastHeaders() {
      return lastHeaders;
    },
    healthy: true,
    holding: false,
    version: 'v1',
    gate: undefined,
    hangingUp: false,
    release: () => {
      for (const outgoing of held) answer(outgoing);
      held.clear();
    },
    kill: () =>
      new Promise((resolve) => {
        held.clear();
        if (!server?.listening) return resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    start,
  };
  await start();
  return member;
}
