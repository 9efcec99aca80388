import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { commitOf, deployment, lease, pause, task } from '../../../test/contracts/sample.ts';
import { memoryBell } from '../memory/bell.ts';
import { packCommit } from '../sql/packed.ts';
import { SqliteConnection } from '../sql/sqlite-connection.ts';
import { openSqliteStore } from './store.ts';

const bell = memoryBell();

const inFolder = (body: (folder: string) => Promise<void>) => async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-faults-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const withDatabase = (folder: string, work: (database: DatabaseSync) => void): void => {
  const database = new DatabaseSync(join(folder, 'edge.db'));
  work(database);
  database.close();
};

test(
  'a data folder that cannot be made is refused by its name',
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(openSqliteStore({ folder: join(folder, 'file', 'data'), bell }), {
      code: 'store_unavailable',
      message: new RegExp(join(folder, 'file', 'data')),
    });
  }),
);

test(
  'a file that is no database is refused and left as it is',
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'edge.db'), 'these are my notes, keep them\n'.repeat(100));
    await assert.rejects(openSqliteStore({ folder, bell }), {
      code: 'store_unavailable',
      message: /not a database/,
    });
  }),
);

test(
  'a store of a newer program is refused and left as it is',
  inFolder(async (folder) => {
    await (await openSqliteStore({ folder, bell })).close();
    withDatabase(folder, (db) => db.exec("INSERT INTO migrations VALUES (999, 'from the future', 0)"));
    await assert.rejects(openSqliteStore({ folder, bell }), { code: 'store_version', message: /999/ });
  }),
);

test(
  'a store that was closed opens again with what it had',
  inFolder(async (folder) => {
    const made = deployment('d1');
    const first = await openSqliteStore({ folder, bell });
    await first.journal.create(made);
    await first.close();
    const second = await openSqliteStore({ folder, bell });
    assert.equal((await second.journal.load(made.id)).planHash, made.planHash);
    await second.close();
  }),
);

test(
  'a folder that another process keeps locked is busy',
  inFolder(async (folder) => {
    const database = new DatabaseSync(join(folder, 'edge.db'));
    database.exec('PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE t (a); BEGIN EXCLUSIVE');
    await assert.rejects(openSqliteStore({ folder, bell, busyTimeoutMs: 10 }), { code: 'data_folder_busy' });
    database.close();
  }),
);

test(
  'while another process holds the write lock calls are refused, and go on when it is free',
  inFolder(async (folder) => {
    const store = await openSqliteStore({ folder, bell, busyTimeoutMs: 10 });
    const made = deployment('d1');
    const database = new DatabaseSync(join(folder, 'edge.db'));
    database.exec('BEGIN IMMEDIATE');
    await assert.rejects(store.journal.create(made), { code: 'store_unavailable', message: /locked/ });
    assert.deepEqual(await store.views.deployments({ limit: 10 }), [], 'reading goes on');
    database.exec('COMMIT');
    database.close();
    assert.deepEqual(await store.journal.create(made), { kind: 'created' });
    await store.close();
  }),
);

test(
  'calls under way are answered when the store is closed, later ones are refused',
  inFolder(async (folder) => {
    const store = await openSqliteStore({ folder, bell });
    const created = store.journal.create(deployment('d1'));
    const closed = store.close();
    assert.deepEqual(await created, { kind: 'created' });
    await closed;
    await assert.rejects(store.journal.load(deployment('d1').id), { code: 'store_unavailable' });
  }),
);

test(
  'on a full disk nothing is half-written, reading goes on, and so does writing once there is room',
  inFolder(async (folder) => {
    const now = (): number => 1_800_000_000_000;
    const connection = new SqliteConnection(join(folder, 'edge.db'), {
      readOnly: false,
      busyTimeoutMs: 0,
      now,
    });
    connection.migrate();
    const call = (name: 'create' | 'acquire' | 'commit' | 'load' | 'submit', ...args: unknown[]) => {
      const [answer] = connection.runAll([{ name, args }]);
      if (answer?.kind !== 'value') throw answer?.error;
      return answer.value;
    };
    const made = deployment('d1');
    call('create', made);
    const [acquired] = call('acquire', {
      ...{ owner: 'driver-1', leaseMs: 1_000, limit: 1, gone: [], lot: 10 },
    }) as readonly { readonly lease: unknown }[];
    const own = acquired?.lease;
    const before = call('load', made.id);
    const big = packCommit(
      commitOf({
        events: [{ kind: 'deployment.started' }],
        open: Array.from({ length: 2_000 }, (_, n) => task(made.id, n)),
      }),
    );
    connection.exec('PRAGMA max_page_count = 60');
    assert.throws(() => call('commit', own, big), { code: 'store_unavailable', message: /disk is full/ });
    assert.deepEqual(call('load', made.id), before);
    connection.exec('PRAGMA max_page_count = 100000');
    assert.deepEqual(call('commit', own, big), { kind: 'committed', version: 2, now: now() });
    connection.close();
  }),
);

test(
  'calls that share a transaction stand or fall each by itself',
  inFolder(async (folder) => {
    const store = await openSqliteStore({ folder, bell });
    const own = await lease(store.journal, deployment('d1'));
    const nobody = deployment('nobody').id;
    const results = await Promise.allSettled([
      store.journal.submit([pause('c1', own.deployment)]),
      store.journal.submit([pause('c2', own.deployment), pause('c3', nobody)]),
      store.journal.submit([pause('c4', own.deployment)]),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    const { commands } = await store.journal.read(own, 10);
    assert.deepEqual(
      commands.map((one) => `${one.id}`),
      ['c1', 'c4'],
    );
    await store.close();
  }),
);

test(
  'a call that no thread can be sent is refused, and the store goes on',
  inFolder(async (folder) => {
    const store = await openSqliteStore({ folder, bell });
    const limits = { limit: (() => 1) as unknown as number };
    await assert.rejects(store.views.deployments(limits), {
      code: 'internal',
      message: /could not be cloned/,
    });
    assert.deepEqual(await store.views.deployments({ limit: 1 }), []);
    await store.close();
  }),
);
