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
  /** Ends an INSERT that leaves a row alone whose key exists; every other error stays one. */
  readonly orIgnore: (key: readonly string[]) => string;
  /** Ends an INSERT whose row replaces `columns` where the key exists. */
  readonly orUpdate: (key: readonly string[], columns: readonly string[]) => string;
  /** Whether others write between the statements of a transaction. */
  readonly manyWriters: boolean;
  /**
   * Ends a SELECT whose rows this transaction is about to change: nobody else changes them before it ends. A row that is not
   * there cannot be locked. Empty where there is one writer at a time.
   */
  readonly forUpdate: string;
  /** The same, passing over rows that another transaction has locked: whoever has them is about to change them. */
  readonly forUpdateOfFree: string;
  /** Follows the table of such a SELECT: reads in the order of this index, so that with a LIMIT it locks no row in vain. */
  readonly alongIndex: (index: string) => string;
};

export const SQLITE: Dialect = {
  serial: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  ordinal: 'INTEGER PRIMARY KEY',
  tableEnd: { plain: '', clustered: 'WITHOUT ROWID' },
  orIgnore: (key) => `ON CONFLICT (${key.join(', ')}) DO NOTHING`,
  orUpdate: (key, columns) =>
    `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  // A write transaction begins with BEGIN IMMEDIATE.
  manyWriters: false,
  forUpdate: '',
  forUpdateOfFree: '',
  alongIndex: () => '',
};

/** InnoDB whatever the server's default is, and texts compared by their bytes, so that two ids are one only if they are equal. */
const INNODB = 'ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';

/** MySQL 8 and MariaDB 10.6. */
export const MYSQL: Dialect = {
  serial: 'BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY',
  ordinal: 'BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY',
  tableEnd: { plain: INNODB, clustered: INNODB },
  // INSERT IGNORE would cut long texts and pass over broken references in silence.
  orIgnore: ([column]) => `ON DUPLICATE KEY UPDATE ${column} = ${column}`,
  // MySQL would rather have an alias for the new row, which MariaDB does not know.
  orUpdate: (_key, columns) =>
    `ON DUPLICATE KEY UPDATE ${columns.map((name) => `${name} = VALUES(${name})`).join(', ')}`,
  manyWriters: true,
  forUpdate: 'FOR UPDATE',
  forUpdateOfFree: 'FOR UPDATE SKIP LOCKED',
  alongIndex: (index) => `FORCE INDEX (${index})`,
};
