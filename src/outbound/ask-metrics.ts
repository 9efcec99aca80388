import { EdgeError } from '../domain/errors.ts';
import {
  completePart,
  type MetricGrid,
  type MetricsAnswer,
  type MetricsQuery,
  requireGrid,
} from '../domain/metrics.ts';
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

/** A source over HTTP. It is never asked for what is not complete yet. Errors bear the source's own words, and no query of an address. */
export function metricsOver(
  address: MetricsAddress,
  { ask, read, faultIn }: MetricsWire,
  { secrets, clock }: MetricsParts,
) {
  const client = clientOf({ ...address, faultIn }, { secrets, clock });
  return {
    query: async (query: MetricsQuery, signal: AbortSignal): Promise<MetricsAnswer> => {
      signal.throwIfAborted();
      requireGrid(query);
      const completeToMs = clock.now() - address.delayMs;
      const part = completePart(query, completeToMs);
      if (!part) return { kind: 'early', completeToMs };
      return read(await client.ask(ask(query.text, part), signal), query, completeToMs);
    },
    close: (): Promise<void> => client.close(),
  };
}

/** What all sources over HTTP share: credentials, limits, and what their answers mean. */
function clientOf(
  address: MetricsAddress & { readonly faultIn: MetricsWire['faultIn'] },
  { secrets, clock }: MetricsParts,
) {
  const { url, tls, timeoutMs, maxBytes = MOST_BYTES } = address;
  const sleep = (ms: number, signal: AbortSignal) => clock.sleep(ms, signal);
  const http = new HttpClient({ trust: tls, sleep, origins: [new URL(url).origin] });
  return {
    ask: async (request: MetricsAsk, signal: AbortSignal): Promise<unknown> => {
      const authorization = await authorizationFor(address.credentials, secrets);
      const headers = { accept: 'application/json', ...request.headers, ...authorization };
      const result = await http.send({ ...request, timeoutMs, maxBytes, headers }, signal);
      return jsonFrom(result, placeOf(request.url), address.faultIn);
    },
    close: (): Promise<void> => http.close(),
  };
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
    throw failure(`${place}: ${wordsFor(status, words)}`, status, code);
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
