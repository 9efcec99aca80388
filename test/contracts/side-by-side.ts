import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { poolKey } from '../../src/domain/capacity.ts';
import { workerId } from '../../src/domain/ids.ts';
import type { Token } from '../../src/domain/token.ts';
import type { RecordChange } from '../../src/ports/records.ts';
import {
  claimOf,
  commitOf,
  deployment,
  done,
  ENDED,
  hold,
  idsOf,
  lease,
  leasesOf,
  POOL,
  pause,
  task,
} from './sample.ts';
import { type OpenStore, type TestStore, using } from './store.ts';

/** Enough that the calls of two processes meet in more than one order. */
const ROUNDS = 25;

/** What holds however the calls of several processes fall together: each does at once what the others do. */
export function sideBySideContract(name: string, open: OpenStore): void {
  const withStore = using(open);
  const rounds = async (body: (round: number) => Promise<void>): Promise<void> => {
    for (let round = 0; round < ROUNDS; round += 1) await body(round);
  };

  describe(`${name}: processes side by side`, () => {
    test(
      'of two deployments that decide on the same version of a pool one takes its holds, also in a new pool',
      withStore(async (store) => {
        const other = await store.second();
        const [shop, blog] = [deployment('d1'), deployment('d2', { project: 'blog' })];
        const [a, b] = [await lease(store.journal, shop), await lease(store.journal, blog)];
        const key = poolKey(POOL);
        await rounds(async () => {
          const version = (await store.journal.read(a, 1)).poolVersions[key] ?? 0;
          const poolVersions = { [key]: version };
          const results = await Promise.all([
            store.journal.commit(a, commitOf({ poolVersions, takeHolds: [hold(shop.id, 0)] })),
            other.journal.commit(b, commitOf({ poolVersions, takeHolds: [hold(blog.id, 1)] })),
          ]);
          assert.deepEqual(results.map(({ kind }) => kind).sort(), ['committed', 'stale']);
          const { holds, poolVersions: after } = await store.journal.read(a, 1);
          assert.deepEqual([holds.length, after[key]], [1, version + 1]);
          await store.journal.commit(a, commitOf({ giveHolds: [{ target: 'web-0' }] }));
          await other.journal.commit(b, commitOf({ giveHolds: [{ target: 'web-1' }] }));
        });
      }),
    );

    test(
      'of writers that expect the same version of several records, in any order, one wins',
      withStore(async (store) => {
        const other = await store.second();
        await rounds(async (round) => {
          const changes = ['a', 'b', 'c'].map((key) => put(`${key}-${Math.floor(round / 5)}`, round % 5));
          const results = await Promise.all(
            [store, other, store, other].map(({ records }, n) =>
              records.apply(n % 2 === 0 ? changes : changes.toReversed()),
            ),
          );
          assert.deepEqual(results.map(({ kind }) => kind).sort(), ['applied', ...CONFLICTS]);
        });
      }),
    );

    test(
      'a command that comes while its deployment ends reaches a driver',
      withStore(async (store) => {
        const other = await store.second();
        await rounds(async (round) => {
          const made = deployment(`d${round}`);
          const own = await lease(store.journal, made);
          const command = pause(`c${round}`, made.id);
          await Promise.all([
            other.journal.submit([command]),
            store.journal.commit(own, commitOf({ summary: ENDED })),
          ]);
          const wanted = { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [] };
          const [again] = await leasesOf(store.journal, wanted);
          assert.equal(again?.deployment, made.id);
          const { commands, rows } = await store.journal.read(own, 10);
          assert.deepEqual(idsOf(commands), [command.command.id]);
          await store.journal.commit(own, commitOf({ handled: rows, summary: ENDED }));
        });
      }),
    );

    test(
      'a command that several processes hand in at once is one command',
      withStore(async (store) => {
        const other = await store.second();
        const own = await lease(store.journal, deployment('d1'));
        const commands = Array.from({ length: ROUNDS }, (_, n) => pause(`c${n}`, own.deployment));
        await Promise.all(
          [store, other, store, other].flatMap(({ journal }) => commands.map((one) => journal.submit([one]))),
        );
        const found = idsOf((await store.journal.read(own, 1_000)).commands);
        assert.deepEqual([...found].sort(), commands.map(({ command }) => String(command.id)).sort());
      }),
    );

    test(
      'many workers share the tasks of a pool, and each report counts once',
      withStore(async (store) => {
        const other = await store.second();
        const own = await lease(store.journal, deployment('d1'));
        const count = 120;
        const rows = Array.from({ length: count }, (_, n) => task(own.deployment, n));
        await store.journal.commit(own, commitOf({ open: rows }));
        const work = async ({ tasks }: Pick<TestStore, 'tasks'>, n: number): Promise<number> => {
          const worker = workerId(`host-${n}/worker/1`);
          for (let sum = 0; ; ) {
            const claimed = await tasks.claim(claimOf({ worker, max: 7 }));
            if (claimed.length === 0) return sum;
            const reports = claimed.map(done);
            await Promise.all([tasks.report(worker, reports), tasks.report(worker, reports)]);
            sum += claimed.length;
          }
        };
        const sums = await Promise.all([store, other, store, other].map(work));
        assert.equal(
          sums.reduce((total, one) => total + one, 0),
          count,
        );
        const { commands } = await store.journal.read(own, 1_000);
        assert.equal(new Set(commands.map(({ id }) => id)).size, count);
        assert.equal(commands.length, count);
      }),
    );

    test(
      'who follows the output of a deployment reads every chunk, whoever adds to it meanwhile',
      withStore(async (store) => {
        const other = await store.second();
        const own = await lease(store.journal, deployment('d1'));
        const rows = Array.from({ length: 8 }, (_, n) => task(own.deployment, n));
        await store.journal.commit(own, commitOf({ open: rows }));
        const claimed = await store.tasks.claim(claimOf());
        let isWriting = true;
        const write = async (one: (typeof claimed)[number], n: number): Promise<void> => {
          const { tasks } = n % 2 === 0 ? store : other;
          for (let seq = 0; seq < ROUNDS; seq += 1) {
            await tasks.appendOutput(claimOf().worker, [
              { task: one.task, epoch: one.epoch, seq, text: `${seq}` },
            ]);
          }
        };
        const read: number[] = [];
        const follow = async (): Promise<void> => {
          for (let isLast = false; ; isLast = !isWriting) {
            const chunks = await store.views.output({
              deployment: own.deployment,
              after: read.at(-1) ?? 0,
              limit: 1_000,
            });
            read.push(...chunks.map(({ id }) => id));
            if (isLast) return;
          }
        };
        const following = follow();
        await Promise.all(claimed.map(write)).finally(() => {
          isWriting = false;
        });
        await following;
        assert.equal(read.length, rows.length * ROUNDS);
      }),
    );
  });
}

const CONFLICTS = ['conflict', 'conflict', 'conflict'];

function put(key: string, expected: number): RecordChange {
  const value: Token = {
    id: key,
    name: key,
    role: 'view',
    hash: 'e3b0c442',
    createdAt: 1,
    expiresAt: null,
    revokedAt: null,
  };
  return { kind: 'token', key, value, expected };
}
