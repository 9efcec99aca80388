import { EdgeError } from '../domain/errors.ts';
import {
  completePart,
  type MetricGrid,
  type MetricsAnswer,
  type MetricsQuery,
  requireGrid,
} from '../domain/metrics.ts';
import type { SecretRef } from '../domain/secret.ts';
import { oneLine } from '../lib/inert-text.ts';
import { authorizationFor, type HttpCredentials, type SecretReader } from './authorization.ts';
import { HttpClient, type HttpNothing, type HttpRequest, type HttpResult } from './http.ts';
import type { Trust } from './tls.ts';

/** A source of metrics that speaks JSON over HTTP. */
export type MetricsAddress = {
  /** Without user and password; redirects are not followed. */
  readonly url: string;
  readonly tls: Trust;
  readonly credentials?: HttpCredentials;
  /** Headers that are secrets, by their names: the keys that some sources want in place of credentials. */
  readonly secretHeaders?: Readonly<Record<string, SecretRef>>;
  /** For the whole of one query. */
  readonly timeoutMs: number;
  /** Only what is older is believed complete: what the source takes to gather, with what the clocks differ. */
  readonly delayMs: number;
  /** Longer answers are refused; left out: 16 MiB. */
  readonly maxBytes?: number;
};

export type MetricsAsk = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>;

/**
 * What a source says is wrong, where that stands in no `error` or `message` of its JSON, and what it means where its status says another
 * thing.
 */
export type MetricsFault = {
  readonly words: string;
  readonly code?: 'metrics_unreachable' | 'metrics_refused' | 'metrics_limit';
};

/** What is asked of a source, and what its JSON says. `part`: that of the grid which is complete. */
export type MetricsWire = {
  readonly ask: (text: string, part: MetricGrid) => MetricsAsk;
  readonly read: (body: unknown, query: MetricsQuery, completeToMs: number) => MetricsAnswer;
  /** What there is in the body of another status than 200; nothing where it is as with others. */
  readonly faultIn?: (body: string) => MetricsFault | undefined;
};

export type MetricsParts = {
  readonly secrets: SecretReader;
  readonly clock: {
    now(): number;
    sleep(ms: number, signal: AbortSignal): Promise<void>;
  };
};

const MOST_BYTES = 16 * 1_048_576;

/** What a `MetricsSource` is (ports/metrics.ts). */
type Source = {
  query(query: MetricsQuery, signal: AbortSignal): Promise<MetricsAnswer>;
  close(): Promise<void>;
};

/** A source over HTTP. It is never asked for what is not complete yet. Errors bear the source's own words, and no query of an address. */
export const metricsOver = (
  address: MetricsAddress,
  { read, ...wire }: MetricsWire,
  parts: MetricsParts,
): Source =>
  metricsInPieces(
    address,
    { ...wire, pieces: (part) => [part], read: ([body], ...asked) => read(body, ...asked) },
    parts,
  );

/** `pieces`: a grid as several, where a source gives no more than so many values at once. `bodies`: what it has said to each. */
export type PiecesWire = Omit<MetricsWire, 'read'> & {
  readonly pieces: (part: MetricGrid) => readonly MetricGrid[];
  readonly read: (bodies: readonly unknown[], query: MetricsQuery, completeToMs: number) => MetricsAnswer;
};

const MOST_PIECES = 100;

/** The same for a source that is asked for a grid in pieces, one after another, each of them once. */
export function metricsInPieces(
  address: MetricsAddress,
  { ask, pieces, read, faultIn }: PiecesWire,
  { secrets, clock }: MetricsParts,
): Source {
  const client = clientOf({ ...address, faultIn }, { secrets, clock });
  return {
    query: async (query, signal) => {
      signal.throwIfAborted();
      requireGrid(query);
      const completeToMs = clock.now() - address.delayMs;
      const part = completePart(query, completeToMs);
      if (!part) return { kind: 'early', completeToMs };
      const asks = atMost(pieces(part)).map((piece) => ask(query.text, piece));
      return read(await client.askAll(asks, signal), query, completeToMs);
    },
    close: () => client.close(),
  };
}

function atMost(pieces: readonly MetricGrid[]): readonly MetricGrid[] {
  if (pieces.length <= MOST_PIECES) return pieces;
  throw new EdgeError(
    'metrics_limit',
    `The query would be asked in ${pieces.length} pieces, and ${MOST_PIECES} is the most`,
  );
}

/** What all sources over HTTP share: credentials, limits, and what their answers mean. */
function clientOf(
  address: MetricsAddress & { readonly faultIn: MetricsWire['faultIn'] },
  { secrets, clock }: MetricsParts,
) {
  const { url, tls, timeoutMs, maxBytes = MOST_BYTES } = address;
  const sleep = (ms: number, signal: AbortSignal) => clock.sleep(ms, signal);
  const http = new HttpClient({ trust: tls, sleep, origins: [new URL(url).origin] });
  const askOnce = async (request: MetricsAsk, signal: AbortSignal): Promise<unknown> => {
    const secret = await secretHeadersOf(address, secrets);
    const headers = { accept: 'application/json', ...request.headers, ...secret };
    const result = await http.send({ ...request, timeoutMs, maxBytes, headers }, signal);
    return jsonFrom(result, placeOf(request.url), address.faultIn);
  };
  return {
    askAll: async (requests: readonly MetricsAsk[], signal: AbortSignal): Promise<readonly unknown[]> => {
      const deadline = AbortSignal.timeout(timeoutMs);
      const bodies: unknown[] = [];
      try {
        for (const request of requests)
          bodies.push(await askOnce(request, AbortSignal.any([signal, deadline])));
        return bodies;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof EdgeError || !deadline.aborted) throw error;
        const message = `${placeOf(url)}: no answer within ${timeoutMs} ms`;
        throw new EdgeError('metrics_unreachable', message, { cause: error });
      }
    },
    close: (): Promise<void> => http.close(),
  };
}

async function secretHeadersOf(
  { credentials, secretHeaders = {} }: MetricsAddress,
  secrets: SecretReader,
): Promise<Readonly<Record<string, string>>> {
  const keys = Object.entries(secretHeaders).map(
    async ([name, secret]) => [name, await secrets.resolve(secret)] as const,
  );
  const authorization = await authorizationFor(credentials, secrets);
  return { ...Object.fromEntries(await Promise.all(keys)), ...authorization };
}

/** A query may hold a key. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function jsonFrom(result: HttpResult, place: string, faultIn: MetricsWire['faultIn']): unknown {
  if (result.kind === 'nothing') throw noAnswer(result, place);
  const { status, body } = result;
  if (status !== 200) {
    const { words, code } = faultIn?.(body) ?? { words: wordsIn(body) };
    throw failure(`${place}: ${wordsFor(status, words)}${againIn(result.headers)}`, status, code);
  }
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new EdgeError('metrics_refused', `${place}: it answers with what is no JSON`, { cause });
  }
}

/** Why there is no answer of a source that could be used. */
export function noAnswer({ reason, why }: HttpNothing, place: string): EdgeError {
  if (reason === 'too_large') return new EdgeError('metrics_limit', `${place}: ${why}`);
  if (reason !== 'tls') return new EdgeError('metrics_unreachable', `${place}: ${why}`);
  const hint = 'Compare `tls` of the source with the certificate that it shows.';
  return new EdgeError('metrics_refused', `${place}: it is not trusted: ${why}`, { hint });
}

/**
 * Too many requests, and what a server says of itself, may be otherwise the next time. That a query loads too many samples is a 422
 * of Prometheus, that it has too many points a 400 (promql/engine.go, web/api/v1/api.go).
 */
function failure(message: string, status: number, code?: MetricsFault['code']): EdgeError {
  if (code) return new EdgeError(code, message);
  if (status === 408 || status === 429 || status >= 500) return new EdgeError('metrics_unreachable', message);
  if (status === 413 || /too many samples|exceeded maximum resolution/.test(message))
    return new EdgeError('metrics_limit', message);
  const hint = 'Check the credentials of the source, and what they may read there.';
  return new EdgeError('metrics_refused', message, status === 401 || status === 403 ? { hint } : {});
}

/** When a source that counts requests begins anew: seconds from now (RFC 9110; docs.datadoghq.com/api/latest/rate-limits). */
function againIn(headers: Readonly<Record<string, string>>): string {
  const seconds = headers['retry-after'] ?? headers['x-ratelimit-reset'] ?? '';
  return /^\d{1,6}$/.test(seconds) ? ` (again in ${seconds} s)` : '';
}

function wordsFor(status: number, said: string): string {
  if (status >= 300 && status < 400)
    return `it answers with status ${status}: a redirect, which is not followed`;
  const words = oneLine(said).slice(0, MOST_WORDS);
  return `it answers with status ${status}${words === '' ? '' : `: ${words}`}`;
}

const MOST_WORDS = 500;

/** What a source says is wrong: `error` (Prometheus) or `message` of its JSON, or its text; a page of HTML is named, not quoted. */
function wordsIn(body: string): string {
  const said = objectIn(body);
  for (const name of ['error', 'message']) {
    const words: unknown = said && Object.getOwnPropertyDescriptor(said, name)?.value;
    if (typeof words === 'string') return words;
  }
  return body.trimStart().startsWith('<') ? 'a page of HTML' : body;
}

function objectIn(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
