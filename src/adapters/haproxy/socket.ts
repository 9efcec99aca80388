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
  requireOne(command);
  return send(target, { line: command, replies: 1, signal, mayWrite });
}

/**
 * The same for several that only read, over one connection and in order: the replies of all, each trimmed at its end. None of
 * them may hold an empty line.
 */
export async function askAll(
  target: RuntimeSocket,
  commands: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  for (const command of commands) requireOne(command);
  const sent = { line: commands.join(';'), replies: commands.length, signal, mayWrite: () => undefined };
  return (await send(target, sent)).split('\n\n').map((reply) => reply.trimEnd());
}

function requireOne(command: string): void {
  if (/[;\n\r]/.test(command)) throw new Error('this is more than one command');
}

type Sent = {
  readonly line: string;
  /** How many have to come: each ends with an empty line. */
  readonly replies: number;
  readonly signal: AbortSignal;
  readonly mayWrite: MayWrite;
};

function send(target: RuntimeSocket, { line, replies, signal, mayWrite }: Sent): Promise<string> {
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
    collect(socket, replies, { done: (reply) => end(() => resolve(reply)), fail });
    socket.once('connect', () => {
      try {
        mayWrite();
        socket.write(`${line}\n`);
      } catch (thrown) {
        end(() => reject(thrown));
      }
    });
  });
}

type Ends = {
  readonly done: (reply: string) => void;
  readonly fail: (why: string, cause?: unknown) => void;
};

function collect(socket: Socket, replies: number, { done, fail }: Ends): void {
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
    const isWhole = reply.endsWith('\n') && (replies === 1 || reply.split('\n\n').length > replies);
    if (isWhole) done(reply.trimEnd());
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
