import { connect, type Socket } from 'node:net';
import { EdgeError } from '../../domain/errors.ts';
import type { MayWrite } from '../../ports/load-balancer.ts';

/** Where the runtime socket is, and how long one command may take. */
export type RuntimeSocket = { readonly address: string; readonly timeoutMs: number };

const REPLY_LIMIT_BYTES = 16_000_000;

/**
 * Sends one command over a connection of its own and resolves with the whole reply, trimmed at its end; HAProxy hangs up
 * after one line. Rejects with `balancer_unreachable` when the socket is not there, cuts off or is silent.
 */
export function ask(
  target: RuntimeSocket,
  command: string,
  signal: AbortSignal,
  mayWrite: MayWrite = () => undefined,
): Promise<string> {
  if (/[;\n\r]/.test(command)) throw new Error('one command per connection');
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = open(target.address);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      settle();
    };
    const fail = (why: string, cause?: unknown): void =>
      end(() =>
        reject(new EdgeError('balancer_unreachable', `HAProxy at ${target.address}: ${why}`, { cause })),
      );
    const abort = (): void => end(() => reject(signal.reason));
    const timer = setTimeout(() => fail(`no reply within ${target.timeoutMs} ms`), target.timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    collect(socket, (reply) => end(() => resolve(reply)), fail);
    socket.once('connect', () => {
      try {
        mayWrite();
        socket.write(`${command}\n`);
      } catch (thrown) {
        end(() => reject(thrown));
      }
    });
  });
}

function collect(
  socket: Socket,
  done: (reply: string) => void,
  fail: (why: string, cause?: unknown) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > REPLY_LIMIT_BYTES) fail(`the reply is longer than ${REPLY_LIMIT_BYTES} bytes`);
  });
  // Every reply ends with an empty line, also the empty one: without it the connection was cut off.
  socket.once('end', () => {
    const reply = Buffer.concat(chunks).toString('utf8');
    if (reply.endsWith('\n')) done(reply.trimEnd());
    else fail('the reply was cut off');
  });
  socket.once('error', (error) => fail(error.message, error));
}

/** A path, or `host:port` (an IPv6 host in brackets). */
function open(address: string): Socket {
  if (address.startsWith('/')) return connect(address);
  const at = address.lastIndexOf(':');
  return connect(Number(address.slice(at + 1)), address.slice(0, at).replace(/^\[(.*)\]$/, '$1'));
}
