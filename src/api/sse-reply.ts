import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ErrorBody } from '../domain/errors.ts';
import { formatSse, SSE_HEARTBEAT } from '../lib/sse.ts';

export type StreamTimes = {
  /** How often a comment shows that the connection lives. */
  readonly heartbeatMs: number;
  /** How often it is looked whether the token is still good. */
  readonly recheckMs: number;
  /** Who takes nothing for this long is dropped; it can come back and resume. */
  readonly slowMs: number;
};

export type StreamReply = {
  /** Ends when `ended` aborts. */
  readonly items: AsyncIterable<unknown>;
  readonly frame: (item: unknown) => { readonly id: string | null; readonly data: string };
  /** Rejects when the caller may not read any more. */
  readonly recheck: () => Promise<void>;
  readonly errorBody: (thrown: unknown) => ErrorBody;
  /** Aborts when the client is gone or the server stops: nothing is said then, the client comes back. */
  readonly gone: AbortSignal;
  /** Aborted when nothing more is written, for whatever reason. */
  readonly ended: AbortController;
  readonly times: StreamTimes;
};

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // Some proxies hold back what they could send.
  'x-accel-buffering': 'no',
};

/**
 * Writes items as server-sent events: a message `end` after the last, a message `error` if one cannot be had. The next item is
 * asked for only when the one before has left the buffer, so a slow reader costs one item of memory. Never rejects.
 */
export async function sendStream(raw: ServerResponse, reply: StreamReply): Promise<void> {
  const { times, gone, ended } = reply;
  // A connection that breaks is noticed by `gone`; what was written into it meanwhile is no fault.
  raw.on('error', () => ended.abort());
  raw.writeHead(200, HEADERS).flushHeaders();
  const beat = setInterval(() => raw.write(SSE_HEARTBEAT), times.heartbeatMs);
  let refusal: unknown;
  const recheck = setInterval(() => {
    reply.recheck().catch((thrown: unknown) => {
      refusal = thrown;
      ended.abort();
    });
  }, times.recheckMs);
  try {
    await sendItems(raw, reply);
    if (refusal !== undefined) throw refusal;
    if (!gone.aborted) raw.write(formatSse({ event: 'end', data: '{}' }));
  } catch (thrown) {
    if (!gone.aborted)
      raw.write(formatSse({ event: 'error', data: JSON.stringify({ error: reply.errorBody(thrown) }) }));
  } finally {
    clearInterval(beat);
    clearInterval(recheck);
    ended.abort();
    raw.end();
  }
}

async function sendItems(
  raw: ServerResponse,
  { items, frame, gone, ended, times }: StreamReply,
): Promise<void> {
  const stop = AbortSignal.any([gone, ended.signal]);
  for await (const item of items) {
    if (stop.aborted) return;
    const { id, data } = frame(item);
    if (raw.write(formatSse({ ...(id !== null && { id }), data }))) continue;
    if (!(await drained(raw, { stop, slowMs: times.slowMs }))) return;
  }
}

/** Whether the reader took what was buffered. One that does not in time is dropped: it can come back and resume. */
async function drained(
  raw: ServerResponse,
  { stop, slowMs }: { readonly stop: AbortSignal; readonly slowMs: number },
): Promise<boolean> {
  try {
    await once(raw, 'drain', { signal: AbortSignal.any([stop, AbortSignal.timeout(slowMs)]) });
    return true;
  } catch {
    raw.destroy();
    return false;
  }
}
