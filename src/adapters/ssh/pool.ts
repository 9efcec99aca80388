import { EdgeError } from '../../domain/errors.ts';
import { abortable } from '../../lib/abortable.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import {
  CONNECTION_TIMES,
  type Connect,
  type Connection,
  type ConnectionTimes,
  discard,
  type HostChannel,
  unreachable,
} from './transport.ts';

export type PoolOptions = {
  readonly connect: Connect;
  readonly route: (host: HostAddress, signal: AbortSignal) => Promise<Route>;
  /** Channels on one connection, unless the host allows fewer. */
  readonly maxChannels: number;
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

/** A place on a connection. Whoever has it gives it back. */
export type Held = { readonly connection: Connection; readonly release: () => void };

/** How to reach a host, and a place on a connection to the host from which it is reached, if that is not here. */
export type Route = { readonly host: HostAddress; readonly via?: Held | undefined };

export const POOL_DEFAULTS = {
  maxConnections: 400,
  maxConnecting: 30,
  // sshd allows 10 sessions on a connection by default.
  maxChannels: 8,
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
  /** Since when they are idle, the longest first. */
  readonly #idle = new Map<Connection, number>();
  #isWatched = false;
  readonly #closing = new AbortController();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = new Semaphore(options.maxConnections);
    this.#connecting = new Semaphore(options.maxConnecting);
  }

  /** Runs a command on a channel of its own. The place on the connection is given back when the channel closes. */
  async exec(
    host: HostAddress,
    { command, input }: { readonly command: string; readonly input: string },
    signal: AbortSignal,
  ): Promise<{ channel: HostChannel; connection: Connection }> {
    for (;;) {
      const connection = await this.#reserve(host, signal);
      const wasAlone = connection.channels === 1;
      const opening = connection.exec(command, input);
      try {
        const channel = await abortable(opening, signal);
        this.#releaseWithChannel(connection, channel);
        return { channel, connection };
      } catch (error) {
        if (signal.aborted) return this.#abandon(connection, opening, signal);
        this.#release(connection);
        if (!this.#mayTryAnother(connection, wasAlone)) throw asUnreachable(host, error);
      }
    }
  }

  /** A place on a connection for as long as it is needed, for what is no command. */
  async hold(host: HostAddress, signal: AbortSignal): Promise<Held> {
    const connection = await this.#reserve(host, signal);
    return { connection, release: () => this.#release(connection) };
  }

  /** Nobody waits for this channel any more; its place is free when the host has answered, or the connection is lost. */
  #abandon(connection: Connection, opening: Promise<HostChannel>, signal: AbortSignal): never {
    opening.then(
      (channel) => {
        this.#releaseWithChannel(connection, channel);
        channel.errors.resume();
        discard(channel.output);
        channel.close();
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

  /**
   * A host may allow fewer sessions than we ask for: that connection is full as it is, another one is opened. Who was refused
   * without any beside him would be refused again.
   */
  #mayTryAnother(connection: Connection, wasAlone: boolean): boolean {
    if (!connection.live) return false;
    connection.maxChannels = Math.max(1, connection.channels);
    return !wasAlone || connection.channels > 0;
  }

  async #reserve(host: HostAddress, signal: AbortSignal): Promise<Connection> {
    const line = this.#line(host);
    for (;;) {
      signal.throwIfAborted();
      const free = [...line.connections].find((connection) => connection.free);
      if (free) {
        free.channels += 1;
        this.#idle.delete(free);
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
    const { name: _, ...how } = host;
    const key = JSON.stringify(how);
    const line = this.#lines.get(key) ?? { connections: new Set(), connecting: undefined };
    this.#lines.set(key, line);
    return line;
  }

  async #open(host: HostAddress, line: Line): Promise<void> {
    this.#closeOneIdleIfFull();
    const release = await this.#places.acquire(this.#closing.signal);
    try {
      const connection = await this.#connectWithRetry(host);
      connection.maxChannels = this.#options.maxChannels;
      line.connections.add(connection);
      this.#watchIdle(connection);
      connection.onLost(() => {
        line.connections.delete(connection);
        this.#idle.delete(connection);
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
      try {
        return await this.#connectOnce(host);
      } catch (error) {
        const isLast = clock.monotonicMs() - startedMs + waitMs > retry.giveUpAfterMs;
        if (!(error instanceof EdgeError) || error.code !== 'host_unreachable' || isLast) throw error;
      }
      await clock.sleep(waitMs * (1 - random() / 2), this.#closing.signal);
    }
  }

  async #connectOnce(asked: HostAddress): Promise<Connection> {
    const { connect, route, times } = this.#options;
    const { signal } = this.#closing;
    // First: who waits for a jump host must not have a place that the way to it needs.
    const { host, via } = await route(asked, signal);
    const release = await this.#connecting.acquire(signal);
    try {
      const connection = await connect(host, { times, via: via?.connection, signal });
      if (via) connection.onLost(via.release);
      return connection;
    } catch (error) {
      via?.release();
      throw error;
    } finally {
      release();
    }
  }

  #releaseWithChannel(connection: Connection, channel: HostChannel): void {
    void channel.closed.then(() => this.#release(connection));
  }

  #release(connection: Connection): void {
    connection.channels -= 1;
    if (connection.channels > 0) return;
    if (this.#places.waiting > 0) connection.close();
    else this.#watchIdle(connection);
  }

  #watchIdle(connection: Connection): void {
    if (!connection.live) return;
    this.#idle.set(connection, this.#options.clock.monotonicMs());
    if (!this.#isWatched) void this.#closeIdle();
  }

  /** One wait for all of them, as long as there are any. */
  async #closeIdle(): Promise<void> {
    const { clock, idleCloseMs } = this.#options;
    const { signal } = this.#closing;
    this.#isWatched = true;
    for (let [longest] = this.#idle; longest; [longest] = this.#idle) {
      const [connection, sinceMs] = longest;
      const leftMs = sinceMs + idleCloseMs - clock.monotonicMs();
      if (leftMs <= 0) {
        this.#idle.delete(connection);
        connection.close();
      } else await clock.sleep(leftMs, signal).catch(() => undefined);
      if (signal.aborted) break;
    }
    this.#isWatched = false;
  }

  #closeOneIdleIfFull(): void {
    let count = 0;
    for (const line of this.#lines.values()) count += line.connections.size + (line.connecting ? 1 : 0);
    if (count < this.#options.maxConnections) return;
    const [longestIdle] = this.#idle.keys();
    if (!longestIdle) return;
    // Not once more, while its end is on its way.
    this.#idle.delete(longestIdle);
    longestIdle.close();
  }
}

function asUnreachable(host: HostAddress, error: unknown): EdgeError {
  if (error instanceof EdgeError) return error;
  return unreachable(host, error instanceof Error ? error.message : String(error), error);
}
