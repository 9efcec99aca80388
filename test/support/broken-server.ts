import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryBell } from '../../src/adapters/memory/bell.ts';
import { openSqliteStore } from '../../src/adapters/sqlite/store.ts';
import { sortableIds } from '../../src/adapters/system/ids.ts';
import { systemRandom } from '../../src/adapters/system/random.ts';
import { apiServer } from '../../src/api/server.ts';
import { datacenter } from '../../src/platforms/datacenter/plan.ts';
import { threadedSimulator } from '../../src/simulation/plan/threads.ts';
import { artifactsIn } from './artifacts.ts';
import { realClock } from './clock.ts';

export type BrokenServer = {
  readonly settings: { readonly server: string; readonly token: string };
  /** What went into the log of the server. */
  readonly faults: readonly unknown[];
  close(): Promise<void>;
};

/** The API on the store of a data folder, with a port `Records` that has a fault: it breaks whenever a list is asked of it. */
export async function brokenServerIn(folder: string): Promise<BrokenServer> {
  const bell = memoryBell();
  const store = await openSqliteStore({ folder, bell });
  const faults: unknown[] = [];
  const nobody = () => Promise.reject(new Error('nobody is there'));
  const server = apiServer({
    version: '0.0.0-test',
    onFault: (fault) => faults.push(fault),
    ports: {
      ...{ journal: store.journal, board: store.tasks, views: store.views, bell },
      records: {
        get: store.records.get,
        apply: store.records.apply,
        list: () => Promise.reject(new TypeError('a secret thing is not a function')),
      },
      ...{
        ids: sortableIds(realClock),
        clock: realClock,
        random: systemRandom,
        artifacts: artifactsIn(join(folder, 'artifacts')),
      },
      ...{ hosts: { facts: nobody, shownKey: nobody }, balancer: nobody, platform: datacenter },
      inventory: { read: nobody },
      simulator: threadedSimulator(),
    },
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const token = (await readFile(join(folder, 'token'), 'utf8')).trim();
  const close = async () => {
    await server.close();
    await store.close();
  };
  return { settings: { server: url, token }, faults, close };
}
