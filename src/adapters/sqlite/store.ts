import { join } from 'node:path';
import type { Bell } from '../../ports/bell.ts';
import type { Call } from '../sql/operations.ts';
import { type Store, storePorts } from '../sql/ports.ts';
import { ConnectionThread } from './connection-thread.ts';
import { prepareFolder } from './open.ts';

export type SqliteStoreOptions = {
  /** The data folder; made if it is not there. Several processes of one machine may share it. */
  readonly folder: string;
  readonly bell: Bell;
  /** How often one who waits for work looks by himself: for due times, and for what other processes commit. */
  readonly pollMs?: number;
  /** How long a write waits for other processes before it is `store_unavailable`. */
  readonly busyTimeoutMs?: number;
  /** The store's time, ms since the epoch. Left out: the machine's clock, read at the commit. */
  readonly now?: () => number;
};

/**
 * The store in a SQLite file of the data folder (WAL, `synchronous = FULL`): one connection that writes and one that only
 * reads for `Views`, each in a thread of its own. Rejects with `data_folder_busy`, `store_version` or `store_unavailable`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { folder, bell, pollMs = 250, busyTimeoutMs = 5_000, now } = options;
  const path = join(folder, 'edge.db');
  prepareFolder(path);
  const { writer, reader } = await openThreads({ path, busyTimeoutMs }, (topic) => bell.ring(topic));
  const timed = (call: Call): Call => (now ? { ...call, now: now() } : call);
  return storePorts({
    call: (call) => writer.call(timed(call)),
    view: (call) => reader.call(timed(call)),
    bell,
    pollMs,
    close: async () => {
      await reader.close();
      await writer.close();
    },
  });
}

async function openThreads(
  file: { readonly path: string; readonly busyTimeoutMs: number },
  ring: (topic: string) => void,
): Promise<{ readonly writer: ConnectionThread; readonly reader: ConnectionThread }> {
  const writer = await ConnectionThread.open({ ...file, readOnly: false }, ring);
  try {
    return { writer, reader: await ConnectionThread.open({ ...file, readOnly: true }, ring) };
  } catch (error) {
    await writer.close();
    throw error;
  }
}
