import { connect, isIP, type Socket } from 'node:net';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2';
import { EdgeError } from '../../domain/errors.ts';
import type { Request } from '../sql/operation.ts';
import { isLost } from './mysql-error.ts';
import { type Isolation, prepareSession } from './session.ts';
import { type Bound, bind, insertsOf } from './statement.ts';

/** How a server is reached, with the secrets that it takes. */
export type Endpoint = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string;
  /** Encrypts, and checks the server's certificate against the name of its host; `ca` as PEM, else the system's. */
  readonly tls: { readonly ca?: string } | null;
};

const GOODBYE_MS = 2_000;

export type TextRow = Readonly<Record<string, unknown>>;

/** One connection to a server. Every wait on it ends, at the latest when it is destroyed. */
export class MysqlConnection {
  readonly #socket: Socket;
  readonly #connection: Connection;
  #isBroken = false;

  private constructor(endpoint: Endpoint) {
    const { host, port, user, database, password, tls } = endpoint;
    this.#socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
    this.#connection = createConnection({
      stream: this.#socket,
      host,
      user,
      database,
      password,
      charset: 'UTF8MB4_BIN',
      // A server keeps 16,382 of them for all connections of all its clients.
      maxPreparedStatements: 200,
      // An UPDATE counts the rows that it changed, and an INSERT those that it added.
      flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
      ...(tls && { ssl: { minVersion: 'TLSv1.2', rejectUnauthorized: true, verifyIdentity: true, ...tls } }),
    });
    this.#connection.on('error', () => {
      this.#isBroken = true;
    });
    this.#socket.on('close', () => {
      this.#isBroken = true;
    });
  }

  /** Connects, and makes the session ours. Rejects with the driver's error, or that of `prepareSession`. */
  static async open(
    endpoint: Endpoint,
    { isolation, signal }: { readonly isolation: Isolation; readonly signal: AbortSignal },
  ): Promise<MysqlConnection> {
    if (endpoint.tls && isIP(endpoint.host) !== 0) throw withoutName(endpoint.host);
    const connection = new MysqlConnection(endpoint);
    return connection.within(signal, async () => {
      await prepareSession((sql) => connection.text(sql), isolation);
      return connection;
    });
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Runs `work` on this connection, and destroys it when the signal aborts meanwhile or the work says that it is lost. */
  async within<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const onAbort = (): void => this.destroy(timedOut());
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await work();
    } catch (error) {
      if (isLost(error)) this.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** A statement without parameters. */
  text(sql: string): Promise<readonly TextRow[]> {
    return new Promise((resolve, reject) => {
      this.#connection.query<RowDataPacket[]>(sql, (error, rows) => {
        if (error) reject(error);
        else resolve(Array.isArray(rows) ? rows : []);
      });
    });
  }

  /** What an operation asked for. */
  async answer(request: Request): Promise<unknown> {
    switch (request.kind) {
      case 'all':
        return await this.#execute(bind(request.sql, request.params));
      case 'run':
        return changed(await this.#execute(bind(request.sql, request.params)));
      case 'each':
        return await this.#inTurn(request.rows.map((row) => bind(request.sql, row)));
      case 'insert':
        return await this.#inTurn(insertsOf(request, request.rows));
      default:
        return request satisfies never;
    }
  }

  /** Says good-bye, and does not wait long for an answer. */
  end(): void {
    this.#isBroken = true;
    this.#socket.setTimeout(GOODBYE_MS, () => this.#socket.destroy());
    this.#connection.end(() => this.#socket.destroy());
  }

  /** Cuts the connection; what waits on it rejects. */
  destroy(reason: Error = cut()): void {
    this.#isBroken = true;
    this.#socket.destroy(reason);
  }

  async #inTurn(statements: readonly Bound[]): Promise<number> {
    let sum = 0;
    for (const statement of statements) sum += changed(await this.#execute(statement));
    return sum;
  }

  #execute({ sql, values }: Bound): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#connection.execute(sql, [...values], (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
    });
  }
}

function changed(result: unknown): number {
  const isHeader = typeof result === 'object' && result !== null && 'affectedRows' in result;
  return isHeader ? Number(result.affectedRows) : 0;
}

const timedOut = (): Error => Object.assign(new Error('no answer came in time'), { code: 'ETIMEDOUT' });
const cut = (): Error => Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' });

/** The driver would take a certificate for "localhost" in place of one for an IP address. */
const withoutName = (host: string): EdgeError =>
  new EdgeError('settings_invalid', `A certificate cannot be checked against ${host}`, {
    hint: 'With tls=verify, name the host in --store as its certificate does, not by its IP address.',
  });
