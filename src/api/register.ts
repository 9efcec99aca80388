import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EdgeError } from '../domain/errors.ts';
import { PERMISSIONS } from '../domain/permission.ts';
import { authenticate, authenticateSession } from '../operations/authenticate.ts';
import { authorize, type Caller } from '../operations/caller.ts';
import type { OperationPorts } from '../operations/ports.ts';
import type { GivenFile } from '../operations/serve-worker.ts';
import { arriving } from './arrival.ts';
import { giveBytes } from './bytes-reply.ts';
import { publicBody } from './error-reply.ts';
import { type Bytes, type Cookie, type HandlerContext, resumeAfter } from './handlers.ts';
import { inputParser } from './request-input.ts';
import type { Route } from './route.ts';
import { refuseForeign, sessionOf, setSession } from './session-cookie.ts';
import { type StreamTimes, sendStream } from './sse-reply.ts';

export type Serving = {
  readonly ports: OperationPorts;
  readonly version: string;
  readonly onFault: (fault: unknown, request: string) => void;
  readonly stopping: AbortSignal;
  readonly streamTimes: StreamTimes;
  /** Cookies go over nothing but TLS then. */
  readonly isTls: boolean;
};

type Input = Record<string, unknown>;
/** Its context is a `HandlerContext`, of a route of bytes with `Bytes` beside it, of one that sets a cookie with `cookie`. */
type Call = (context: never, input: never) => Promise<unknown>;
type Stream = {
  readonly open: (context: HandlerContext, input: never) => Promise<AsyncIterable<unknown>>;
  readonly idOf: (item: never, input: never) => string | null;
};
type AnyHandlers = Readonly<Record<string, Call | Stream>>;

/** Nobody: may do what is public, which is nothing but to look whether the server is there. */
const NOBODY: Caller = { name: 'nobody', permissions: new Set(), expiresAt: null };
const MEGABYTE = 1_048_576;

/**
 * Puts every route of the contract before its handler: token, permission, then the input, then the operation. Throws at once
 * for a route that has no known permission or no fitting handler: such a server never starts.
 */
export function registerRoutes(
  app: FastifyInstance,
  routes: Readonly<Record<string, Route>>,
  { handlers, serving }: { readonly handlers: AnyHandlers; readonly serving: Serving },
): void {
  for (const [name, route] of Object.entries(routes)) {
    refuseUnsafe(name, route);
    const handler = handlers[name];
    const answer = answerOf(name, route, handler);
    const callers = new WeakMap<FastifyRequest, Caller>();
    app.route({
      method: route.method,
      url: route.path,
      bodyLimit: route.maxBodyBytes ?? MEGABYTE,
      // Before the body is read: who may not is not listened to.
      onRequest: async (request) => {
        callers.set(request, await callerOf(serving.ports, route, request));
      },
      handler: async (request, reply) => {
        const caller = callers.get(request) ?? NOBODY;
        return answer({ serving, caller, request, reply, signal: goneSignal(reply, serving.stopping) });
      },
    });
  }
}

function answerOf(name: string, route: Route, handler: Call | Stream | undefined): Answer {
  if (route.stream) return streamAnswer(name, route, handler);
  return route.bytes ? bytesAnswer(name, route, handler) : callAnswer(name, route, handler);
}

function refuseUnsafe(name: string, { permission }: Route): void {
  if (permission === 'public' || PERMISSIONS.some((known) => known === permission)) return;
  throw new EdgeError('internal', `The route ${name} declares no known permission`);
}

async function callerOf(ports: OperationPorts, route: Route, request: FastifyRequest): Promise<Caller> {
  if (route.permission === 'public') return NOBODY;
  const caller = await known(ports, request);
  authorize(caller, route.permission);
  return caller;
}

/** By the token that it sends, or else by the session that its browser keeps. */
async function known(ports: OperationPorts, request: FastifyRequest): Promise<Caller> {
  const { authorization } = request.headers;
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (token !== undefined) return authenticate(ports, token);
  const session = authorization === undefined ? sessionOf(request) : null;
  if (session === null)
    throw new EdgeError('token_missing', 'The request has no `Authorization: Bearer <token>`');
  refuseForeign(request);
  return authenticateSession(ports, session);
}

/** Aborts when the client is gone before its answer was sent, or when the server stops. */
function goneSignal(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client is gone'));
  });
  return AbortSignal.any([gone.signal, stopping]);
}

type Asked = {
  readonly serving: Serving;
  readonly caller: Caller;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
};
type Answer = (asked: Asked) => Promise<unknown>;

const contextOf = ({ serving, caller, signal }: Asked): HandlerContext => ({
  ports: serving.ports,
  version: serving.version,
  caller,
  signal,
});

/** What leaves is cut to the schema of the response: a field that is not in the contract is never sent. */
function callAnswer(name: string, route: Route, handler: Call | Stream | undefined): Answer {
  if (typeof handler !== 'function') throw new EdgeError('internal', `The route ${name} has no handler`);
  const parse = inputParser(route);
  return async (asked) => {
    // The contract's own schema has made the input what the handler says it takes; `Handlers` holds the two together.
    const context = { ...contextOf(asked), ...(route.cookie && { cookie: cookieOf(asked) }) };
    const output = await handler(context as never, parse(asked.request) as never);
    return route.response.parse(output);
  };
}

function cookieOf({ serving, request, reply }: Asked): Cookie {
  const from = { request, reply, isTls: serving.isTls };
  return {
    secret: sessionOf(request),
    keep: (secret, expiresAt = null) => {
      const seconds = Math.ceil(((expiresAt ?? 0) - serving.ports.clock.now()) / 1_000);
      setSession(from, secret === null ? null : { secret, seconds });
    },
  };
}

/** As a call, with bytes as its body or in place of its answer. */
function bytesAnswer(name: string, route: Route, handler: Call | Stream | undefined): Answer {
  if (typeof handler !== 'function') throw new EdgeError('internal', `The route ${name} has no handler`);
  const parse = inputParser(route);
  return async (asked) => {
    const { request, reply, signal } = asked;
    const input = parse({ params: request.params, query: request.query, body: {} });
    const give = async (file: GivenFile): Promise<void> => {
      reply.hijack();
      await giveBytes(file, { reply: reply.raw, range: request.headers.range, signal });
    };
    const bytes: Bytes = { body: arriving(request.raw), give };
    const context = { ...contextOf(asked), ...bytes };
    const output = await handler(context as never, input as never).catch((thrown: unknown) => {
      // Half of it is sent: all that can be said is that it breaks off here.
      if (!reply.raw.headersSent) throw thrown;
      if (!signal.aborted) asked.serving.onFault(thrown, request.id);
      reply.raw.destroy();
    });
    return reply.sent ? undefined : route.response.parse(output);
  };
}

function streamAnswer(name: string, route: Route, handler: Call | Stream | undefined): Answer {
  if (typeof handler !== 'object') throw new EdgeError('internal', `The stream ${name} has no handler`);
  const parse = inputParser(route);
  return async (asked) => {
    const { request, reply, serving, signal: gone } = asked;
    const input: Input = { ...parse(request), ...resumed(route, request) };
    const ended = new AbortController();
    const signal = AbortSignal.any([gone, ended.signal]);
    const items = await handler.open(contextOf({ ...asked, signal }), input as never);
    reply.hijack();
    await sendStream(reply.raw, {
      items,
      frame: (item) => ({
        id: handler.idOf(item as never, input as never),
        data: JSON.stringify(route.response.parse(item)),
      }),
      recheck: async () => void (await callerOf(serving.ports, route, request)),
      errorBody: (thrown) => publicBody(thrown, { id: request.id, onFault: serving.onFault }),
      gone,
      ended,
      times: serving.streamTimes,
    });
  };
}

function resumed(route: Route, { headers, params }: FastifyRequest): Input {
  const last = headers['last-event-id'];
  if (!route.stream?.resumes || typeof last !== 'string') return {};
  const deployment =
    typeof params === 'object' && params !== null && 'deployment' in params ? params.deployment : '';
  return { after: resumeAfter(last, deployment) };
}
