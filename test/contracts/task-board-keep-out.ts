import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KeptMember } from '../../src/domain/capacity.ts';
import { workerId } from '../../src/domain/ids.ts';
import type { Commit, Journal, Lease } from '../../src/ports/journal.ts';
import type { Keeping, TaskBoard } from '../../src/ports/task-board.ts';
import { claimOf, commitOf, deployment, ENDED, hold, lease, POOL, task, WORKER } from './sample.ts';
import { type OpenStore, type TestStore, using } from './store.ts';

const OTHER = workerId('host-2/worker/1');
const LEASE_MS = 10_000;
const QUARANTINE_MS = 60_000;
const IN_FLIGHT_MS = 2_000;

const kept = (index: number, changes: Partial<KeptMember> = {}): KeptMember => ({
  ...POOL,
  member: `web-${index}:8080`,
  as: 'drained',
  reach: { kind: 'haproxy', socket: '/run/haproxy.sock' },
  ...changes,
});
const refOf = ({ balancer, pool, member }: KeptMember) => ({ balancer, pool, member });

/** Members that are kept out of service, and their return (contract C10). */
export function keepOutContract(name: string, open: OpenStore): void {
  const withStore = using(open);
  const made = deployment('d1');
  const { id } = made;

  /** A deployment that has drained the first `count` of its targets. */
  const drained = async ({ journal }: TestStore, count = 1): Promise<Lease> => {
    const own = await lease(journal, made);
    const { poolVersions } = await journal.read(own, 1);
    const takeHolds = Array.from({ length: count }, (_, index) => hold(id, index));
    await expectCommitted(journal, own, { takeHolds, poolVersions });
    const keepOut = takeHolds.map(({ target }, index) => ({ target, pool: 'dc-1', members: [kept(index)] }));
    await expectCommitted(journal, own, { keepOut });
    return own;
  };
  /** Its return begins, and the task for it is there. */
  const returning = ({ journal }: TestStore, own: Lease, more: Partial<Commit> = {}) =>
    expectCommitted(journal, own, {
      keepOut: [{ target: 'web-0', pool: 'dc-1', members: [] }],
      open: [task(id, 0)],
      ...more,
    });
  const membersOf = async (board: TaskBoard, changes: Partial<Keeping>) =>
    (await board.keepOut(keepingOf(changes))).members.map(({ member }) => member);
  const claimed = async (board: TaskBoard, changes = {}) =>
    (await board.claim(claimOf({ leaseMs: LEASE_MS, ...changes }))).length;

  describe(`${name}: keeping out of service`, () => {
    test(
      'what is drained goes to one worker of the pool, as it was left and with how it is reached',
      withStore(async (store) => {
        await drained(store);
        assert.deepEqual(await membersOf(store.tasks, { pool: 'dc-2' }), []);
        const mine = await store.tasks.keepOut(keepingOf());
        assert.deepEqual(mine, { members: [kept(0)], leaseMs: LEASE_MS });
        assert.deepEqual(await membersOf(store.tasks, { worker: OTHER }), []);
      }),
    );

    test(
      'what is only taken, and not yet drained, is kept by nobody',
      withStore(async (store) => {
        const own = await lease(store.journal, made);
        const { poolVersions } = await store.journal.read(own, 1);
        await expectCommitted(store.journal, own, { takeHolds: [hold(id, 0)], poolVersions });
        assert.deepEqual(await membersOf(store.tasks, {}), []);
      }),
    );

    test(
      'a worker that asks again keeps what it has, with what is left of its lease, until half of that is over',
      withStore(async (store) => {
        await drained(store);
        await store.tasks.keepOut(keepingOf());
        store.advance(4_000);
        const keeping = [refOf(kept(0))];
        assert.equal((await store.tasks.keepOut(keepingOf({ no: 2, keeping }))).leaseMs, 6_000);
        store.advance(2_000);
        assert.equal((await store.tasks.keepOut(keepingOf({ no: 3, keeping }))).leaseMs, LEASE_MS);
        store.advance(9_000);
        assert.deepEqual(await membersOf(store.tasks, { worker: OTHER }), []);
      }),
    );

    test(
      'the lease of a worker that went silent passes to another when it has run out, at once if it is proven to be gone',
      withStore(async (store) => {
        await drained(store);
        await store.tasks.keepOut(keepingOf());
        assert.deepEqual(await membersOf(store.tasks, { worker: OTHER, gone: [WORKER] }), ['web-0:8080']);
        store.advance(LEASE_MS);
        const third = workerId('host-3/worker/1');
        assert.deepEqual(await membersOf(store.tasks, { worker: third }), ['web-0:8080']);
      }),
    );

    test(
      'a parked member is kept also when its deployment has ended',
      withStore(async (store) => {
        const own = await drained(store);
        await expectCommitted(store.journal, own, {
          parkHolds: [{ target: 'web-0', reason: 'verify failed' }],
        });
        await expectCommitted(store.journal, own, { summary: ENDED });
        assert.deepEqual(await membersOf(store.tasks, {}), ['web-0:8080']);
      }),
    );

    test(
      'what is given back is kept no longer',
      withStore(async (store) => {
        const own = await drained(store);
        await returning(store, own);
        await expectCommitted(store.journal, own, { giveHolds: [{ target: 'web-0' }] });
        assert.deepEqual(await membersOf(store.tasks, {}), []);
      }),
    );

    test(
      'the task of a return is for no other worker until the one that kept its member says that it has let go',
      withStore(async (store) => {
        const own = await drained(store, 2);
        await store.tasks.keepOut(keepingOf());
        await returning(store, own);
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 0);
        const keeping = [refOf(kept(0)), refOf(kept(1))];
        assert.deepEqual(await membersOf(store.tasks, { no: 2, keeping }), ['web-1:8080']);
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 0, 'it may still be writing');
        await store.tasks.keepOut(keepingOf({ no: 3, keeping: [refOf(kept(1))] }));
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 1);
      }),
    );

    test(
      'the worker that kept the member may have the task of its return at once',
      withStore(async (store) => {
        const own = await drained(store);
        await store.tasks.keepOut(keepingOf());
        await returning(store, own);
        assert.equal(await claimed(store.tasks), 1);
      }),
    );

    test(
      'the late copy of a call does not let go of what a later one was given',
      withStore(async (store) => {
        const own = await drained(store);
        await store.tasks.keepOut(keepingOf({ no: 2 }));
        await returning(store, own);
        await store.tasks.keepOut(keepingOf({ no: 1 }));
        await store.tasks.keepOut(keepingOf({ no: 2 }));
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 0);
        await store.tasks.keepOut(keepingOf({ no: 3 }));
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 1);
      }),
    );

    test(
      'after a worker that went silent the return waits out its lease and the quarantine, unless it is proven to be gone',
      withStore(async (store) => {
        const own = await drained(store);
        await store.tasks.keepOut(keepingOf());
        await returning(store, own);
        store.advance(LEASE_MS + QUARANTINE_MS - 1);
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 0);
        store.advance(1);
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 1);
      }),
    );

    test(
      'a proven death ends the wait for the one that is gone, but for what it had sent',
      withStore(async (store) => {
        const own = await drained(store);
        await store.tasks.keepOut(keepingOf());
        await returning(store, own);
        const successor = { worker: OTHER, gone: [WORKER] };
        assert.equal(await claimed(store.tasks, successor), 0, 'nobody has told the board of it yet');
        assert.deepEqual(await membersOf(store.tasks, successor), []);
        store.advance(IN_FLIGHT_MS - 1);
        assert.equal(await claimed(store.tasks, successor), 0);
        store.advance(1);
        assert.equal(await claimed(store.tasks, successor), 1);
      }),
    );

    test(
      'the quarantine of one that went silent outlasts the proven death of its successor',
      withStore(async (store) => {
        const own = await drained(store);
        await store.tasks.keepOut(keepingOf());
        store.advance(LEASE_MS);
        await store.tasks.keepOut(keepingOf({ worker: OTHER }));
        await returning(store, own);
        const third = { worker: workerId('host-3/worker/1'), gone: [OTHER] };
        assert.equal(await claimed(store.tasks, third), 0);
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 0, 'not even for the successor itself');
        assert.deepEqual(await membersOf(store.tasks, third), []);
        store.advance(QUARANTINE_MS - 1);
        assert.equal(await claimed(store.tasks, third), 0);
        store.advance(1);
        assert.equal(await claimed(store.tasks, third), 1);
      }),
    );

    test(
      'what a worker wrote until its lease ran out, without an answer, is waited for when it has let go, by itself too',
      withStore(async (store) => {
        const own = await drained(store);
        await store.tasks.keepOut(keepingOf());
        await returning(store, own);
        store.advance(LEASE_MS);
        await store.tasks.keepOut(keepingOf({ no: 2, unanswered: [refOf(kept(0))] }));
        store.advance(QUARANTINE_MS - 1);
        assert.equal(await claimed(store.tasks), 0);
        assert.equal(await claimed(store.tasks, { worker: OTHER }), 0);
        store.advance(1);
        assert.equal(await claimed(store.tasks), 1);
      }),
    );

    test(
      'what went unanswered is waited for also if the member is kept on, and then returned',
      withStore(async (store) => {
        const own = await drained(store);
        await store.tasks.keepOut(keepingOf());
        store.advance(LEASE_MS);
        const [keeping, unanswered] = [[refOf(kept(0))], [refOf(kept(0))]];
        assert.deepEqual(await membersOf(store.tasks, { no: 2, keeping, unanswered }), ['web-0:8080']);
        await store.tasks.keepOut(keepingOf({ no: 3, keeping }));
        await returning(store, own);
        await store.tasks.keepOut(keepingOf({ no: 4 }));
        store.advance(QUARANTINE_MS - 1);
        assert.equal(await claimed(store.tasks), 0);
        store.advance(1);
        assert.equal(await claimed(store.tasks), 1);
      }),
    );

    test(
      'a worker that stops hands back what it keeps',
      withStore(async (store) => {
        await drained(store);
        await store.tasks.keepOut(keepingOf());
        assert.deepEqual(await membersOf(store.tasks, { no: 2, more: false }), []);
        assert.deepEqual(await membersOf(store.tasks, { worker: OTHER }), ['web-0:8080']);
      }),
    );

    test(
      'a member that is drained anew is kept as it was left last',
      withStore(async (store) => {
        const own = await drained(store);
        await returning(store, own);
        const again = [kept(0, { as: 'offline' })];
        await expectCommitted(store.journal, own, {
          keepOut: [{ target: 'web-0', pool: 'dc-1', members: again }],
        });
        assert.deepEqual((await store.tasks.keepOut(keepingOf())).members, again);
      }),
    );
  });
}

const keepingOf = (changes: Partial<Keeping> = {}): Keeping => ({
  worker: WORKER,
  pool: 'dc-1',
  leaseMs: LEASE_MS,
  gone: [],
  no: 1,
  keeping: [],
  unanswered: [],
  more: true,
  ...changes,
});

async function expectCommitted(journal: Journal, own: Lease, changes: Partial<Commit>): Promise<void> {
  const committed = await journal.commit(own, commitOf(changes));
  assert.equal(committed.kind, 'committed');
}
