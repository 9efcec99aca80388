import type { IncomingMessage, ServerResponse } from 'node:http';
import { EdgeError } from '../domain/errors.ts';

/** How long the whole of a request may take to arrive, and how long a longer one may be silent. */
const ARRIVAL_MS = 60_000;

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/** Ends the connection of a request that does not arrive in time: nobody can hold it open by sending slowly. */
export function limitArrival(request: IncomingMessage, reply: ServerResponse): void {
  const end = (): void => {
    if (!request.complete) request.destroy();
  };
  const timer = setTimeout(end, ARRIVAL_MS).unref();
  timers.set(request, timer);
  reply.once('close', () => clearTimeout(timer));
}

/** The body of a request that may take as long as it wants, as long as something of it comes. */
export async function* arriving(request: IncomingMessage): AsyncGenerator<Buffer> {
  clearTimeout(timers.get(request));
  const silence = setTimeout(() => request.destroy(new Error('the request fell silent')), ARRIVAL_MS).unref();
  try {
    for await (const piece of request) {
      silence.refresh();
      yield piece;
    }
    if (!request.complete) throw new Error('it is not whole');
  } catch (cause) {
    throw new EdgeError('request_invalid', 'The request broke off before its end', { cause });
  } finally {
    clearTimeout(silence);
  }
}
