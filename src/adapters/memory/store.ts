import type { Bell } from '../../ports/bell.ts';
import type { Params } from '../sql/operation.ts';
import type { Call } from '../sql/operations.ts';
import { type Store, storePorts } from '../sql/ports.ts';
import { SqliteConnection } from '../sql/sqlite-connection.ts';

export type MemoryStoreOptions = {
  readonly bell: Bell;
  /** The store's time, ms since the epoch; tests and the simulation move it. */
  readonly now: () => number;
  readonly pollMs?: number;
};

export type MemoryStore = Store & {
  /** The rows of a SELECT: for who looks at the tables from outside, as no part of Edge does. */
  look<Row>(sql: string, ...params: Params): readonly Row[];
};

/** The store in memory: the same SQL, in this thread, gone with the process. Each call is done when it returns. */
export function openMemoryStore({ bell, now, pollMs = 250 }: MemoryStoreOptions): MemoryStore {
  const connection = new SqliteConnection(':memory:', { readOnly: false, busyTimeoutMs: 0, now });
  connection.migrate();
  const call = async <T>(one: Call): Promise<T> => {
    const [answer] = connection.runAll([one]);
    if (answer?.kind !== 'value') throw answer?.error;
    for (const topic of answer.topics) bell.ring(topic);
    return answer.value as T;
  };
  const ports = storePorts({ call, view: call, bell, pollMs, close: async () => connection.close() });
  return { ...ports, look: (sql, ...params) => connection.look(sql, params) };
}
