import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type FastifyInstance, fastify } from 'fastify';
import { EdgeError } from '../domain/errors.ts';
import type { OperationPorts } from '../operations/ports.ts';
import { limitArrival } from './arrival.ts';
import { trackConnections } from './connections.ts';
import { ROUTES } from './contract.ts';
import { sendError } from './error-reply.ts';
import { HANDLERS } from './handlers.ts';
import { givePage, type Page } from './page.ts';
import { registerRoutes } from './register.ts';
import type { StreamTimes } from './sse-reply.ts';

export type ServerOptions = {
  readonly ports: OperationPorts;
  /** Of Edge; shown by /health and /openapi.json. */
  readonly version: string;
  /** Told of every fault of Edge's own, with its cause; the client sees only the request's id. */
  readonly onFault: (fault: unknown, request: string) => void;
  /** PEM texts. Without them plain HTTP, which is for the loopback address or behind a proxy. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly streamTimes?: Partial<StreamTimes>;
  /** What browsers are given; left out: nothing. */
  readonly page?: Page;
  /** How long the whole of a request may take to arrive, and how long an upload may be silent. */
  readonly arrivalMs?: number;
};

export type ApiServer = {
  /** Resolves with the address, such as `http://127.0.0.1:7070`. Rejects with `listen_failed`. */
  listen(address: Address): Promise<string>;
  /** Ends streams at once, lets other requests finish, then stops listening. */
  close(): Promise<void>;
  /** For tests: requests without a socket. */
  readonly inject: FastifyInstance['inject'];
};

const ARRIVAL_MS = 60_000;
/** A token that was revoked ends its streams within 5 s. */
const STREAM_TIMES: StreamTimes = { heartbeatMs: 15_000, recheckMs: 5_000, slowMs: 30_000 };
/**
 * `requestTimeout`: none, since uploads take long; `limitArrival` ends what else comes too slowly. `keepAliveTimeout`: longer than clients and proxies
 * keep an idle connection, so that it is they who close it: else a request may meet a connection that is just being closed.
 */
const TIMEOUTS = { requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 65_000 } as const;

/** The API as a server that does not listen yet. Throws when the contract has a route without permission or handler. */
export function apiServer(options: ServerOptions): ApiServer {
  const { tls } = options;
  const stopping = new AbortController();
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    serverFactory: (handler) =>
      tls ? createTlsServer({ ...TIMEOUTS, ...tls }, handler) : createServer(TIMEOUTS, handler),
  });
  app.addHook('onRequest', async (request) => limitArrival(request.raw, options.arrivalMs ?? ARRIVAL_MS));
  // Whoever wants the bytes reads them from the request itself.
  app.addContentTypeParser('application/octet-stream', (_request, _body, done) => done(null));
  app.addHook('onSend', async (_, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  const connections = trackConnections(app.server, tls ? 'secureConnection' : 'connection');
  app.addHook('preClose', async () => {
    stopping.abort(new Error('the server stops'));
    connections.end();
  });
  app.setErrorHandler((thrown, request, reply) =>
    sendError(thrown, { request, reply, onFault: options.onFault }),
  );
  const { page } = options;
  app.setNotFoundHandler((request, reply) => {
    if (page && givePage(page, request, reply)) return reply;
    throw new EdgeError('route_unknown', `There is no ${request.method} ${request.url.split('?')[0]}`);
  });
  const streamTimes = { ...STREAM_TIMES, ...options.streamTimes };
  registerRoutes(app, ROUTES, {
    handlers: HANDLERS,
    serving: { ...options, stopping: stopping.signal, streamTimes, isTls: tls !== undefined },
  });
  return {
    listen: async (address) => {
      const url = await listen(app, address);
      // The framework does not know of the server that it was given.
      return tls ? url.replace(/^http:/, 'https:') : url;
    },
    close: () => app.close(),
    inject: app.inject.bind(app),
  };
}

type Address = { readonly host: string; readonly port: number };

async function listen(app: FastifyInstance, address: Address): Promise<string> {
  try {
    return await app.listen(address);
  } catch (cause) {
    throw listenFailed(address, cause);
  }
}

function listenFailed({ host, port }: Address, cause: unknown): EdgeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new EdgeError('listen_failed', `Cannot listen on ${host}:${port}: ${why}`, { cause });
}
