import type { Dialect } from './dialect.ts';

/**
 * An operation of the store, written once for every SQL database: a generator that yields statements and gets their
 * results. SQLite drives it synchronously inside a transaction, a database on the network with awaits; the operation does
 * not know. It may be driven again from the start (a deadlock), so it keeps no state of its own between runs.
 */
export type Operation<T> = Generator<Request, T, unknown>;

export type Value = string | number | null;
export type Row = readonly Value[];
/** What `IN (?)` asks for: a list is one parameter, and the connection writes it out. */
export type List = readonly (string | number)[];
export type Params = readonly (Value | List)[];

/** `each` runs one statement once per row of parameters. `insert` adds rows, many with one statement where that is quicker. */
export type Request =
  | { readonly kind: 'all'; readonly sql: string; readonly params: Params }
  | { readonly kind: 'run'; readonly sql: string; readonly params: Params }
  | { readonly kind: 'each'; readonly sql: string; readonly rows: readonly Row[] }
  | ({ readonly kind: 'insert'; readonly rows: readonly Row[] } & Insert);

/** `into` up to VALUES, `row` in parentheses with its parameters, `end` what follows the rows. */
export type Insert = { readonly into: string; readonly row: string; readonly end?: string };

/** What an operation gets besides its arguments. */
export type Scope = {
  readonly dialect: Dialect;
  /** The store's time, ms since the epoch (contract C13). */
  readonly now: number;
  /** Rings a topic of the doorbell after the commit. */
  readonly ring: (topic: string) => void;
};

/** All rows. Their shape is that of our own tables, so it is named and not checked. */
export function* all<Row>(sql: string, ...params: Params): Operation<readonly Row[]> {
  return (yield { kind: 'all', sql, params }) as readonly Row[];
}

/** The first row, if there is one. */
export function* first<Row>(sql: string, ...params: Params): Operation<Row | undefined> {
  return (yield* all<Row>(sql, ...params))[0];
}

/** Resolves to the number of rows that the statement changed. */
export function* run(sql: string, ...params: Params): Operation<number> {
  return (yield { kind: 'run', sql, params }) as number;
}

/** Runs a statement for each row of parameters; the number of rows changed by all of them. */
export function* each(sql: string, rows: readonly Row[]): Operation<number> {
  if (rows.length === 0) return 0;
  return (yield { kind: 'each', sql, rows }) as number;
}

/** Adds rows. */
export function* insert(statement: Insert, rows: readonly Row[]): Operation<void> {
  if (rows.length > 0) yield { kind: 'insert', ...statement, rows };
}
