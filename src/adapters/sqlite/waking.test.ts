import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  claimOf,
  commitOf,
  deployment,
  done,
  idsOf,
  lease,
  task,
  WORKER,
} from '../../../test/contracts/sample.ts';
import { DRIVER_TOPIC, poolTopic } from '../../domain/topics.ts';
import type { Bell } from '../../ports/bell.ts';
import { memoryBell } from '../memory/bell.ts';
import type { Store } from '../sql/ports.ts';
import { openSqliteStore } from './store.ts';

const NEVER = new AbortController().signal;
const made = deployment('d1');
const opening = commitOf({ open: [task(made.id, 0)] });

/** `rings` of the bell, in order. */
const withStore =
  (body: (store: Store, at: { readonly bell: Bell; readonly rings: string[] }) => Promise<void>) =>
  async (): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-waking-'));
    const rings: string[] = [];
    const real = memoryBell();
    const bell: Bell = {
      ...real,
      ring: (topic) => {
        rings.push(topic);
        real.ring(topic);
      },
    };
    const store = await openSqliteStore({ folder, bell });
    try {
      await body(store, { bell, rings });
    } finally {
      await store.close();
      rmSync(folder, { recursive: true });
    }
  };

test(
  'a worker that waits claims what a commit opens before that commit is answered',
  withStore(async ({ journal, tasks }, { bell }) => {
    const own = await lease(journal, made);
    const order: string[] = [];
    const woken = bell.wait(poolTopic('dc-1'), 60_000, NEVER).then(async () => {
      order.push('woken');
      return tasks.claim(claimOf());
    });
    await journal.commit(own, opening);
    order.push('committed');
    assert.deepEqual(order, ['woken', 'committed']);
    assert.deepEqual(
      (await woken).map(({ task: id }) => id),
      opening.open.map(({ id }) => id),
    );
  }),
);

test(
  'a driver that waits acquires what is reported before the report is answered',
  withStore(async ({ journal, tasks }, { bell }) => {
    const own = await lease(journal, made);
    await journal.commit(own, opening);
    const reports = (await tasks.claim(claimOf())).map(done);
    await bell.wait(DRIVER_TOPIC, 0, NEVER);
    const order: string[] = [];
    const woken = bell.wait(DRIVER_TOPIC, 60_000, NEVER).then(async () => {
      order.push('woken');
      return journal.acquire({ owner: own.owner, leaseMs: 10_000, limit: 1, gone: [], lot: 10 });
    });
    await tasks.report(WORKER, reports);
    order.push('reported');
    assert.deepEqual(order, ['woken', 'reported']);
    const [acquired] = await woken;
    assert.ok(acquired);
    const ids = reports.map((report) => `report/${report.task}/1`);
    assert.deepEqual(idsOf(acquired.lot.commands), ids);
  }),
);

test(
  'nobody is woken twice for one commit',
  withStore(async ({ journal }, { rings }) => {
    const own = await lease(journal, made);
    rings.length = 0;
    await journal.commit(own, opening);
    assert.deepEqual(rings, ['pool/dc-1', 'watch']);
  }),
);
