import type { IncomingMessage } from 'node:http';
import { EdgeError } from '../domain/errors.ts';

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/**
 * Ends the connection of a request that does not arrive in time, also of one that was answered before its end: nobody can hold it open
 * by sending slowly.
 */
export function limitArrival(request: IncomingMessage, limitMs: number): void {
  const end = (): void => {
    if (!request.complete) request.destroy(new Error('it did not arrive in time'));
  };
  const timer = setTimeout(end, limitMs).unref();
  timers.set(request, timer);
  request.once('close', () => clearTimeout(timer));
}

/** The body of a request that may take as long as it wants, as long as something of it comes. */
export async function* arriving(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      timers.get(request)?.refresh();
      yield piece;
    }
    if (!request.complete) throw new Error('it is not whole');
  } catch (cause) {
    throw new EdgeError('request_invalid', 'The request broke off before its end', { cause });
  } finally {
    // The rest of what is refused in the middle is read and forgotten: the answer would be lost with the connection.
    request.resume();
  }
}
