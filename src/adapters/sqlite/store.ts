import { join } from 'node:path';
import type { Bell } from '../../ports/bell.ts';
import { storeClosed } from '../sql/closed.ts';
import { type Call, isRead } from '../sql/operations.ts';
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
 * The store in a SQLite file of the data folder (WAL, `synchronous = FULL`), over three connections in threads of their
 * own: one that writes; one for what drivers and requests read, which need not wait for a write; one for `Views`, where a
 * long report keeps nobody waiting. Each reads all that was acknowledged before it was asked. Rejects with
 * `data_folder_busy`, `store_version` or `store_unavailable`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { folder, bell, pollMs = 250, busyTimeoutMs = 5_000, now } = options;
  const path = join(folder, 'edge.db');
  prepareFolder(path);
  const open = (readOnly: boolean): Promise<ConnectionThread> =>
    ConnectionThread.open({ path, busyTimeoutMs, readOnly }, (topic) => bell.ring(topic));
  const writer = await open(false);
  const reader = onFirstCall(() => open(true));
  const views = onFirstCall(() => open(true));
  const timed = (call: Call): Call => (now ? { ...call, now: now() } : call);
  return storePorts({
    call: (call) => (isRead(call.name) ? reader : writer).call(timed(call)),
    view: (call) => views.call(timed(call)),
    bell,
    pollMs,
    close: async () => {
      await Promise.all([reader.close(), views.close()]);
      await writer.close();
    },
  });
}

/** A connection that is opened when it is first needed, tried again if that failed, and never opened once it was closed. */
function onFirstCall(open: () => Promise<ConnectionThread>): Pick<ConnectionThread, 'call' | 'close'> {
  let opened: Promise<ConnectionThread> | undefined;
  let isClosed = false;
  const get = (): Promise<ConnectionThread> => {
    if (isClosed) return Promise.reject(storeClosed());
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    call: async <T>(call: Call): Promise<T> => (await get()).call<T>(call),
    close: async () => {
      isClosed = true;
      await (await opened)?.close();
    },
  };
}
