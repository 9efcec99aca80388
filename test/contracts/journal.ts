import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Event } from '../../src/domain/event.ts';
import { deploymentId } from '../../src/domain/ids.ts';
import {
  claimOf,
  commitOf,
  deployment,
  done,
  ENDED,
  idsOf,
  lease,
  leasesOf,
  pause,
  SUMMARY,
  task,
  WORKER,
} from './sample.ts';
import { type OpenStore, using } from './store.ts';

const STARTED: Event = { kind: 'deployment.started' };
const OPENED: Event = { kind: 'stage.opened', stage: 0 };

/** What every `Journal` keeps to, apart from holds and handover (journal-holds.ts). */
export function journalContract(name: string, open: OpenStore): void {
  const withStore = using(open);
  const made = deployment('d1');
  const { id } = made;

  describe(`${name}: deployments`, () => {
    test(
      'a new deployment has its plan and its first event',
      withStore(async ({ journal }) => {
        assert.deepEqual(await journal.create(made), { kind: 'created' });
        const loaded = await journal.load(id);
        assert.deepEqual(loaded.plan, made.plan);
        assert.equal(loaded.planHash, made.planHash);
        assert.equal(loaded.snapshot, null);
        assert.deepEqual(
          loaded.events.map(({ version, event }) => [version, event.kind]),
          [[1, 'deployment.created']],
        );
      }),
    );

    test(
      'a deployment is created once, also when the caller lost the reply',
      withStore(async ({ journal }) => {
        await journal.create(made);
        assert.deepEqual(await journal.create(made), { kind: 'created' });
        assert.equal((await journal.load(id)).events.length, 1);
      }),
    );

    test(
      'the second deployment of a project and environment is told who holds the lock',
      withStore(async ({ journal }) => {
        await journal.create(made);
        assert.deepEqual(await journal.create(deployment('d2')), { kind: 'locked', holder: id });
        assert.deepEqual(await journal.create(deployment('d3', { project: 'blog' })), { kind: 'created' });
        await assert.rejects(journal.load(deploymentId('d2')), { code: 'deployment_unknown' });
      }),
    );

    test(
      "a command on targets is in nobody's way, and nobody in its",
      withStore(async ({ journal }) => {
        await journal.create(made);
        for (const one of ['e1', 'e2'])
          assert.deepEqual(await journal.create(deployment(one, { verb: 'exec' })), { kind: 'created' });
        assert.deepEqual(await journal.create(deployment('d2')), { kind: 'locked', holder: id });
        const own = await lease(journal, deployment('e1', { verb: 'exec' }));
        await journal.commit(own, commitOf({ summary: ENDED }));
        assert.deepEqual(await journal.create(deployment('d3')), { kind: 'locked', holder: id });
        assert.deepEqual(await journal.create(deployment('d4', { project: 'blog' })), { kind: 'created' });
      }),
    );

    test(
      'of 50 deployments at the same moment one is created',
      withStore(async ({ journal, second }) => {
        const other = await second();
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, n) =>
            (n % 2 === 0 ? journal : other.journal).create(deployment(`d${n}`)),
          ),
        );
        assert.equal(results.filter(({ kind }) => kind === 'created').length, 1);
        const holders = new Set(results.flatMap((one) => (one.kind === 'locked' ? [one.holder] : [])));
        assert.equal(holders.size, 1);
      }),
    );
  });

  describe(`${name}: leases`, () => {
    test(
      'of two owners that race for a deployment one gets it',
      withStore(async ({ journal, second }) => {
        await journal.create(made);
        const other = await second();
        const [a, b] = await Promise.all([
          leasesOf(journal, { owner: 'driver-1', leaseMs: 10_000, limit: 10, gone: [] }),
          leasesOf(other.journal, { owner: 'driver-2', leaseMs: 10_000, limit: 10, gone: [] }),
        ]);
        assert.equal(a.length + b.length, 1);
      }),
    );

    test(
      'a lease that has run out is taken over under a higher epoch, and the old owner can no longer commit',
      withStore(async ({ journal, advance }) => {
        const old = await lease(journal, made, 'driver-1');
        advance(10_001);
        const [taken] = await leasesOf(journal, { owner: 'driver-2', leaseMs: 10_000, limit: 10, gone: [] });
        assert.deepEqual(taken, { deployment: id, owner: 'driver-2', epoch: old.epoch + 1, leaseMs: 10_000 });
        assert.deepEqual(await journal.commit(old, commitOf({ events: [STARTED] })), { kind: 'lost' });
        assert.equal((await journal.load(id)).events.length, 1);
      }),
    );

    test(
      'what a proven-gone owner left is taken over before its lease has run out, also with nothing to do',
      withStore(async ({ journal }) => {
        const old = await lease(journal, made, 'driver-1');
        await journal.commit(old, commitOf());
        const wanted = { owner: 'driver-2', leaseMs: 10_000, limit: 10 };
        assert.deepEqual(await leasesOf(journal, { ...wanted, gone: ['driver-0'] }), []);
        const [taken] = await leasesOf(journal, { ...wanted, gone: ['driver-0', 'driver-1'] });
        assert.deepEqual(taken, { deployment: id, owner: 'driver-2', epoch: old.epoch + 1, leaseMs: 10_000 });
        assert.deepEqual(await journal.commit(old, commitOf({ events: [STARTED] })), { kind: 'lost' });
      }),
    );

    test(
      'what an owner releases is taken over at once, and what another one has stays with it',
      withStore(async ({ journal }) => {
        const old = await lease(journal, made, 'driver-1');
        await journal.commit(old, commitOf());
        const wanted = { owner: 'driver-2', leaseMs: 10_000, limit: 10, gone: [] };
        await journal.release('driver-0');
        assert.deepEqual(await leasesOf(journal, wanted), []);
        await journal.release('driver-1');
        const [taken] = await leasesOf(journal, wanted);
        assert.deepEqual(taken, { deployment: id, owner: 'driver-2', epoch: old.epoch + 1, leaseMs: 10_000 });
        assert.deepEqual(await journal.commit(old, commitOf({ events: [STARTED] })), { kind: 'lost' });
      }),
    );

    test(
      'an owner keeps its epoch when it renews, and still commits after its lease ran out if nobody took it',
      withStore(async ({ journal, advance }) => {
        const own = await lease(journal, made);
        advance(10_001);
        assert.equal((await journal.commit(own, commitOf({ events: [STARTED] }))).kind, 'committed');
        const [again] = await leasesOf(journal, { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [] });
        assert.equal(again?.epoch, own.epoch);
      }),
    );

    test(
      'a deployment with nothing to do is left alone',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        await journal.commit(own, commitOf());
        assert.deepEqual(
          await leasesOf(journal, { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [] }),
          [],
        );
      }),
    );

    test(
      'a due wake-up makes a deployment something to do',
      withStore(async ({ journal, advance }) => {
        const own = await lease(journal, made);
        const committed = await journal.commit(own, commitOf());
        assert.equal(committed.kind, 'committed');
        const now = committed.kind === 'committed' ? committed.now : 0;
        await journal.commit(own, commitOf({ wakeAt: now + 1_000 }));
        assert.deepEqual(
          await leasesOf(journal, { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [] }),
          [],
        );
        advance(1_000);
        assert.equal(
          (await leasesOf(journal, { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [] })).length,
          1,
        );
      }),
    );

    test(
      'a task past its deadline is something to do, until it is given another deadline',
      withStore(async ({ journal, tasks, advance }) => {
        const own = await lease(journal, made);
        const { now } = await journal.read(own, 10);
        await journal.commit(own, commitOf({ open: [task(id, 0, { deadlineAt: now + 500 }), task(id, 1)] }));
        await tasks.claim(claimOf());
        assert.deepEqual((await journal.read(own, 10)).overdue, []);
        advance(500);
        assert.equal(
          (await leasesOf(journal, { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [] })).length,
          1,
        );
        const late = (await journal.read(own, 10)).overdue;
        assert.deepEqual(late, [task(id, 0).id]);
        await journal.commit(
          own,
          commitOf({ cancel: late.map((one) => ({ task: one, deadlineAt: now + 2_000 })) }),
        );
        assert.deepEqual((await journal.read(own, 10)).overdue, []);
      }),
    );

    test(
      'the deployment that was not driven for longest comes first',
      withStore(async ({ journal, advance }) => {
        for (const n of [1, 2, 3]) {
          await journal.create(deployment(`d${n}`, { project: `p${n}` }));
          advance(1);
        }
        const order: string[] = [];
        for (let n = 0; n < 3; n++) {
          const [one] = await leasesOf(journal, { owner: 'driver-1', leaseMs: 10_000, limit: 1, gone: [] });
          order.push(one?.deployment ?? '');
        }
        assert.deepEqual(order, ['d1', 'd2', 'd3']);
      }),
    );
  });

  describe(`${name}: inbox`, () => {
    test(
      'the lot that comes with a lease is what would be read next',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        await journal.submit(['c1', 'c2', 'c3'].map((one) => pause(one, id)));
        const wanted = { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [], lot: 2 };
        const [acquired] = await journal.acquire(wanted);
        assert.deepEqual(idsOf(acquired?.lot.commands ?? []), ['c1', 'c2']);
        assert.deepEqual(acquired?.lot, await journal.read(own, 2));
      }),
    );

    test(
      'commands come in order, in lots, and stay until they are handled',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        await journal.submit(['c1', 'c2', 'c3'].map((one) => pause(one, id)));
        const lot = await journal.read(own, 2);
        assert.deepEqual(idsOf(lot.commands), ['c1', 'c2']);
        assert.equal(lot.more, true);
        await journal.commit(own, commitOf({ handled: lot.rows }));
        const rest = await journal.read(own, 2);
        assert.deepEqual(idsOf(rest.commands), ['c3']);
        assert.equal(rest.more, false);
      }),
    );

    test(
      'a command that comes twice is one command, also after it was handled',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        await journal.submit([pause('c1', id), pause('c1', id)]);
        await journal.submit([pause('c1', id)]);
        const { commands, rows } = await journal.read(own, 10);
        assert.deepEqual(idsOf(commands), ['c1']);
        await journal.commit(own, commitOf({ handled: rows }));
        await journal.submit([pause('c1', id)]);
        assert.deepEqual((await journal.read(own, 10)).commands, []);
      }),
    );

    test(
      'commands for an unknown deployment are refused, and those that came with them too',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        await assert.rejects(journal.submit([pause('c1', id), pause('c2', deploymentId('nobody'))]), {
          code: 'deployment_unknown',
        });
        assert.deepEqual((await journal.read(own, 10)).commands, []);
      }),
    );

    test(
      'a command for a deployment that has ended still reaches a driver',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        await journal.commit(own, commitOf({ summary: ENDED }));
        assert.deepEqual(
          await leasesOf(journal, { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [] }),
          [],
        );
        await journal.submit([pause('c1', id)]);
        const [again] = await leasesOf(journal, { owner: own.owner, leaseMs: 10_000, limit: 10, gone: [] });
        assert.ok(again);
        assert.deepEqual(idsOf((await journal.read(again, 10)).commands), ['c1']);
      }),
    );

    test(
      'the driver that waits is woken by a command',
      withStore(async ({ journal, driverWoken }) => {
        await lease(journal, made);
        const woken = driverWoken();
        await journal.submit([pause('c1', id)]);
        await woken;
      }),
    );
  });

  describe(`${name}: commits`, () => {
    test(
      'events are kept in order under versions without gaps, at the time of the store',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        const committed = await journal.commit(own, commitOf({ events: [STARTED, OPENED] }));
        assert.equal(committed.kind, 'committed');
        const { events } = await journal.load(id);
        assert.deepEqual(
          events.map(({ version, event }) => [version, event.kind]),
          [
            [1, 'deployment.created'],
            [2, 'deployment.started'],
            [3, 'stage.opened'],
          ],
        );
        if (committed.kind === 'committed') assert.equal(events.at(-1)?.at, committed.now);
      }),
    );

    test(
      'a commit whose reply was lost says so when it comes again, and its events are there once',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        const changes = commitOf({ events: [STARTED], open: [task(id, 0)] });
        assert.deepEqual((await journal.commit(own, changes)).kind, 'committed');
        assert.deepEqual(await journal.commit(own, changes), { kind: 'lost' });
        assert.equal((await journal.load(id)).events.length, 2);
      }),
    );

    test(
      'a snapshot shortens what is loaded',
      withStore(async ({ journal }) => {
        const own = await lease(journal, made);
        await journal.commit(own, commitOf({ events: [STARTED], snapshot: { seen: 2 } }));
        await journal.commit(own, commitOf({ expectedVersion: 2, events: [OPENED] }));
        const { snapshot, events } = await journal.load(id);
        assert.deepEqual(snapshot, { version: 2, state: { seen: 2 } });
        assert.deepEqual(
          events.map(({ version }) => version),
          [3],
        );
      }),
    );

    test(
      'the end of a deployment frees its lock and leaves no task to claim',
      withStore(async ({ journal, tasks }) => {
        const own = await lease(journal, made);
        await journal.commit(own, commitOf({ open: [task(id, 0)] }));
        await journal.commit(own, commitOf({ summary: ENDED }));
        assert.deepEqual(await tasks.claim(claimOf()), []);
        assert.deepEqual(await journal.create(deployment('d2')), { kind: 'created' });
      }),
    );

    test(
      'a report and the commands around it come out in the order they came in',
      withStore(async ({ journal, tasks }) => {
        const own = await lease(journal, made);
        await journal.commit(own, commitOf({ open: [task(id, 0)], summary: SUMMARY }));
        const claimed = await tasks.claim(claimOf());
        await journal.submit([pause('c1', id)]);
        await tasks.report(WORKER, claimed.map(done));
        await journal.submit([pause('c2', id)]);
        const { commands } = await journal.read(own, 10);
        assert.deepEqual(
          commands.map(({ kind }) => kind),
          ['pause', 'report', 'pause'],
        );
      }),
    );
  });
}
