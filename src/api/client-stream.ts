import { asEdgeError, CATALOGUE, type EdgeError } from '../domain/errors.ts';
import { type SseMessage, sseParser } from '../lib/sse.ts';
import { type Connection, errorFrom, errorOf, send, unreachable } from './client-request.ts';
import type { Route } from './route.ts';

export type StreamOptions = {
  readonly signal?: AbortSignal;
  /** Told each time the stream broke and is opened again after `retryMs`. */
  readonly onBreak?: (why: EdgeError, retryMs: number) => void;
  /** Told each time it is open, the first time too. */
  readonly onOpen?: () => void;
  /** How long it may stay broken before the iteration throws `server_unreachable`. */
  readonly giveUpAfterMs?: number;
  /** The first wait before it is opened again; each next one is twice as long, up to `lastMs`. */
  readonly retry?: { readonly firstMs: number; readonly lastMs: number };
};

/** The server says that it lives every 15 s: after this long in silence the connection is dead, half-open or not. */
const SILENCE_MS = 45_000;
const RETRY = { firstMs: 100, lastMs: 5_000 } as const;
const GIVE_UP_MS = 600_000;

type Following = StreamOptions & { readonly input: object };

/**
 * The items of a stream, over as many connections as it takes: each one goes on after the last id that was seen, and what
 * was seen is not given twice. Ends when the server says that nothing more will come. Throws what cannot be mended by
 * waiting (`token_invalid`, `deployment_unknown`, …) and `server_unreachable` after `giveUpAfterMs`.
 */
export async function* follow(
  connection: Connection,
  route: Route,
  given: Following,
): AsyncGenerator<unknown> {
  const seen: Seen = { id: null, ended: false, brokenSince: null, tries: 0 };
  while (!seen.ended) {
    try {
      yield* oneConnection(connection, route, { ...given, seen });
      if (!seen.ended) throw unreachable(connection, 'the stream broke off');
    } catch (thrown) {
      given.signal?.throwIfAborted();
      await backOff(seen, asEdgeError(thrown), given);
    }
  }
}

type Seen = { id: string | null; ended: boolean; brokenSince: number | null; tries: number };

async function backOff(seen: Seen, why: EdgeError, given: Following): Promise<void> {
  if (!CATALOGUE[why.code].retryable) throw why;
  seen.brokenSince ??= performance.now();
  const brokenMs = performance.now() - seen.brokenSince;
  if (brokenMs >= (given.giveUpAfterMs ?? GIVE_UP_MS)) throw why;
  const { firstMs, lastMs } = given.retry ?? RETRY;
  const retryMs = Math.min(lastMs, firstMs * 2 ** seen.tries);
  seen.tries += 1;
  given.onBreak?.(why, retryMs);
  await pause(retryMs, given.signal);
}

async function* oneConnection(
  connection: Connection,
  route: Route,
  given: Following & { readonly seen: Seen },
): AsyncGenerator<unknown> {
  const ending = new AbortController();
  const signal = given.signal ? AbortSignal.any([given.signal, ending.signal]) : ending.signal;
  try {
    const body = await open(connection, route, { ...given, signal });
    given.onOpen?.();
    for await (const message of messages(connection, body, given.seen)) {
      if (message.event === 'end') given.seen.ended = true;
      else if (message.event === 'error') throw sentError(connection, message.data);
      else if (isNews(given.seen, message.id)) yield route.response.parse(JSON.parse(message.data));
    }
  } finally {
    ending.abort();
  }
}

async function open(
  connection: Connection,
  route: Route,
  { seen, input, signal }: { readonly seen: Seen; readonly input: object; readonly signal: AbortSignal },
): Promise<ReadableStream<Uint8Array>> {
  const resume = route.stream?.resumes && seen.id !== null ? { 'last-event-id': seen.id } : {};
  const headers = { accept: 'text/event-stream', ...resume };
  const response = await send(connection, route, { input, signal, headers });
  if (!response.ok || !response.body) throw await errorOf(connection, response);
  return response.body;
}

async function* messages(
  connection: Connection,
  body: ReadableStream<Uint8Array>,
  seen: Seen,
): AsyncGenerator<SseMessage> {
  const parse = sseParser();
  for await (const piece of pieces(connection, body)) {
    seen.brokenSince = null;
    seen.tries = 0;
    yield* parse(piece);
  }
}

/** The text of a body as it comes. A break, or silence for too long, is `server_unreachable`. */
async function* pieces(connection: Connection, body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  while (true) {
    const { done, value } = await withinSilence(reader.read()).catch((cause: unknown) => {
      throw unreachable(connection, cause);
    });
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

/** Only the waiting is timed: a slow reader of the iteration is no silence of the server. */
async function withinSilence<T>(reading: Promise<T>): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => silence.reject(new Error('the stream is silent')), SILENCE_MS);
  try {
    return await Promise.race([reading, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Ids are `<deployment>:<number>` and only grow. A message without one is about this moment and always news. */
function isNews(seen: Seen, id: string | null): boolean {
  if (id === null) return true;
  if (seen.id !== null && numberOf(id) <= numberOf(seen.id)) return false;
  seen.id = id;
  return true;
}

const numberOf = (id: string): number => Number(id.slice(id.lastIndexOf(':') + 1));

function sentError(connection: Connection, data: string): EdgeError {
  return errorFrom(JSON.parse(data)) ?? unreachable(connection, 'the stream ended with an unknown error');
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
