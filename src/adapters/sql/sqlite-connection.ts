import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { SQLITE } from './dialect.ts';
import { migrate } from './migrate.ts';
import type { Insert, Operation, Params, Request, Row, Scope, Value } from './operation.ts';
import { type AnyOperation, type Call, isRead, OPERATIONS } from './operations.ts';
import { toEdgeError } from './sqlite-error.ts';
import { writeLists } from './sqlite-lists.ts';

/** What became of a call. `topics`: to be rung, now that the transaction is committed. */
export type Answer =
  | { readonly kind: 'value'; readonly value: unknown; readonly topics: readonly string[] }
  | { readonly kind: 'error'; readonly error: unknown };

const ROWS_AT_ONCE = 32;
/** SQLite (3.53) plans for the very number in a plain `LIMIT ?`, so that each new binding makes it prepare the statement again. */
const LIMIT_OF_ANY_SIZE = 'LIMIT ? + 0';

export type ConnectionOptions = {
  readonly readOnly: boolean;
  /** How long to wait for other processes that write; blocks this thread. */
  readonly busyTimeoutMs: number;
  /** The store's time, ms since the epoch. */
  readonly now: () => number;
};

/** One connection to a SQLite database, used from one thread. Drives operations synchronously, with prepared statements. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** The names of their columns, of those that give rows. */
  readonly #columns = new Map<StatementSync, readonly string[]>();
  readonly #now: () => number;

  constructor(path: string, options: ConnectionOptions) {
    this.#now = options.now;
    this.#database = new DatabaseSync(path, {
      readOnly: options.readOnly,
      timeout: options.busyTimeoutMs,
      enableForeignKeyConstraints: true,
    });
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Brings the tables up to this program's version; see `migrate`. */
  migrate(): void {
    this.#within('BEGIN IMMEDIATE', () => this.#drive(migrate(this.#scope(() => {}))));
  }

  /**
   * Runs calls in one transaction, each all or nothing: many callers share one durable write (contract C2). An error is
   * that of its call alone; where the transaction itself fails, it is the error of every call.
   */
  runAll(calls: readonly Call[]): readonly Answer[] {
    const begin = calls.every(({ name }) => isRead(name)) ? 'BEGIN' : 'BEGIN IMMEDIATE';
    try {
      return this.#within(begin, () => this.#answers(calls));
    } catch (error) {
      return calls.map(() => ({ kind: 'error', error: toEdgeError(error) }));
    }
  }

  /** The rows of a SELECT, outside of any operation. */
  look<Row>(sql: string, params: Params): readonly Row[] {
    return this.#answer({ kind: 'all', sql, params }) as readonly Row[];
  }

  close(): void {
    this.#database.close();
  }

  /** One that is alone needs no savepoint: its transaction is all it has. */
  #answers(calls: readonly Call[]): readonly Answer[] {
    const [first, ...others] = calls;
    return first && others.length === 0 ? [this.#perform(first)] : calls.map((call) => this.#attempt(call));
  }

  #perform({ name, args, now }: Call): Answer {
    const topics: string[] = [];
    const scope = this.#scope((topic) => topics.push(topic), now);
    const operation: AnyOperation = OPERATIONS[name] as AnyOperation;
    return { kind: 'value', value: this.#drive(operation(scope, ...args)), topics };
  }

  #attempt(call: Call): Answer {
    this.#statement('SAVEPOINT call').run();
    try {
      const answer = this.#perform(call);
      this.#statement('RELEASE call').run();
      return answer;
    } catch (error) {
      // A full disk ends the whole transaction: then there is nothing to go back to, and every call has failed.
      if (!this.#database.isTransaction) throw error;
      this.#statement('ROLLBACK TO call').run();
      this.#statement('RELEASE call').run();
      return { kind: 'error', error: toEdgeError(error) };
    }
  }

  #within<T>(begin: string, work: () => T): T {
    this.#statement(begin).run();
    try {
      const result = work();
      this.#statement('COMMIT').run();
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#statement('ROLLBACK').run();
      throw error;
    }
  }

  /** Drives an operation to its end, inside whatever transaction is open. */
  #drive<T>(operation: Operation<T>): T {
    let step = operation.next();
    while (!step.done) step = operation.next(this.#answer(step.value));
    return step.value;
  }

  #scope(ring: Scope['ring'], now = this.#now()): Scope {
    return { dialect: SQLITE, now, ring };
  }

  #answer(request: Request): unknown {
    switch (request.kind) {
      case 'all': {
        const { sql, values } = writeLists(request.sql, request.params);
        return this.#rows(sql, values);
      }
      case 'run': {
        const { sql, values } = writeLists(request.sql, request.params);
        return Number(this.#statement(sql).run(...values).changes);
      }
      case 'each':
        return request.rows.reduce(
          (sum, row) => sum + Number(this.#statement(request.sql).run(...row).changes),
          0,
        );
      case 'insert':
        return this.#insert(request, request.rows);
      default:
        return request satisfies never;
    }
  }

  /**
   * As objects of one shape: what SQLite would make of a row costs twice as much to make and to read. The types of Node do not know what
   * `setReturnArrays` does.
   */
  #rows(sql: string, values: readonly Value[]): readonly object[] {
    const statement = this.#statement(sql);
    const columns = this.#columns.get(statement) ?? this.#asArrays(statement);
    const rows = statement.all(...values) as unknown as readonly (readonly unknown[])[];
    return rows.map((row) => {
      const object: Record<string, unknown> = {};
      for (let column = 0; column < columns.length; column += 1) object[columns[column] ?? ''] = row[column];
      return object;
    });
  }

  #asArrays(statement: StatementSync): readonly string[] {
    statement.setReturnArrays(true);
    const columns = statement.columns().map(({ name }) => name);
    this.#columns.set(statement, columns);
    return columns;
  }

  /** Many rows in one statement cost a third less each than one by one; the rest of them goes one by one. */
  #insert({ into, row, end = '' }: Insert, rows: readonly Row[]): void {
    const many = this.#statement(`${into} VALUES ${Array(ROWS_AT_ONCE).fill(row).join(', ')} ${end}`);
    const whole = rows.length - (rows.length % ROWS_AT_ONCE);
    for (let from = 0; from < whole; from += ROWS_AT_ONCE) {
      many.run(...rows.slice(from, from + ROWS_AT_ONCE).flat());
    }
    const one = this.#statement(`${into} VALUES ${row} ${end}`);
    for (const params of rows.slice(whole)) one.run(...params);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql.replaceAll('LIMIT ?', LIMIT_OF_ANY_SIZE));
    this.#statements.set(sql, statement);
    return statement;
  }
}
