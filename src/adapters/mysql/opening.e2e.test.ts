import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { requireService } from '../../../scripts/services.ts';
import { deployment } from '../../../test/contracts/sample.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { type Mariadb, startMariadb } from '../../../test/support/mariadb.ts';
import { endpointOf, openStoreAt } from '../../../test/support/mysql-stores.ts';
import { MYSQL } from '../sql/dialect.ts';
import { migrations } from '../sql/schema.ts';
import { type Endpoint, MysqlConnection } from './connection.ts';

const { path, skip = false } = requireService('mariadb');
const ADDRESS = '127.61.0.3';

describe('mariadb: opening', { skip }, () => {
  let mariadb: Mariadb;
  let databases = 0;
  before(async () => {
    mariadb = await startMariadb({ path: path ?? '', address: ADDRESS });
  });
  after(() => mariadb.stop());

  const newDatabase = async (): Promise<string> => {
    databases += 1;
    await mariadb.sql(`CREATE DATABASE opening_${databases}`);
    return `opening_${databases}`;
  };
  const refused = async (
    says: { readonly code: string; readonly message: RegExp; readonly hint: RegExp },
    changes: Partial<Endpoint> = {},
    database?: string,
  ): Promise<void> => {
    const endpoint = { ...endpointOf(mariadb, database ?? (await newDatabase())), ...changes };
    const { code, message, hint } = says;
    await assert.rejects(openStoreAt(endpoint), (error: Error & { body: { code: string; hint: string } }) => {
      assert.equal(error.body.code, code, error.message);
      assert.match(error.message, message);
      assert.match(error.body.hint, hint);
      return true;
    });
  };

  test('servers that start at once on an empty database all find their tables', async () => {
    const database = await newDatabase();
    const stores = await Promise.all(
      Array.from({ length: 4 }, () => openStoreAt(endpointOf(mariadb, database))),
    );
    const made = deployment('d1');
    await stores[0]?.journal.create(made);
    for (const store of stores) {
      assert.equal((await store.journal.load(made.id)).planHash, made.planHash);
      await store.close();
    }
  });

  test('a server that starts while another one changes the tables waits for it, longer than for any row', async () => {
    const database = await newDatabase();
    await (await openStoreAt(endpointOf(mariadb, database))).close();
    const other = await MysqlConnection.open(endpointOf(mariadb, database), {
      isolation: 'READ COMMITTED',
      signal: AbortSignal.timeout(30_000),
    });
    await other.text('START TRANSACTION');
    await other.text('SELECT id FROM migration_lock WHERE id = 1 FOR UPDATE');
    let isOpen = false;
    const opening = openStoreAt(endpointOf(mariadb, database)).finally(() => {
      isOpen = true;
    });
    await delay(6_000);
    assert.equal(isOpen, false);
    other.end();
    await (await opening).close();
  });

  test('a migration that was cut off half-way is brought to its end by the next start', async () => {
    const database = await newDatabase();
    await (await openStoreAt(endpointOf(mariadb, database))).close();
    await mariadb.sql(
      `USE ${database}; DELETE FROM migrations; DROP TABLE records; DROP INDEX tasks_due ON tasks;
       ALTER TABLE placed DROP COLUMN unproven`,
    );
    const store = await openStoreAt(endpointOf(mariadb, database));
    assert.deepEqual(await store.records.list('token'), []);
    assert.deepEqual(await store.views.fleet({}), { holds: [], targets: [] });
    await store.close();
    const versions = await mariadb.sql(`SELECT version FROM ${database}.migrations ORDER BY version`);
    const known = migrations(MYSQL).map(({ version }) => String(version));
    assert.deepEqual(versions.trim().split('\n').toSorted(), known.toSorted());
    assert.match(await mariadb.sql(`SHOW INDEX FROM ${database}.tasks`), /tasks_due/);
  });

  test('a store of a newer program is refused', async () => {
    const database = await newDatabase();
    await (await openStoreAt(endpointOf(mariadb, database))).close();
    await mariadb.sql(`INSERT INTO ${database}.migrations VALUES (999, 'from the future', 0)`);
    await refused({ code: 'store_version', message: /999/, hint: /newer/ }, {}, database);
  });

  test('a database of another program is refused and left as it is', async () => {
    const database = await newDatabase();
    await mariadb.sql(`CREATE TABLE ${database}.events (notes TEXT)`);
    await refused({ code: 'settings_invalid', message: /events/, hint: /empty database/ }, {}, database);
    assert.equal((await mariadb.sql(`SHOW TABLES FROM ${database}`)).trim(), 'events');
  });

  test('a wrong password, a database that is not there and an address without a server are told apart', async () => {
    const code = 'store_unavailable';
    await refused(
      { code, message: /user or the password/, hint: /EDGE_STORE_PASSWORD/ },
      { password: 'wrong' },
    );
    await refused({ code, message: /no such database/, hint: /CREATE DATABASE/ }, { database: 'nowhere' });
    await refused({ code, message: /nothing listens/, hint: /resumes/ }, { port: await freePort(ADDRESS) });
  });

  test('text is kept and compared as it is, whatever the server takes for granted', async () => {
    const store = await openStoreAt(endpointOf(mariadb, await newDatabase()));
    const text = 'é é 🚀 \\ \' " \u0000';
    const made = { ...deployment('d1'), reason: text };
    await store.journal.create(made);
    assert.equal((await store.views.deployments({ limit: 1 }))[0]?.reason, text);
    assert.deepEqual(await store.journal.create(deployment('D1', { project: 'SHOP' })), { kind: 'created' });
    await store.close();
  });

  // A server that is killed with a binary log does not start without one.
  const serverWith = (option: string, name: string) =>
    test(`a server with ${option} is refused by the name of the variable`, async () => {
      const database = await newDatabase();
      await mariadb.kill('SIGTERM');
      await mariadb.start(option.split(' '));
      try {
        await refused(
          { code: 'settings_invalid', message: new RegExp(name), hint: new RegExp(name) },
          {},
          database,
        );
      } finally {
        await mariadb.kill('SIGTERM');
        await mariadb.start([]);
      }
    });
  serverWith('--innodb-flush-log-at-trx-commit=2', 'innodb_flush_log_at_trx_commit');
  serverWith('--log-bin --server-id=1 --sync-binlog=0', 'sync_binlog');
  serverWith('--log-bin --server-id=1 --sync-binlog=1 --binlog-format=STATEMENT', 'binlog_format');
  serverWith('--max-allowed-packet=1M', 'max_allowed_packet');
  serverWith('--read-only', 'read_only');

  test('a server whose defaults differ in what a session may choose is accepted', async () => {
    const database = await newDatabase();
    await mariadb.kill('SIGTERM');
    await mariadb.start([
      '--transaction-isolation=SERIALIZABLE',
      '--sql-mode=',
      '--default-time-zone=+05:30',
      '--autocommit=0',
      '--collation-server=utf8mb4_general_ci',
      '--character-set-server=utf8mb4',
    ]);
    try {
      const store = await openStoreAt(endpointOf(mariadb, database));
      assert.deepEqual(await store.journal.create(deployment('d1')), { kind: 'created' });
      assert.deepEqual(await store.journal.create(deployment('D1', { project: 'Shop' })), {
        kind: 'created',
      });
      const [row] = await store.views.deployments({ limit: 1 });
      assert.ok(
        Math.abs((row?.createdAt ?? 0) - Date.now()) < 60_000,
        'the time is that of the server, in UTC',
      );
      await store.close();
    } finally {
      await mariadb.kill('SIGTERM');
      await mariadb.start([]);
    }
  });
});
