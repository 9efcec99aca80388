import { after, test } from 'node:test';
import { requireService } from '../../../scripts/services.ts';
import { journalContract } from '../../../test/contracts/journal.ts';
import { journalHoldsContract } from '../../../test/contracts/journal-holds.ts';
import { madeFromContract } from '../../../test/contracts/journal-made-from.ts';
import { recordsContract } from '../../../test/contracts/records.ts';
import { sideBySideContract } from '../../../test/contracts/side-by-side.ts';
import { START, type TestStore } from '../../../test/contracts/store.ts';
import { taskBoardContract } from '../../../test/contracts/task-board.ts';
import { keepOutContract } from '../../../test/contracts/task-board-keep-out.ts';
import { viewsContract } from '../../../test/contracts/views.ts';
import { type Mariadb, startMariadb } from '../../../test/support/mariadb.ts';
import { endpointOf, openStoreAt } from '../../../test/support/mysql-stores.ts';
import { DRIVER_TOPIC } from '../../domain/topics.ts';
import { memoryBell } from '../memory/bell.ts';
import type { Store } from '../sql/ports.ts';

const { path, skip } = requireService('mariadb');

const DATABASE = 'contract';
let starting: Promise<Mariadb> | undefined;

const server = (): Promise<Mariadb> => {
  starting ??= startMariadb({ path: path ?? '', address: '127.61.0.1' }).then(async (mariadb) => {
    await mariadb.sql(`CREATE DATABASE ${DATABASE}`);
    return mariadb;
  });
  return starting;
};

/** To make the tables takes seconds; to empty them does not. */
async function emptyTables(mariadb: Mariadb): Promise<void> {
  const names = await mariadb.sql(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = '${DATABASE}' AND table_name NOT LIKE 'migration%'`,
  );
  const deletes = names
    .trim()
    .split('\n')
    .map((name) => `DELETE FROM ${DATABASE}.${name};`);
  await mariadb.sql(`SET foreign_key_checks = 0; ${deletes.join(' ')}`);
}

const open = async (): Promise<TestStore> => {
  let time = START;
  const mariadb = await server();
  const bell = memoryBell();
  const opened: Store[] = [];
  const openOne = async (): Promise<Store> => {
    const store = await openStoreAt(endpointOf(mariadb, DATABASE), {
      bell,
      now: () => time,
      pollMs: 60_000,
    });
    opened.push(store);
    return store;
  };
  return {
    ...(await openOne()),
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
    second: openOne,
    driverWoken: () => bell.wait(DRIVER_TOPIC, 60_000, AbortSignal.timeout(60_000)),
    dispose: async () => {
      for (const store of opened) await store.close();
      await emptyTables(mariadb);
    },
  };
};

if (skip === undefined) {
  after(async () => (await starting)?.stop());
  journalContract('mariadb', open);
  madeFromContract('mariadb', open);
  journalHoldsContract('mariadb', open);
  taskBoardContract('mariadb', open);
  keepOutContract('mariadb', open);
  recordsContract('mariadb', open);
  viewsContract('mariadb', open);
  sideBySideContract('mariadb', open);
} else {
  test('the store on MariaDB', { skip }, () => {});
}
