import { EdgeError } from '../../domain/errors.ts';
import { MYSQL } from '../sql/dialect.ts';
import { migrate } from '../sql/migrate.ts';
import type { Request } from '../sql/operation.ts';
import type { MysqlConnection } from './connection.ts';
import { NUMBERS, numberOf } from './mysql-error.ts';
import { drive, timeOf } from './transaction.ts';

/**
 * Brings the tables up to date, over two connections: every change of a table ends the transaction that it is in, so one
 * holds the lock that keeps other servers out, and ends with it, while the other one changes. If this process dies, the lock
 * goes with it, and the next one does again what is not noted as done; what is there already then is what it would make.
 */
export async function migrateDatabase(lock: MysqlConnection, worker: MysqlConnection): Promise<void> {
  await refuseForeign(worker);
  await worker.text(
    `CREATE TABLE IF NOT EXISTS migration_lock (id INTEGER NOT NULL PRIMARY KEY) ${MYSQL.tableEnd.plain}`,
  );
  try {
    await takeLock(lock);
    const now = await timeOf(worker);
    await drive(migrate({ dialect: MYSQL, now, ring: () => {} }), (request) => onceMore(worker, request));
  } finally {
    lock.end();
  }
}

/** Until the connection ends. */
async function takeLock(lock: MysqlConnection): Promise<void> {
  await lock.text(`SET SESSION innodb_lock_wait_timeout = ${PATIENCE_S}, wait_timeout = ${PATIENCE_S}`);
  // Kept at once, so that there is a row to lock.
  await lock.text('INSERT INTO migration_lock (id) VALUES (1) ON DUPLICATE KEY UPDATE id = id');
  await lock.text('START TRANSACTION');
  await lock.text('SELECT id FROM migration_lock WHERE id = 1 FOR UPDATE');
}

/** The longest that a change of all tables may take; so long others wait for it, and may its lock be silent. */
export const PATIENCE_S = 3_600;

const DONE_BEFORE: ReadonlySet<number> = new Set([
  NUMBERS.tableExists,
  NUMBERS.columnExists,
  NUMBERS.indexExists,
]);

async function onceMore(worker: MysqlConnection, request: Request): Promise<unknown> {
  try {
    // Changes of tables cannot be prepared everywhere; they have no parameters.
    const isPlain = request.kind === 'run' && request.params.length === 0;
    return await (isPlain ? worker.text(request.sql) : worker.answer(request));
  } catch (error) {
    if (DONE_BEFORE.has(numberOf(error) ?? 0)) return 0;
    throw error;
  }
}

/** Tables of somebody else may have the names of ours. */
async function refuseForeign(worker: MysqlConnection): Promise<void> {
  const rows = await worker.text(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
  );
  const names = rows.map(({ name }) => String(name));
  const isOurs = names.length === 0 || names.includes('migration_lock');
  if (isOurs) return;
  throw new EdgeError(
    'settings_invalid',
    `The database of --store has tables of another program: ${names[0]}`,
    {
      hint: 'Make an empty database for Edge, and name that.',
    },
  );
}
