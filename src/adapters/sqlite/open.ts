import { mkdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { EdgeError } from '../../domain/errors.ts';
import { SqliteConnection } from '../sql/sqlite-connection.ts';
import { sqliteCode, toEdgeError } from '../sql/sqlite-error.ts';
import type { ThreadData } from './protocol.ts';

/**
 * Opens the file and brings it up to date. `synchronous = FULL`: what is acknowledged survives a power cut. A WAL file that
 * a long reader let grow is cut back to 64 MB.
 */
const SETTINGS = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;`;

const SQLITE_BUSY = 5;

/** Rejects with `data_folder_busy`, `store_version` or `store_unavailable`. */
export function openConnection(data: ThreadData): SqliteConnection {
  const { path, readOnly, busyTimeoutMs } = data;
  try {
    const connection = new SqliteConnection(path, { readOnly, busyTimeoutMs, now: steadyClock() });
    if (readOnly) {
      connection.exec('PRAGMA cache_size = -16384');
      return connection;
    }
    connection.exec(SETTINGS);
    connection.migrate();
    return connection;
  } catch (error) {
    throw openingError(error, path);
  }
}

function openingError(error: unknown, path: string): EdgeError {
  if (sqliteCode(error) === SQLITE_BUSY) {
    return new EdgeError('data_folder_busy', `Another process keeps ${path} locked.`, { cause: error });
  }
  const known = toEdgeError(error);
  const message = `${known.message.replace(/\.$/, '')} (${path}).`;
  return new EdgeError(known.code, message, { hint: known.body.hint, cause: error });
}

/** The machine's clock; when it is set back, time stands still until it has caught up, so that order is kept. */
function steadyClock(): () => number {
  let last = 0;
  return () => {
    last = Math.max(last, Date.now());
    return last;
  };
}

/** File systems over a network, where locks and shared memory cannot be trusted (statfs(2), magic numbers). */
const NETWORK: Readonly<Record<number, string>> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  20859: 'SMB',
  12805120: 'Ceph',
  1397113167: 'AFS',
  16914839: '9P',
};

/** Makes the folder of the database, for this user only, and refuses one that is not on a local disk. */
export function prepareFolder(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(folder, error);
  }
  const network = NETWORK[statfsSync(folder).type >>> 0];
  if (network === undefined) return;
  throw new EdgeError(
    'store_unavailable',
    `The data folder ${folder} is on a network file system (${network}).`,
    {
      hint: 'Put it on a local disk with --data, or use a database server.',
    },
  );
}

const unusable = (folder: string, cause: unknown): EdgeError =>
  new EdgeError('store_unavailable', `The data folder ${folder} cannot be used.`, {
    hint: 'Check the path and its permissions, or choose another folder with --data.',
    cause,
  });
