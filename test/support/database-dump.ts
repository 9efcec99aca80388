import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Columns that a driver and workers write again and again while a deployment runs, whoever asks for what: leases, and when
 * somebody last looked. They carry no fact that a person reads.
 */
const HEARTBEATS: Readonly<Record<string, readonly string[]>> = {
  deployments: ['lease_owner', 'lease_epoch', 'lease_until', 'driven_at'],
  tasks: ['due_at', 'lease_ms'],
};

/** Every row of every table of a data folder's database, as lines; a file that is none, as its digest. */
export function dumpDatabase(folder: string): readonly string[] {
  const path = join(folder, 'edge.db');
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .all();
    return tables.flatMap(({ name }) => rowsOf(database, String(name)));
  } catch {
    return [`not a database: ${createHash('sha256').update(readFileSync(path)).digest('hex')}`];
  } finally {
    database.close();
  }
}

function rowsOf(database: DatabaseSync, table: string): readonly string[] {
  const rows = database.prepare(`SELECT * FROM "${table}"`).all();
  for (const row of rows) for (const column of HEARTBEATS[table] ?? []) delete row[column];
  return rows.map((row) => `${table} ${JSON.stringify(row)}`).sort();
}
