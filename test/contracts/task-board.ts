import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandId, workerId } from '../../src/domain/ids.ts';
import type { Lease, NewTask } from '../../src/ports/journal.ts';
import {
  claimOf,
  commitOf,
  deployment,
  done,
  idsOf,
  lease,
  task,
  taskOf,
  WORKER,
  waiting,
} from './sample.ts';
import { type OpenStore, type TestStore, using } from './store.ts';

const OTHER = workerId('host-2/worker/1');

/** What every `TaskBoard` keeps to. */
export function taskBoardContract(name: string, open: OpenStore): void {
  const withStore = using(open);
  const made = deployment('d1');
  const { id } = made;

  const withTasks = async ({ journal }: TestStore, rows: readonly NewTask[]): Promise<Lease> => {
    const own = await lease(journal, made);
    await journal.commit(own, commitOf({ open: rows }));
    return own;
  };
  const claimOne = async ({ tasks }: TestStore, changes = {}) => {
    const [claimed, ...rest] = await tasks.claim(claimOf(changes));
    assert.ok(claimed, 'a task can be claimed');
    assert.deepEqual(rest, []);
    return claimed;
  };
  const reportsSeen = async ({ journal }: TestStore, own: Lease) =>
    (await journal.read(own, 100)).commands.filter((one) => one.kind === 'report');

  describe(`${name}: claims`, () => {
    test(
      'a claim gets the task as it was opened, under its first epoch and attempt',
      withStore(async (store) => {
        const own = await withTasks(store, []);
        const { now } = await store.journal.read(own, 1);
        await store.journal.commit(own, commitOf({ open: [task(id, 0, { deadlineAt: now + 60_000 })] }));
        assert.deepEqual(await claimOne(store), {
          task: taskOf(id, 0),
          deployment: id,
          target: 'web-0',
          step: 'install',
          action: 'run@1',
          inputs: { argv: ['true'] },
          epoch: 1,
          attempt: 1,
          checkpoint: null,
          cancel: false,
          quarantineMs: 0,
          remainingMs: 60_000,
        });
      }),
    );

    test(
      'only tasks of the pool come, whose action the worker has',
      withStore(async (store) => {
        await withTasks(store, [
          task(id, 0),
          task(id, 1, { pool: 'dc-2' }),
          task(id, 2, { action: 'drain@2' }),
        ]);
        const claimed = await store.tasks.claim(claimOf({ capabilities: ['run@1', 'drain@1'] }));
        assert.deepEqual(
          claimed.map((one) => one.task),
          [taskOf(id, 0)],
        );
      }),
    );

    test(
      'what is due longest comes first, and those of one commit in their order',
      withStore(async (store) => {
        await withTasks(store, [
          task(id, 0, { wakeAt: 30 }),
          task(id, 1, { wakeAt: 10 }),
          task(id, 2, { wakeAt: 20 }),
          task(id, 3, { wakeAt: 20 }),
        ]);
        const first = await store.tasks.claim(claimOf({ max: 2 }));
        const second = await store.tasks.claim(claimOf({ max: 2 }));
        assert.deepEqual(
          [...first, ...second].map((one) => one.target),
          ['web-1', 'web-2', 'web-3', 'web-0'],
        );
      }),
    );

    test(
      'a task that is not due is left alone until it is',
      withStore(async (store) => {
        const own = await withTasks(store, []);
        const { now } = await store.journal.read(own, 1);
        await store.journal.commit(own, commitOf({ open: [task(id, 0, { wakeAt: now + 1_000 })] }));
        assert.deepEqual(await store.tasks.claim(claimOf()), []);
        store.advance(1_000);
        await claimOne(store);
      }),
    );

    test(
      'of two workers that claim at once each task has one',
      withStore(async (store) => {
        await withTasks(
          store,
          Array.from({ length: 40 }, (_, n) => task(id, n)),
        );
        const other = await store.second();
        const lots = await Promise.all([
          store.tasks.claim(claimOf({ max: 30 })),
          other.tasks.claim(claimOf({ max: 30, worker: OTHER })),
        ]);
        // Who passes over rows that another one has locked may leave some to the next look.
        const left = await store.tasks.claim(claimOf({ max: 30 }));
        const claimed = [...lots.flat(), ...left];
        assert.equal(new Set(claimed.map((one) => one.task)).size, 40);
        assert.equal(claimed.length, 40);
      }),
    );

    test(
      'a task whose owner went silent is another attempt, in quarantine counted from the end of the lease',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        await claimOne(store);
        assert.deepEqual(await store.tasks.claim(claimOf({ worker: OTHER })), []);
        store.advance(15_000);
        const taken = await claimOne(store, { worker: OTHER });
        assert.deepEqual([taken.epoch, taken.attempt, taken.quarantineMs], [2, 2, 55_000]);
      }),
    );

    test(
      'a task whose owner is proven gone is taken over at once, in quarantine only for what it had sent',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        await claimOne(store);
        const taken = await claimOne(store, { worker: OTHER, gone: [WORKER] });
        assert.deepEqual([taken.epoch, taken.attempt, taken.quarantineMs], [2, 2, 2_000]);
      }),
    );

    test(
      'what a lost answer gave is given again at once and without quarantine, what the worker knows of is not',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0), task(id, 1)]);
        const [known, lost] = await store.tasks.claim(claimOf());
        assert.ok(known && lost);
        assert.deepEqual(await store.tasks.claim(claimOf()), []);
        assert.deepEqual(await store.tasks.claim(claimOf({ worker: OTHER, held: [] })), []);
        const again = await store.tasks.claim(claimOf({ held: [known.task] }));
        assert.deepEqual(
          again.map(({ task: of, epoch, quarantineMs }) => [of, epoch, quarantineMs]),
          [[lost.task, 2, 0]],
        );
      }),
    );

    test(
      'a quarantine that runs is not shortened by the proven death of the next owner',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        await claimOne(store);
        store.advance(10_000);
        await claimOne(store, { worker: OTHER });
        store.advance(5_000);
        const third = await claimOne(store, { worker: workerId('host-3/worker/1'), gone: [OTHER] });
        assert.equal(third.quarantineMs, 55_000);
      }),
    );
  });

  describe(`${name}: leases of tasks`, () => {
    test(
      'a renewed lease keeps the task from others and stores the checkpoint',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        const claimed = await claimOne(store);
        store.advance(9_000);
        const renewed = await store.tasks.renew(WORKER, [
          { ...claimed, checkpoint: { no: 1, value: { sent: true } } },
        ]);
        assert.deepEqual(renewed, { lost: [], cancel: [] });
        store.advance(9_000);
        assert.deepEqual(await store.tasks.claim(claimOf({ worker: OTHER })), []);
        store.advance(1_000);
        assert.deepEqual((await claimOne(store, { worker: OTHER })).checkpoint, { sent: true });
      }),
    );

    test(
      'a late copy of a renewal does not put an older checkpoint back',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        const { task: of, epoch } = await claimOne(store);
        const renew = (no: number) =>
          store.tasks.renew(WORKER, [{ task: of, epoch, checkpoint: { no, value: { no } } }]);
        const append = (no: number) =>
          store.tasks.appendOutput(WORKER, [
            { task: of, epoch, seq: 0, text: 'line\n', checkpoint: { no, value: { no } } },
          ]);
        await renew(1);
        await renew(2);
        assert.deepEqual(await renew(1), { lost: [], cancel: [] });
        await append(3);
        await renew(2);
        const taken = await claimOne(store, { worker: OTHER, gone: [WORKER] });
        assert.deepEqual(taken.checkpoint, { no: 3 });
      }),
    );

    test(
      'the checkpoints of a new claim count anew',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        const old = await claimOne(store);
        const checkpoint = (no: number, by: string) => ({ checkpoint: { no, value: { by } } });
        await store.tasks.renew(WORKER, [{ ...old, ...checkpoint(7, 'old') }]);
        const taken = await claimOne(store, { worker: OTHER, gone: [WORKER] });
        await store.tasks.renew(OTHER, [{ ...taken, ...checkpoint(1, 'new') }]);
        const next = await claimOne(store, { gone: [OTHER] });
        assert.deepEqual(next.checkpoint, { by: 'new' });
      }),
    );

    test(
      'who lost a task is told, and what it wants to store is not stored',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        const old = await claimOne(store);
        store.advance(10_000);
        await claimOne(store, { worker: OTHER });
        const renewed = await store.tasks.renew(WORKER, [
          { task: old.task, epoch: old.epoch, checkpoint: { no: 1, value: { by: 'old' } } },
        ]);
        assert.deepEqual(renewed, { lost: [old.task], cancel: [] });
        const third = await claimOne(store, { worker: WORKER, gone: [OTHER] });
        assert.equal(third.checkpoint, null);
      }),
    );

    test(
      'an owner is told of a cancel when it renews',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const { task: of, epoch } = await claimOne(store);
        await store.journal.commit(own, commitOf({ cancel: [{ task: of, deadlineAt: 1e15 }] }));
        assert.deepEqual(await store.tasks.renew(WORKER, [{ task: of, epoch }]), { lost: [], cancel: [of] });
      }),
    );
  });

  describe(`${name}: reports`, () => {
    test(
      'a result goes to the inbox once, however often it is reported',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const report = done(await claimOne(store));
        await store.tasks.report(WORKER, [report, report]);
        await store.tasks.report(WORKER, [report]);
        const [seen, ...more] = await reportsSeen(store, own);
        assert.deepEqual(more, []);
        assert.deepEqual(seen, {
          id: `report/${report.task}/1`,
          by: `worker:${WORKER}`,
          kind: 'report',
          worker: WORKER,
          ...report,
        });
      }),
    );

    test(
      'what is reported at once comes to each deployment in its order, and is handled as a whole',
      withStore(async (store) => {
        const other = deployment('d2', { project: 'other' });
        const own = await withTasks(store, [task(id, 0), task(id, 1)]);
        const others = await lease(store.journal, other);
        await store.journal.commit(others, commitOf({ open: [task(other.id, 0)] }));
        const claimed = await store.tasks.claim(claimOf());
        await store.tasks.report(WORKER, claimed.map(done));
        const { commands, rows } = await store.journal.read(own, 1);
        const seen = commands.map((one) => (one.kind === 'report' ? one.task : one.kind));
        assert.deepEqual(seen, [taskOf(id, 0), taskOf(id, 1)]);
        await store.journal.commit(own, commitOf({ handled: idsOf(commands).map(commandId) }));
        assert.deepEqual((await store.journal.read(own, 1)).commands, commands);
        await store.journal.commit(own, commitOf({ handled: rows }));
        assert.deepEqual((await store.journal.read(own, 1)).commands, []);
        const [report] = await reportsSeen(store, others);
        assert.equal(report?.kind === 'report' && report.task, taskOf(other.id, 0));
      }),
    );

    test(
      'a task that has reported is nobody’s until the engine arms it again, then it is another attempt',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const claimed = await claimOne(store);
        await store.tasks.report(WORKER, [done(claimed)]);
        store.advance(100_000);
        assert.deepEqual(await store.tasks.claim(claimOf()), []);
        const { now, rows } = await store.journal.read(own, 10);
        await store.journal.commit(
          own,
          commitOf({ handled: rows, rearm: [{ task: claimed.task, wakeAt: now + 500 }] }),
        );
        assert.deepEqual(await store.tasks.claim(claimOf()), []);
        store.advance(500);
        const again = await claimOne(store);
        assert.deepEqual([again.epoch, again.attempt], [2, 2]);
      }),
    );

    test(
      'a task that is armed again keeps its deadline and its cancel, or gets a new deadline and no cancel',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0), task(id, 1)]);
        const claimed = await store.tasks.claim(claimOf());
        await store.tasks.report(WORKER, claimed.map(done));
        const { now, rows } = await store.journal.read(own, 10);
        const cancel = claimed.map((one) => ({ task: one.task, deadlineAt: now + 5_000 }));
        await store.journal.commit(own, commitOf({ cancel }));
        const [first, second] = claimed.map((one) => ({ task: one.task, wakeAt: now }));
        assert.ok(first && second);
        const rearm = [first, { ...second, deadlineAt: now + 7_000_000 }];
        await store.journal.commit(own, commitOf({ handled: rows, rearm }));
        const again = await store.tasks.claim(claimOf());
        assert.deepEqual(
          again.map(({ remainingMs, cancel }) => ({ remainingMs, cancel })),
          [
            { remainingMs: 5_000, cancel: true },
            { remainingMs: 7_000_000, cancel: false },
          ],
        );
      }),
    );

    test(
      'a task is not armed again under a worker that has it',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const claimed = await claimOne(store);
        await store.journal.commit(own, commitOf({ rearm: [{ task: claimed.task, wakeAt: 0 }] }));
        assert.deepEqual(await store.tasks.claim(claimOf({ worker: OTHER })), []);
      }),
    );

    test(
      'a report of an older epoch has no effect',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const old = await claimOne(store);
        store.advance(10_000);
        const { epoch } = await claimOne(store);
        assert.equal(epoch, 2);
        await store.tasks.report(WORKER, [done(old)]);
        assert.deepEqual(await reportsSeen(store, own), []);
      }),
    );

    test(
      'a late report of a closed task has no effect',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const claimed = await claimOne(store);
        await store.journal.commit(own, commitOf({ close: [claimed.task] }));
        await store.tasks.report(WORKER, [done(claimed)]);
        assert.deepEqual(await reportsSeen(store, own), []);
        const { task: of, epoch } = claimed;
        assert.deepEqual(await store.tasks.renew(WORKER, [{ task: of, epoch }]), { lost: [of], cancel: [] });
      }),
    );

    test(
      'a task that waits goes on from its checkpoint, by any worker, as the same attempt',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        await store.tasks.report(WORKER, [waiting(await claimOne(store), 5_000)]);
        assert.deepEqual(await reportsSeen(store, own), []);
        store.advance(4_999);
        assert.deepEqual(await store.tasks.claim(claimOf({ worker: OTHER })), []);
        store.advance(1);
        const again = await claimOne(store, { worker: OTHER });
        assert.deepEqual([again.epoch, again.attempt, again.quarantineMs], [2, 1, 0]);
        assert.deepEqual(again.checkpoint, { seen: 1 });
      }),
    );

    test(
      'a cancel makes a task that waits due at once',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const first = await claimOne(store);
        await store.tasks.report(WORKER, [waiting(first, 60_000)]);
        await store.journal.commit(own, commitOf({ cancel: [{ task: first.task, deadlineAt: 1e15 }] }));
        assert.equal((await claimOne(store)).cancel, true);
      }),
    );

    test(
      'a worker that was told of the cancel may wait, one that was not goes on at once',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const first = await claimOne(store);
        await store.journal.commit(own, commitOf({ cancel: [{ task: first.task, deadlineAt: 1e15 }] }));
        await store.tasks.report(WORKER, [waiting(first, 60_000)]);
        const told = await claimOne(store);
        assert.equal(told.cancel, true);
        await store.tasks.report(WORKER, [waiting(told, 60_000)]);
        assert.deepEqual(await store.tasks.claim(claimOf()), []);
      }),
    );
  });

  describe(`${name}: output and doorbell`, () => {
    test(
      'output is kept once per epoch and number, in order, and stays when the task is closed',
      withStore(async (store) => {
        const own = await withTasks(store, [task(id, 0)]);
        const { task: of, epoch } = await claimOne(store);
        const chunk = (seq: number) => ({ task: of, epoch, seq, text: `line ${seq}\n` });
        await store.tasks.appendOutput(WORKER, [chunk(0), chunk(1)]);
        await store.tasks.appendOutput(WORKER, [chunk(1), chunk(2)]);
        await store.journal.commit(own, commitOf({ close: [of] }));
        const rows = await store.views.output({ deployment: id, after: 0, limit: 10 });
        assert.deepEqual(
          rows.map(({ text, target, step }) => [text, target, step]),
          [0, 1, 2].map((seq) => [`line ${seq}\n`, 'web-0', 'install']),
        );
      }),
    );

    test(
      'a checkpoint that comes with output is stored with it',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        const { task: of, epoch } = await claimOne(store);
        const chunk = {
          task: of,
          epoch,
          seq: 0,
          text: 'line\n',
          checkpoint: { no: 1, value: { offset: 5 } },
        };
        await store.tasks.appendOutput(WORKER, [chunk]);
        const taken = await claimOne(store, { worker: OTHER, gone: [WORKER] });
        assert.deepEqual(taken.checkpoint, { offset: 5 });
      }),
    );

    test(
      'a late copy of a chunk does not set the checkpoint back',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        const { task: of, epoch } = await claimOne(store);
        const chunk = (seq: number) => ({
          task: of,
          epoch,
          seq,
          text: 'line\n',
          checkpoint: { no: seq + 1, value: { offset: seq } },
        });
        for (const seq of [0, 1, 0]) await store.tasks.appendOutput(WORKER, [chunk(seq)]);
        const taken = await claimOne(store, { worker: OTHER, gone: [WORKER] });
        assert.deepEqual(taken.checkpoint, { offset: 1 });
      }),
    );

    test(
      'output that an older owner sends late is dropped, with its checkpoint',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        const old = await claimOne(store);
        const taken = await claimOne(store, { worker: OTHER, gone: [WORKER] });
        const checkpoint = { no: 1, value: { offset: 4 } };
        const late = { task: old.task, epoch: old.epoch, seq: 0, text: 'late', checkpoint };
        await store.tasks.appendOutput(WORKER, [late]);
        await store.tasks.appendOutput(OTHER, [{ task: old.task, epoch: taken.epoch, seq: 0, text: 'new' }]);
        const rows = await store.views.output({ deployment: id, after: 0, limit: 10 });
        assert.deepEqual(
          rows.map(({ text }) => text),
          ['new'],
        );
        const next = await claimOne(store, { gone: [OTHER] });
        assert.equal(next.checkpoint, null);
      }),
    );

    test(
      'a line of progress is shown while the task is worked on',
      withStore(async (store) => {
        await withTasks(store, [task(id, 0)]);
        const { task: of, epoch } = await claimOne(store);
        await store.tasks.renew(WORKER, [{ task: of, epoch, progress: '2 connections left' }]);
        const [row] = await store.views.tasks(id);
        assert.equal(row?.progress, '2 connections left');
      }),
    );

    test(
      'who waits for work is woken by a new task, and not by that of another pool',
      withStore(async (store) => {
        const own = await withTasks(store, []);
        const woken: string[] = [];
        const wait = async (pool: string) => {
          const signal = new AbortController();
          await store.tasks.waitForWork(pool, 60_000, signal.signal);
          woken.push(pool);
        };
        const here = wait('dc-1');
        const there = wait('dc-2');
        await store.journal.commit(own, commitOf({ open: [task(id, 0)] }));
        await here;
        assert.deepEqual(woken, ['dc-1']);
        await store.journal.commit(own, commitOf({ open: [task(id, 1, { pool: 'dc-2' })] }));
        await there;
      }),
    );

    test(
      'a wait for work ends by its signal',
      withStore(async ({ tasks }) => {
        const stop = new AbortController();
        const waiting = tasks.waitForWork('dc-1', 60_000, stop.signal);
        stop.abort();
        await waiting;
      }),
    );
  });
}
