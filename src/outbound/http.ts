import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { type Backoff, retrying } from '../lib/retry.ts';
import { connectorFor, type Trust } from './tls.ts';

export type HttpRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole of one try: connection, request and body. When it has passed, the socket is destroyed. */
  readonly timeoutMs: number;
  /** A longer body is refused (`too_large`), or cut off there when `cut` is set. */
  readonly maxBytes: number;
  readonly cut?: boolean;
  readonly retry?: RetryPolicy;
  /** Called before each try, which is not made if it throws. */
  readonly before?: () => void;
  /** Uses a connection of its own and hangs up: a look at a server must not ride on an old connection. */
  readonly fresh?: boolean;
};

/** Retries as data: how long to wait before each, and which results are worth one. There are none by default. */
export type RetryPolicy = { readonly backoffMs: Backoff; readonly again: (result: HttpResult) => boolean };

export type HttpAnswer = {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/**
 * No usable answer came. `connect` and `tls`: nothing was sent. `timeout`, `lost` and `too_large`: the other side may
 * have done what it was asked.
 */
export type HttpNothing = {
  readonly kind: 'nothing';
  readonly reason: 'connect' | 'tls' | 'timeout' | 'lost' | 'too_large';
  readonly why: string;
};

export type HttpResult = HttpAnswer | HttpNothing;

export type OpenRequest = Pick<HttpRequest, 'url' | 'headers'> & { readonly silentMs: number };

export type HttpOpened =
  | {
      readonly kind: 'opened';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Readable;
    }
  | HttpNothing;

export type HttpClientOptions = {
  readonly trust: Trust;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The only origins that may be asked; without it, any. Credentials stay with the host they are meant for. */
  readonly origins?: readonly string[];
  /** Connections kept to one origin. */
  readonly connections?: number;
};

/**
 * The one HTTP client of Edge. Every call has a deadline, a signal and a body limit. Redirects are never followed: a 3xx
 * is an answer. What came back, or that nothing did, is a value; only the caller's own signal rejects, with its reason.
 */
export class HttpClient {
  readonly #agent: Agent;
  readonly #options: HttpClientOptions;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#agent = new Agent({
      connect: connectorFor(options.trust),
      connections: options.connections ?? 8,
      keepAliveTimeout: 4_000,
      // One deadline of our own covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResult> {
    const url = new URL(request.url);
    const { origins, sleep } = this.#options;
    if (origins && !origins.includes(url.origin)) throw new Error(`this client may not ask ${url.origin}`);
    const attempt = (): Promise<HttpResult> => once(this.#agent, { ...request, url: url.href }, signal);
    if (!request.retry) return attempt();
    return retrying(attempt, { ...request.retry, sleep, signal });
  }

  /**
   * The head of an answer, its body still to come. Silence for `silentMs`, before it or in it, ends it. Whoever does not read the body
   * to its end destroys it.
   */
  async open(request: OpenRequest, signal: AbortSignal): Promise<HttpOpened> {
    signal.throwIfAborted();
    const { origin, pathname, search } = new URL(request.url);
    const { silentMs } = request;
    try {
      const { statusCode, headers, body } = await this.#agent.request({
        ...{ origin, path: pathname + search, method: 'GET', signal },
        headers: { 'user-agent': 'edge', 'accept-encoding': 'identity', ...request.headers },
        ...{ headersTimeout: silentMs, bodyTimeout: silentMs },
      });
      // Whoever destroys it has no use for what that says.
      body.on('error', () => {});
      return { kind: 'opened', status: statusCode, headers: flat(headers), body };
    } catch (error) {
      signal.throwIfAborted();
      return nothingFrom(error);
    }
  }

  /** Ends all connections, and what is under way on them. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

async function once(agent: Agent, request: HttpRequest, signal: AbortSignal): Promise<HttpResult> {
  signal.throwIfAborted();
  request.before?.();
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const url = new URL(request.url);
  try {
    const answer = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: { 'user-agent': 'edge', ...request.headers },
      body: request.body ?? null,
      reset: request.fresh ?? false,
      signal: AbortSignal.any([signal, deadline]),
    });
    return await read(answer, request);
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted)
      return { kind: 'nothing', reason: 'timeout', why: `no answer within ${request.timeoutMs} ms` };
    return nothingFrom(error);
  }
}

async function read(answer: Dispatcher.ResponseData, request: HttpRequest): Promise<HttpResult> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the body, and the connection with it.
    if (size > request.maxBytes) break;
  }
  if (size > request.maxBytes && !request.cut) {
    return {
      kind: 'nothing',
      reason: 'too_large',
      why: `the answer is longer than ${request.maxBytes} bytes`,
    };
  }
  const body = Buffer.concat(chunks).subarray(0, request.maxBytes).toString('utf8');
  return { kind: 'answer', status: answer.statusCode, headers: flat(answer.headers), body };
}

function flat(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}

const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function nothingFrom(error: unknown): HttpNothing {
  const { code = '', message = String(error) } =
    error instanceof Error ? { code: codeOf(error), message: error.message } : {};
  if (NEVER_CONNECTED.has(code)) return { kind: 'nothing', reason: 'connect', why: message || code };
  if (/^(EDGE_TRUST|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
    return { kind: 'nothing', reason: 'tls', why: message };
  }
  return { kind: 'nothing', reason: 'lost', why: message || code };
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : '';
