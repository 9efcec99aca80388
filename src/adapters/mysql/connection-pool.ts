import { Semaphore } from '../../lib/semaphore.ts';
import { storeClosed } from '../sql/closed.ts';
import type { MysqlConnection } from './connection.ts';

export type PoolOptions = {
  /** So many connections at once; who comes later waits in line. */
  readonly limit: number;
  readonly open: (signal: AbortSignal) => Promise<MysqlConnection>;
  /** One that was idle for longer is not used again. */
  readonly idleMs: number;
  readonly monotonicMs: () => number;
};

type Idle = { readonly connection: MysqlConnection; readonly sinceMs: number };

/** Connections of one kind, opened when they are needed and kept while they are good. */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #places: Semaphore;
  readonly #busy = new Set<Promise<unknown>>();
  #idle: readonly Idle[] = [];
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = new Semaphore(options.limit);
  }

  /** Runs `work` on a connection of its own. Whatever waits, ends when the signal aborts. */
  async use<T>(signal: AbortSignal, work: (connection: MysqlConnection) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw storeClosed();
    const using = this.#use(signal, work);
    const settled = using.then(
      () => undefined,
      () => undefined,
    );
    this.#busy.add(settled);
    try {
      return await using;
    } finally {
      this.#busy.delete(settled);
    }
  }

  /** Lets what is under way come to its end first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#busy);
    for (const { connection } of this.#idle) connection.end();
    this.#idle = [];
  }

  async #use<T>(signal: AbortSignal, work: (connection: MysqlConnection) => Promise<T>): Promise<T> {
    const leave = await this.#places.acquire(signal);
    try {
      const connection = this.#takeIdle() ?? (await this.#options.open(signal));
      try {
        return await connection.within(signal, () => work(connection));
      } finally {
        if (connection.isBroken) this.#dropIdle();
        else this.#keep(connection);
      }
    } finally {
      leave();
    }
  }

  /** The one that was used last; so the others come of age, and a quiet process keeps few. */
  #takeIdle(): MysqlConnection | undefined {
    const { idleMs, monotonicMs } = this.#options;
    const isFresh = ({ sinceMs }: Idle): boolean => monotonicMs() - sinceMs <= idleMs;
    for (const { connection } of this.#idle.filter((one) => !isFresh(one))) connection.end();
    const good = this.#idle.filter((one) => isFresh(one) && !one.connection.isBroken);
    this.#idle = good.slice(0, -1);
    return good.at(-1)?.connection;
  }

  /** What has met one connection has likely met them all: a failover, a network that is gone. */
  #dropIdle(): void {
    for (const { connection } of this.#idle) connection.destroy();
    this.#idle = [];
  }

  #keep(connection: MysqlConnection): void {
    this.#idle = [...this.#idle, { connection, sinceMs: this.#options.monotonicMs() }];
  }
}
