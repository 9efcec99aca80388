import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../../scripts/services.ts';
import {
  claimOf,
  commitOf,
  deployment,
  done,
  idsOf,
  lease,
  pause,
  task,
} from '../../../test/contracts/sample.ts';
import { type Mariadb, startMariadb } from '../../../test/support/mariadb.ts';
import { endpointOf, openStoreAt } from '../../../test/support/mysql-stores.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { until } from '../../../test/support/until.ts';
import type { EdgeError } from '../../domain/errors.ts';
import type { RecordChange } from '../../ports/records.ts';
import type { Store } from '../sql/ports.ts';
import { MysqlConnection } from './connection.ts';
import type { MysqlStoreOptions } from './store.ts';

const { path, skip = false } = requireService('mariadb');
const ADDRESS = '127.61.0.2';

const UNAVAILABLE = { code: 'store_unavailable' };

describe('mariadb: faults', { skip }, () => {
  let mariadb: Mariadb;
  let databases = 0;
  before(async () => {
    mariadb = await startMariadb({ path: path ?? '', address: ADDRESS });
  });
  after(() => mariadb.stop());

  const newDatabase = async (): Promise<string> => {
    databases += 1;
    await mariadb.sql(`CREATE DATABASE faults_${databases}`);
    return `faults_${databases}`;
  };

  /** A store behind a network that can fail, and one beside it that sees what is there. */
  type World = { readonly store: Store; readonly direct: Store; readonly proxy: TcpProxy };
  const inWorld =
    (body: (world: World) => Promise<void>, options: Partial<MysqlStoreOptions> = {}) =>
    async (): Promise<void> => {
      const database = await newDatabase();
      const proxy = await startTcpProxy(ADDRESS, mariadb);
      const direct = await openStoreAt(endpointOf(mariadb, database));
      const store = await openStoreAt(endpointOf(mariadb, database, { port: proxy.port }), options);
      try {
        await body({ store, direct, proxy });
      } finally {
        await proxy.close();
        await store.close();
        await direct.close();
      }
    };

  describe('a COMMIT whose answer is lost', () => {
    /** Its COMMIT was done, and it was told that nobody knows. */
    const unanswered = async (proxy: TcpProxy, call: () => Promise<unknown>): Promise<void> => {
      const sprung = proxy.cutAt('COMMIT', 'answered');
      await assert.rejects(call(), { ...UNAVAILABLE, message: /did not say whether it kept a write/ });
      await sprung;
    };

    test(
      'leaves a deployment that is created once when it is asked for again',
      inWorld(async ({ store, direct, proxy }) => {
        const made = deployment('d1');
        await unanswered(proxy, () => store.journal.create(made));
        assert.equal((await direct.views.deployments({ limit: 10 })).length, 1);
        assert.deepEqual(await store.journal.create(made), { kind: 'created' });
        assert.equal((await store.journal.load(made.id)).events.length, 1);
      }),
    );

    test(
      'leaves events that are there once, and says so to who commits them again',
      inWorld(async ({ store, proxy }) => {
        const own = await lease(store.journal, deployment('d1'));
        const changes = commitOf({
          events: [{ kind: 'deployment.started' }],
          open: [task(own.deployment, 0)],
        });
        await unanswered(proxy, () => store.journal.commit(own, changes));
        assert.deepEqual(await store.journal.commit(own, changes), { kind: 'lost' });
        assert.equal((await store.journal.load(own.deployment)).events.length, 2);
      }),
    );

    test(
      'leaves commands, claims and reports that count once when they come again',
      inWorld(async ({ store, proxy }) => {
        const own = await lease(store.journal, deployment('d1'));
        await store.journal.commit(own, commitOf({ open: [task(own.deployment, 0)] }));
        await unanswered(proxy, () => store.journal.submit([pause('c1', own.deployment)]));
        await store.journal.submit([pause('c1', own.deployment)]);
        await unanswered(proxy, () => store.tasks.claim(claimOf()));
        assert.deepEqual(await store.tasks.claim(claimOf()), [], 'it is claimed');
        const [claimed] = await store.tasks.claim(claimOf({ held: [] }));
        assert.ok(claimed, 'who missed the answer is given it again');
        await unanswered(proxy, () => store.tasks.report(claimOf().worker, [done(claimed)]));
        await store.tasks.report(claimOf().worker, [done(claimed)]);
        const { commands } = await store.journal.read(own, 10);
        assert.deepEqual(
          commands.map(({ kind }) => kind),
          ['pause', 'report'],
        );
      }),
    );

    test(
      'leaves a record with the one version that it was given',
      inWorld(async ({ store, proxy }) => {
        await unanswered(proxy, () => store.records.apply([revoked('a', 0)]));
        assert.equal((await store.records.get('token', 'a'))?.version, 1);
        assert.deepEqual(await store.records.apply([revoked('a', 0)]), { kind: 'conflict', key: 'a' });
      }),
    );
  });

  test(
    'a connection that is cut before COMMIT arrives is replaced, and the call done once',
    inWorld(async ({ store, proxy }) => {
      const made = deployment('d1');
      const sprung = proxy.cutAt('START TRANSACTION', 'before');
      assert.deepEqual(await store.journal.create(made), { kind: 'created' });
      await sprung;
      assert.equal((await store.journal.load(made.id)).events.length, 1);
    }),
  );

  test(
    'a COMMIT that never arrived is told as unknown, and is done when it is asked for again',
    inWorld(async ({ store, direct, proxy }) => {
      const sprung = proxy.cutAt('COMMIT', 'before');
      await assert.rejects(store.journal.create(deployment('d1')), UNAVAILABLE);
      await sprung;
      assert.deepEqual(await direct.views.deployments({ limit: 10 }), []);
      assert.deepEqual(await store.journal.create(deployment('d1')), { kind: 'created' });
    }),
  );

  test(
    'idle connections that were cut are not noticed by the next calls',
    inWorld(async ({ store, proxy }) => {
      const own = await lease(store.journal, deployment('d1'));
      await store.journal.read(own, 10);
      proxy.cut();
      const calls = Array.from({ length: 10 }, (_, n) =>
        store.journal.submit([pause(`c${n}`, own.deployment)]),
      );
      await Promise.all(calls);
      assert.equal((await store.journal.read(own, 100)).commands.length, 10);
    }),
  );

  test(
    'a network that goes silent is given up in time, and calls go on over new connections',
    inWorld(
      async ({ store, proxy }) => {
        const made = deployment('d1');
        await store.journal.create(made);
        proxy.blackhole();
        await assert.rejects(store.journal.submit([pause('c1', made.id)]), UNAVAILABLE);
        await store.journal.submit([pause('c1', made.id)]);
      },
      { callTimeoutMs: 1_000 },
    ),
  );

  test(
    'a transaction that is the victim of a deadlock is run again, and nobody notices',
    inWorld(async ({ store, direct }) => {
      await direct.records.apply(['a', 'b'].map((key) => revoked(key, 0)));
      const database = `faults_${databases}`;
      const other = await MysqlConnection.open(endpointOf(mariadb, database), {
        isolation: 'READ COMMITTED',
        signal: AbortSignal.timeout(10_000),
      });
      const before = await deadlocks();
      await other.text('START TRANSACTION');
      // The server ends the transaction that has written less: ours.
      for (let n = 0; n < 50; n += 1) {
        await other.text(`INSERT INTO records (kind, name, version, at) VALUES ('weight', '${n}', 0, 0)`);
      }
      await other.text("SELECT 1 FROM records WHERE kind = 'token' AND name = 'b' FOR UPDATE");
      const applied = store.records.apply(['a', 'b'].map((key) => revoked(key, 1)));
      await until('our transaction waits for the other', async () => (await lockWaits()) === 1);
      await other.text("SELECT 1 FROM records WHERE kind = 'token' AND name = 'a' FOR UPDATE");
      await other.text('COMMIT');
      other.end();
      assert.deepEqual(await applied, { kind: 'applied' });
      assert.ok((await deadlocks()) > before, 'there was a deadlock');
      assert.equal((await store.records.get('token', 'a'))?.version, 2);
    }),
  );

  const deadlocks = async (): Promise<number> => statusOf('Innodb_deadlocks');
  /** Not from information_schema: what is kept there stays as it was while it is asked for every few milliseconds. */
  const lockWaits = async (): Promise<number> => statusOf('Innodb_row_lock_current_waits');
  const statusOf = async (name: string): Promise<number> =>
    Number((await mariadb.sql(`SHOW GLOBAL STATUS LIKE '${name}'`)).split('\t')[1]);

  test('what was acknowledged before kill -9 of the server is there once, in every one of three kills', async () => {
    const database = await newDatabase();
    const store = await openStoreAt(endpointOf(mariadb, database));
    const own = await lease(store.journal, deployment('d1'));
    const acknowledged: string[] = [];
    let isRunning = true;
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; isRunning; n += 1) {
        const id = `w${writer}-${n}`;
        for (let isDone = false; !isDone; ) {
          isDone = await store.journal.submit([pause(id, own.deployment)]).then(
            () => true,
            (error: EdgeError) => {
              assert.equal(error.code, 'store_unavailable', error.message);
              return false;
            },
          );
        }
        acknowledged.push(id);
      }
    };
    const writers = Array.from({ length: 6 }, (_, n) => write(n));
    for (let kills = 0; kills < 3; kills += 1) {
      const goal = acknowledged.length + 60;
      await until('the writers go on', () => acknowledged.length >= goal, 30_000);
      await mariadb.kill();
      await mariadb.start();
    }
    const goal = acknowledged.length + 60;
    await until('the writers go on', () => acknowledged.length >= goal, 30_000);
    isRunning = false;
    await Promise.all(writers);
    const found = idsOf((await store.journal.read(own, 1_000_000)).commands);
    await store.close();
    assert.deepEqual([...found].sort(), [...acknowledged].sort());
  });

  test('while the server is down calls are refused with its address, and go on when it is back', async () => {
    const database = await newDatabase();
    const store = await openStoreAt(endpointOf(mariadb, database));
    await mariadb.kill();
    const refused = { ...UNAVAILABLE, message: new RegExp(`${ADDRESS}:${mariadb.port}.*nothing listens`) };
    await assert.rejects(store.journal.create(deployment('d1')), refused);
    await assert.rejects(store.views.deployments({ limit: 1 }), refused);
    await mariadb.start();
    assert.deepEqual(await store.journal.create(deployment('d1')), { kind: 'created' });
    await store.close();
  });

  test('calls under way are answered when the store is closed, later ones are refused', async () => {
    const store = await openStoreAt(endpointOf(mariadb, await newDatabase()));
    const created = store.journal.create(deployment('d1'));
    const closed = store.close();
    assert.deepEqual(await created, { kind: 'created' });
    await closed;
    await assert.rejects(store.journal.load(deployment('d1').id), { ...UNAVAILABLE, message: /closed/ });
  });
});

/** A write of a record that expects this version. */
const revoked = (key: string, expected: number): RecordChange => ({
  kind: 'token',
  key,
  value: {
    id: key,
    name: key,
    role: 'view',
    hash: 'e3b0c442',
    createdAt: 1,
    expiresAt: null,
    revokedAt: expected,
  },
  expected,
});
