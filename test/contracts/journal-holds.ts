import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { poolKey } from '../../src/domain/capacity.ts';
import type { Lease } from '../../src/ports/journal.ts';
import { commitOf, deployment, ENDED, hold, lease, leasesOf, POOL } from './sample.ts';
import { type OpenStore, type TestStore, using } from './store.ts';

/** Holds of capacity, and the handover from a deployment to its rollback (contracts C7, C8). */
export function journalHoldsContract(name: string, open: OpenStore): void {
  const withStore = using(open);
  const shop = deployment('d1');
  const blog = deployment('d2', { project: 'blog' });
  const key = poolKey(POOL);

  const take = async ({ journal }: TestStore, own: Lease, index: number) => {
    const { poolVersions } = await journal.read(own, 10);
    return journal.commit(own, commitOf({ poolVersions, takeHolds: [hold(own.deployment, index)] }));
  };
  const holdsSeenBy = async ({ journal }: TestStore, own: Lease) =>
    (await journal.read(own, 10)).holds.map(({ member, deployment: of, phase }) => [member, of, phase]);

  describe(`${name}: holds`, () => {
    test(
      'holds of every deployment on a pool are seen, with the version of the pool',
      withStore(async (store) => {
        const first = await lease(store.journal, shop);
        const second = await lease(store.journal, blog);
        assert.deepEqual((await store.journal.read(second, 10)).poolVersions, { [key]: 0 });
        assert.equal((await take(store, first, 0)).kind, 'committed');
        const lot = await store.journal.read(second, 10);
        assert.deepEqual(lot.holds, [hold(shop.id, 0)]);
        assert.deepEqual(lot.poolVersions, { [key]: 1 });
      }),
    );

    test(
      'capacity that was decided on an older version of the pool is refused, with everything that came with it',
      withStore(async (store) => {
        const first = await lease(store.journal, shop);
        const second = await lease(store.journal, blog);
        const { poolVersions } = await store.journal.read(second, 10);
        await take(store, first, 0);
        const late = commitOf({
          poolVersions,
          takeHolds: [hold(blog.id, 1)],
          events: [{ kind: 'deployment.started' }],
        });
        assert.deepEqual(await store.journal.commit(second, late), { kind: 'stale' });
        assert.equal((await store.journal.load(blog.id)).events.length, 1);
        assert.deepEqual(await holdsSeenBy(store, second), [['web-0:8080', shop.id, 'taken']]);
      }),
    );

    test(
      'a member that another deployment has taken is refused',
      withStore(async (store) => {
        const first = await lease(store.journal, shop);
        const second = await lease(store.journal, blog);
        await take(store, first, 0);
        assert.deepEqual(await take(store, second, 0), { kind: 'stale' });
      }),
    );

    test(
      'a parked member may be adopted, and is still to be returned as its first taker found it',
      withStore(async (store) => {
        const { journal } = store;
        const first = await lease(journal, shop);
        await take(store, first, 0);
        await journal.commit(first, commitOf({ parkHolds: [{ target: 'web-0', reason: 'verify failed' }] }));
        await journal.commit(first, commitOf({ summary: ENDED }));
        const second = await lease(journal, blog);
        assert.deepEqual(await holdsSeenBy(store, second), [['web-0:8080', shop.id, 'parked']]);
        const { poolVersions } = await journal.read(second, 10);
        const adopted = hold(blog.id, 0, { asFound: { session: 'user-disabled' } });
        const result = await journal.commit(second, commitOf({ poolVersions, takeHolds: [adopted] }));
        assert.equal(result.kind, 'committed');
        assert.deepEqual((await journal.read(second, 10)).holds, [hold(blog.id, 0)]);
      }),
    );

    test(
      'what is given back is free, and each change raises the version of the pool',
      withStore(async (store) => {
        const { journal } = store;
        const own = await lease(journal, shop);
        await take(store, own, 0);
        await take(store, own, 1);
        await journal.commit(own, commitOf({ giveHolds: [{ target: 'web-0' }] }));
        const lot = await journal.read(own, 10);
        assert.deepEqual(lot.holds, [hold(shop.id, 1)]);
        assert.deepEqual(lot.poolVersions, { [key]: 3 });
      }),
    );

    test(
      'a successor is made with the end of its parent, and gets its lock and its holds',
      withStore(async (store) => {
        const { journal } = store;
        const own = await lease(journal, shop);
        await take(store, own, 0);
        await take(store, own, 1);
        await journal.commit(own, commitOf({ parkHolds: [{ target: 'web-1', reason: 'verify failed' }] }));
        const rollback = deployment('d1-rollback');
        await journal.commit(own, commitOf({ summary: ENDED, successor: rollback }));
        const [next] = await leasesOf(journal, { owner: 'driver-1', leaseMs: 10_000, limit: 10, gone: [] });
        assert.ok(next);
        assert.equal(next.deployment, rollback.id);
        assert.deepEqual(await holdsSeenBy(store, next), [
          ['web-0:8080', rollback.id, 'taken'],
          ['web-1:8080', rollback.id, 'parked'],
        ]);
        assert.deepEqual(await journal.create(deployment('d3')), { kind: 'locked', holder: rollback.id });
        assert.equal((await take(store, next, 0)).kind, 'committed');
        await journal.commit(next, commitOf({ summary: ENDED }));
        assert.deepEqual(await journal.create(deployment('d3')), { kind: 'created' });
      }),
    );
  });
}
