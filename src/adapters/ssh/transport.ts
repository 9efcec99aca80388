import type { Readable, Writable } from 'node:stream';
import { EdgeError } from '../../domain/errors.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { hostError, place } from './host-error.ts';

/** A command on a host and its three streams, the same from either transport. It owns a session: `close` it. */
export type HostChannel = {
  /** A write after the host has closed the channel is lost without an error: what it means shows in what the command says. */
  readonly input: Writable;
  /** Held back on the host until it is read. */
  readonly output: Readable;
  readonly errors: Readable;
  /** Resolves when the channel is closed from either side and all of `errors` was read, or the connection is lost. */
  readonly closed: Promise<void>;
  /** Ends the command's input, and asks for no more of its output. */
  close(): void;
};

/** Reads what a command writes, and drops it: a channel whose output nobody reads never closes. */
export function discard(output: Readable): void {
  // A `data` listener, and once: `resume` alone is undone when a `readable` listener goes.
  if (output.listenerCount('data') > 0) return;
  output.removeAllListeners('readable');
  output.on('data', () => undefined).resume();
}

export type ConnectionTimes = {
  /** From the first packet to the end of the log-in. */
  readonly connectMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveCount: number;
};

/** A peer that vanished is noticed after interval × (count + 1): 40 s. */
export const CONNECTION_TIMES: ConnectionTimes = {
  connectMs: 15_000,
  keepaliveMs: 10_000,
  keepaliveCount: 3,
};

/** One authenticated connection, made by one of the transports. It owns what carries it: `close` it. */
export abstract class Connection {
  readonly host: HostAddress;
  /** Channels that are open or being opened; the pool counts them. */
  channels = 0;
  /** Set by the pool; falls when the host refuses another channel. */
  maxChannels = 1;
  #live = true;
  readonly #listeners = new Set<() => void>();

  constructor(host: HostAddress) {
    this.host = host;
  }

  /**
   * Runs a command and gives it this input first. Rejects if the host refuses the channel, or if the connection is lost
   * before the command has begun.
   */
  abstract exec(command: string, input: string): Promise<HostChannel>;

  abstract close(): void;

  get live(): boolean {
    return this.#live;
  }

  get free(): boolean {
    return this.#live && this.channels < this.maxChannels;
  }

  /** Calls back once when the connection is gone, however it went; returns how to call that off. */
  onLost(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** No more channels are opened on it. */
  protected retire(): void {
    this.#live = false;
  }

  protected lost(): void {
    this.#live = false;
    for (const listener of this.#listeners) listener();
  }
}

/** `via`: a connection of the same transport to the jump host from which the host is reached. */
export type ConnectOptions = {
  readonly times: ConnectionTimes;
  readonly via: Connection | undefined;
  readonly signal: AbortSignal;
};

/** Connects, judges the host's key, logs in; all within `times.connectMs`. Rejects with what `Hosts` may reject with. */
export type Connect = (host: HostAddress, options: ConnectOptions) => Promise<Connection>;

/** A connection that worked broke: unlike with a host that cannot be reached, asking again at once may well help. */
export class ConnectionLost extends EdgeError {
  constructor(host: HostAddress, why: string) {
    super('host_unreachable', `${place(host)}: ${why}`, { where: { target: host.name } });
  }
}

/** Times that a question is asked which may be asked twice: a connection may have died long before it is used again. */
const ASK_TIMES = 3;

export async function askAgainIfLost<T>(ask: () => Promise<T>): Promise<T> {
  for (let time = 1; ; time++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ConnectionLost) || time === ASK_TIMES) throw error;
    }
  }
}

export function unreachable(host: HostAddress, why: string, cause?: unknown): EdgeError {
  return hostError('host_unreachable', host, `: ${why}`, { cause });
}
