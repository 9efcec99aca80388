import type { ClientChannel } from 'ssh2';
import { EdgeError } from '../../domain/errors.ts';
import { abortable } from '../../lib/abortable.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import {
  CONNECTION_TIMES,
  type Connection,
  type ConnectionTimes,
  connect,
  unreachable,
} from './connection.ts';

export type PoolOptions = {
  readonly clock: Clock;
  /** From 0 up to 1; spreads retries, so that a fleet does not knock at one moment. */
  readonly random: () => number;
  /** Connections in all; one that is idle makes room for another host. */
  readonly maxConnections: number;
  /** Connections being made at once: each costs the hosts and us a key exchange. */
  readonly maxConnecting: number;
  readonly idleCloseMs: number;
  readonly retry: Backoff;
  readonly times: ConnectionTimes;
};

/** Waits of `firstMs`, times `factor` each, at most `maxMs`, less up to half by chance; none begins after `giveUpAfterMs`. */
export type Backoff = {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly giveUpAfterMs: number;
};

export const POOL_DEFAULTS = {
  maxConnections: 400,
  maxConnecting: 30,
  idleCloseMs: 60_000,
  retry: { firstMs: 200, factor: 2.5, maxMs: 5_000, giveUpAfterMs: 8_000 },
  times: CONNECTION_TIMES,
} as const;

/** Connections to one host as one user. `connecting` is shared by all who wait for it. */
type Line = { readonly connections: Set<Connection>; connecting: Promise<void> | undefined };

/** Connections by host and user, shared by all tasks of this process. It owns sockets: `close` it. */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #lines = new Map<string, Line>();
  readonly #places: Semaphore;
  readonly #connecting: Semaphore;
  readonly #idle = new Map<Connection, AbortController>();
  readonly #closing = new AbortController();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = new Semaphore(options.maxConnections);
    this.#connecting = new Semaphore(options.maxConnecting);
  }

  /** Runs a command on a channel of its own. The place on the connection is given back when the channel closes. */
  async exec(
    host: HostAddress,
    command: string,
    signal: AbortSignal,
  ): Promise<{ channel: ClientChannel; connection: Connection }> {
    for (;;) {
      const connection = await this.#reserve(host, signal);
      const opening = connection.exec(command);
      try {
        const channel = await abortable(opening, signal);
        this.#releaseWithChannel(connection, channel);
        return { channel, connection };
      } catch (error) {
        if (signal.aborted) return this.#abandon(connection, opening, signal);
        this.#release(connection);
        if (!this.#mayTryAnother(connection)) throw asUnreachable(host, error);
      }
    }
  }

  /** Nobody waits for this channel any more; its place is free when the host has answered, or the connection is lost. */
  #abandon(connection: Connection, opening: Promise<ClientChannel>, signal: AbortSignal): never {
    opening.then(
      (channel) => {
        this.#releaseWithChannel(connection, channel);
        channel.on('data', () => undefined).close();
      },
      () => this.#release(connection),
    );
    throw signal.reason;
  }

  close(): void {
    this.#closing.abort(
      new EdgeError('host_unreachable', 'The SSH connections of this process are being closed'),
    );
    for (const line of this.#lines.values()) for (const connection of line.connections) connection.close();
  }

  /** A host may allow fewer sessions than we ask for: that connection is full as it is, another one is opened. */
  #mayTryAnother(connection: Connection): boolean {
    if (!connection.live) return false;
    connection.maxChannels = Math.max(1, connection.channels);
    return connection.channels > 0;
  }

  async #reserve(host: HostAddress, signal: AbortSignal): Promise<Connection> {
    const line = this.#line(host);
    for (;;) {
      signal.throwIfAborted();
      const free = [...line.connections].find((connection) => connection.free);
      if (free) {
        free.channels += 1;
        this.#idle.get(free)?.abort();
        return free;
      }
      line.connecting ??= this.#open(host, line).finally(() => {
        line.connecting = undefined;
      });
      // The signal ends this wait only: others may wait for the same connection.
      await abortable(line.connecting, signal);
    }
  }

  #line(host: HostAddress): Line {
    const key = JSON.stringify([host.user, host.address, host.port, host.identityFile, host.hostKey]);
    const line = this.#lines.get(key) ?? { connections: new Set(), connecting: undefined };
    this.#lines.set(key, line);
    return line;
  }

  async #open(host: HostAddress, line: Line): Promise<void> {
    this.#closeOneIdleIfFull();
    const release = await this.#places.acquire(this.#closing.signal);
    try {
      const connection = await this.#connectWithRetry(host);
      line.connections.add(connection);
      this.#watchIdle(connection);
      connection.onLost(() => {
        line.connections.delete(connection);
        this.#idle.get(connection)?.abort();
        release();
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  async #connectWithRetry(host: HostAddress): Promise<Connection> {
    const { clock, random, retry } = this.#options;
    const startedMs = clock.monotonicMs();
    for (let waitMs = retry.firstMs; ; waitMs = Math.min(waitMs * retry.factor, retry.maxMs)) {
      const release = await this.#connecting.acquire(this.#closing.signal);
      try {
        return await connect(host, this.#options.times, this.#closing.signal);
      } catch (error) {
        const isLast = clock.monotonicMs() - startedMs + waitMs > retry.giveUpAfterMs;
        if (!(error instanceof EdgeError) || error.code !== 'host_unreachable' || isLast) throw error;
      } finally {
        release();
      }
      await clock.sleep(waitMs * (1 - random() / 2), this.#closing.signal);
    }
  }

  #releaseWithChannel(connection: Connection, channel: ClientChannel): void {
    // A lost connection needs no count: it is not used again.
    channel.once('close', () => this.#release(connection));
  }

  #release(connection: Connection): void {
    connection.channels -= 1;
    if (connection.channels > 0) return;
    if (this.#places.waiting > 0) connection.close();
    else this.#watchIdle(connection);
  }

  #watchIdle(connection: Connection): void {
    if (!connection.live) return;
    const busy = new AbortController();
    this.#idle.set(connection, busy);
    void this.#options.clock
      .sleep(this.#options.idleCloseMs, AbortSignal.any([busy.signal, this.#closing.signal]))
      .then(
        () => connection.close(),
        () => undefined,
      )
      .finally(() => this.#idle.get(connection) === busy && this.#idle.delete(connection));
  }

  #closeOneIdleIfFull(): void {
    let count = 0;
    for (const line of this.#lines.values()) count += line.connections.size + (line.connecting ? 1 : 0);
    if (count < this.#options.maxConnections) return;
    const [longestIdle] = [...this.#idle].find(([, busy]) => !busy.signal.aborted) ?? [];
    longestIdle?.close();
  }
}

function asUnreachable(host: HostAddress, error: unknown): EdgeError {
  if (error instanceof EdgeError) return error;
  return unreachable(host, error instanceof Error ? error.message : String(error), error);
}
