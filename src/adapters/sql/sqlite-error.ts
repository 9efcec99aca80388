import { EdgeError } from '../../domain/errors.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html) that speak of the world, not of a fault of ours. */
const WORLD: Readonly<Record<number, string>> = {
  5: 'another process has kept the database locked',
  6: 'a table of the database is locked',
  8: 'the database cannot be written: the file or its folder is read-only',
  10: 'reading or writing the database failed on the disk',
  11: 'the database file is damaged',
  13: 'the disk is full',
  14: 'the database file cannot be opened',
  26: 'the file is not a database',
};

const HINTS: Readonly<Record<number, string>> = {
  8: 'Give the user that runs Edge the right to write the data folder.',
  11: 'Stop Edge, and restore the data folder from its last backup.',
  13: 'Free space on the disk of the data folder; Edge goes on by itself, nothing was half-applied.',
  14: 'Check that the data folder exists, and that the user that runs Edge may write it.',
  26: 'Choose another folder with --data, or restore the database from its last backup.',
};

/** An error of node:sqlite in words of the catalogue; the low byte of `errcode` is the primary code. */
export function toEdgeError(thrown: unknown): EdgeError {
  if (thrown instanceof EdgeError) return thrown;
  const code = sqliteCode(thrown);
  const what = code === undefined ? undefined : WORLD[code];
  if (code === undefined || what === undefined) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new EdgeError('internal', `The state store: ${message}.`, { cause: thrown });
  }
  const hint = HINTS[code];
  return new EdgeError('store_unavailable', `The state store does not answer: ${what}.`, {
    cause: thrown,
    ...(hint && { hint }),
  });
}

/** The primary result code of an error of node:sqlite. */
export function sqliteCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number')
    return undefined;
  return thrown.errcode & 0xff;
}
