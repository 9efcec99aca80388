import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RecordVersion } from '../../src/domain/records.ts';
import type { Token } from '../../src/domain/token.ts';
import type { Records } from '../../src/ports/records.ts';
import { commitOf, deployment, ENDED, lease, task } from './sample.ts';
import { type OpenStore, using } from './store.ts';

const ROUNDS = 25;
const token = (id: string): Token => ({
  ...{ id, name: id, role: 'view', hash: 'e3b0c442' },
  ...{ createdAt: 1, expiresAt: null, revokedAt: null },
});
const write = (records: Records, ...keys: readonly string[]) =>
  records.apply(keys.map((key) => ({ kind: 'token', key, value: token(key) })));
const remove = (records: Records, key: string) => records.apply([{ kind: 'token', key, value: null }]);
const at = (key: string, version: number): RecordVersion => ({ kind: 'token', key, version });

/** What every `Journal` keeps to of commits that hold for records of a version. */
export function madeFromContract(name: string, open: OpenStore): void {
  const withStore = using(open);
  const made = deployment('d1');
  const { id } = made;

  describe(`${name}: commits for records of a version`, () => {
    test(
      'what a deployment was made from is in its first event',
      withStore(async ({ journal }) => {
        const madeFrom = [at('a', 1)];
        await journal.create({ ...made, madeFrom });
        const [first] = (await journal.load(id)).events;
        assert.deepEqual(first?.event.kind === 'deployment.created' && first.event.madeFrom, madeFrom);
      }),
    );

    test(
      'a commit whose records are as they were read is done',
      withStore(async ({ journal, records }) => {
        const own = await lease(journal, made);
        await write(records, 'a', 'b');
        await write(records, 'b');
        const committed = await journal.commit(own, commitOf({ madeFrom: [at('b', 2), at('a', 1)] }));
        assert.equal(committed.kind, 'committed');
      }),
    );

    test(
      'one whose records were changed, removed, made anew or never there changes nothing, and is told which',
      withStore(async ({ journal, records }) => {
        const own = await lease(journal, made);
        await write(records, 'a', 'b', 'c', 'd');
        await write(records, 'b');
        await remove(records, 'c');
        await remove(records, 'd');
        await write(records, 'd');
        const madeFrom = ['a', 'b', 'c', 'd', 'never'].map((key) => at(key, 1));
        const changes = commitOf({ events: [{ kind: 'deployment.started' }], open: [task(id, 0)], madeFrom });
        const changed = ['b', 'c', 'd', 'never'].map((key) => at(key, 1));
        assert.deepEqual(await journal.commit(own, changes), { kind: 'outdated', changed });
        assert.equal((await journal.load(id)).events.length, 1);
        const again = await journal.commit(own, commitOf({ summary: ENDED }));
        assert.equal(again.kind, 'committed');
      }),
    );

    test(
      'who has lost the lease is told that, and not of records',
      withStore(async ({ journal, records }) => {
        const own = await lease(journal, made);
        await write(records, 'a');
        const stranger = { ...own, owner: 'somebody else' };
        const committed = await journal.commit(stranger, commitOf({ madeFrom: [at('a', 7)] }));
        assert.deepEqual(committed, { kind: 'lost' });
      }),
    );

    test(
      'of a commit and a change at the same moment the change is made, and the commit is done before it or not at all',
      withStore(async (store) => {
        const other = await store.second();
        const own = await lease(store.journal, made);
        await write(store.records, 'a', 'b');
        let expectedVersion = 1;
        for (let round = 1; round <= ROUNDS; round += 1) {
          const changes = commitOf({
            ...{ expectedVersion, madeFrom: [at('a', round), at('b', round)] },
            events: [{ kind: 'stage.opened', stage: round }],
          });
          const [committed, applied] = await Promise.all([
            store.journal.commit(own, changes),
            write(other.records, 'b', 'a'),
          ]);
          assert.equal(applied.kind, 'applied');
          if (committed.kind === 'committed') expectedVersion = committed.version;
          else assert.equal(committed.kind, 'outdated');
        }
        assert.equal((await store.journal.load(id)).events.length, expectedVersion);
      }),
    );
  });
}
