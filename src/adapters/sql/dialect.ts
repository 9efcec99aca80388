/**
 * What databases write differently, as data: everything else in this folder is SQL that SQLite, MySQL 8 and MariaDB 10.6
 * share.
 */
export type Dialect = {
  /** A key that the database counts up, never used again even when its row is gone. */
  readonly serial: string;
  /** The same, but good only to order the rows that are there. */
  readonly ordinal: string;
  /** Ends CREATE TABLE. `clustered`: rows are kept in the order of the primary key. */
  readonly tableEnd: { readonly plain: string; readonly clustered: string };
  /** Begins an INSERT that leaves rows alone whose key exists. */
  readonly insertIgnore: string;
  /** Ends an INSERT whose row replaces `columns` where the key exists. */
  readonly orUpdate: (key: readonly string[], columns: readonly string[]) => string;
  /** Ends a SELECT whose rows this transaction is about to change. */
  readonly forUpdate: string;
  /** `column` is one of the texts, or numbers, of a JSON array that is given as one parameter. */
  readonly inTexts: (column: string) => string;
  readonly inNumbers: (column: string) => string;
};

export const SQLITE: Dialect = {
  serial: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  ordinal: 'INTEGER PRIMARY KEY',
  tableEnd: { plain: '', clustered: 'WITHOUT ROWID' },
  insertIgnore: 'INSERT OR IGNORE INTO',
  orUpdate: (key, columns) =>
    `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  // One writer at a time: a write transaction begins with BEGIN IMMEDIATE.
  forUpdate: '',
  inTexts: (column) => `${column} IN (SELECT value FROM json_each(?))`,
  inNumbers: (column) => `${column} IN (SELECT value FROM json_each(?))`,
};
