import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { WorkerWorld } from '../../test/support/worker-world.ts';
import type { Behaviour, Program } from '../adapters/memory/behaviour.ts';
import { workerId } from '../domain/ids.ts';
import type { Action } from '../ports/action.ts';

const lasting = (durationMs: number, more: Partial<Behaviour> = {}): Program => {
  return () => ({ durationMs, code: 0, ...more });
};
const everySecond = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ atMs: n * 1_000, text: `second ${n}\n` }));

/** Runs a test in a world of its own; every worker is stopped at its end. */
function inWorld(
  program: Program,
  body: (world: WorkerWorld) => Promise<void>,
  actions: readonly Action[] = [],
) {
  return async (): Promise<void> => {
    const world = new WorkerWorld(program, actions);
    try {
      await body(world);
    } finally {
      await world.close();
    }
  };
}
const startsOf = (world: WorkerWorld): number[] => [...world.host.starts.values()];

test(
  'a task is claimed, run and reported, with its output on the board before the report',
  inWorld(lasting(3_000, { output: everySecond(3) }), async (world) => {
    await world.open();
    world.start('w1');
    await world.clock.advance(5_000);
    const [report] = await world.reports();
    assert.deepEqual(report?.outcome, { kind: 'done', outputs: { outputBytes: 27, droppedBytes: 0 } });
    assert.equal(report?.attempt, 1);
    assert.equal(await world.output(), 'second 0\nsecond 1\nsecond 2\n');
  }),
);

test(
  'the worker goes on taking tasks up to its slots, and no more at once',
  inWorld(lasting(1_000), async (world) => {
    for (let index = 0; index < 10; index += 1) await world.open(index);
    world.start('w1', { slots: 3 });
    await world.clock.advance(500);
    assert.equal(world.host.starts.size, 3);
    await world.clock.advance(6_000);
    assert.equal((await world.reports()).length, 10);
    assert.deepEqual(new Set(startsOf(world)), new Set([1]));
  }),
);

test(
  'of a worker that went silent another takes the task when the lease has run out, and attaches to the command',
  inWorld(lasting(40_000, { output: everySecond(40) }), async (world) => {
    await world.open();
    const first = world.start('w1');
    await world.clock.advance(10_500);
    first.cut();
    world.start('w2');
    await world.clock.advance(60_000);
    first.mend();
    await world.clock.advance(30_000);
    const reports = await world.reports();
    assert.deepEqual(
      reports.map(({ outcome, worker }) => [outcome.kind, worker]),
      [['done', 'w2']],
    );
    assert.deepEqual(startsOf(world), [1]);
    assert.equal(
      await world.output(),
      everySecond(40)
        .map(({ text }) => text)
        .join(''),
    );
    assert.ok(first.notices.some(({ kind }) => kind === 'task.lost'));
  }),
);

test(
  'a worker that proves its predecessor gone goes on at once',
  inWorld(lasting(5_000), async (world) => {
    await world.open();
    const first = world.start('w1');
    await world.clock.advance(1_000);
    first.cut();
    world.start('w2', { gone: [workerId('w1')] });
    await world.clock.advance(5_000);
    assert.deepEqual(await world.outcomes(), ['done']);
    assert.deepEqual(startsOf(world), [1]);
  }),
);

test(
  'while the board does not answer commands go on, and their results are told when it is back',
  inWorld(lasting(20_000, { output: everySecond(20) }), async (world) => {
    await world.open();
    const worker = world.start('w1');
    await world.clock.advance(2_500);
    worker.cut();
    await world.clock.advance(60_000);
    assert.deepEqual(await world.reports(), []);
    worker.mend();
    await world.clock.advance(10_000);
    assert.deepEqual(await world.outcomes(), ['done']);
    assert.deepEqual(startsOf(world), [1]);
    assert.equal(
      await world.output(),
      everySecond(20)
        .map(({ text }) => text)
        .join(''),
    );
    const kinds = worker.notices.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['board.silent', 'board.back', 'task.ended']);
  }),
);

test(
  'a task that was given in an answer that never came is begun as soon as the board is back',
  inWorld(lasting(1_000), async (world) => {
    const worker = world.start('w1');
    await world.clock.advance(500);
    worker.loseAnswers();
    await world.open();
    await world.clock.advance(2_000);
    assert.deepEqual(
      (await world.tasks()).map(({ worker: owner }) => owner),
      ['w1'],
    );
    assert.deepEqual(startsOf(world), []);
    worker.mend();
    await world.clock.advance(4_000);
    assert.deepEqual(await world.outcomes(), ['done']);
    assert.deepEqual(startsOf(world), [1]);
  }),
);

test(
  'nothing starts while its intent cannot be stored',
  inWorld(lasting(1_000), async (world) => {
    await world.open();
    const worker = world.start('w1');
    const { starts } = world.host;
    await world.clock.settle();
    const cutBefore = starts.size;
    worker.cut();
    await world.open(1);
    await world.clock.advance(10_000);
    assert.equal(starts.size, cutBefore);
  }),
);

test(
  'a cancel ends the command on its host and says so',
  inWorld(lasting(3_600_000, { ignoresTerm: true }), async (world) => {
    const { id } = await world.open();
    world.start('w1');
    await world.clock.advance(2_000);
    await world.commit({ cancel: [{ task: id, deadlineAt: world.clock.now() + 60_000 }] });
    await world.clock.advance(20_000);
    const [report] = await world.reports();
    assert.deepEqual(report?.outcome, {
      kind: 'failed',
      error: { code: 'task_cancelled', message: 'Cancelled: its processes were ended.', cause: 'cancelled' },
      retryable: false,
    });
  }),
);

test(
  'a cancel that cannot be proven is unknown',
  inWorld(lasting(3_600_000), async (world) => {
    const { id } = await world.open();
    world.start('w1');
    await world.clock.advance(2_000);
    world.host.reachable = false;
    await world.commit({ cancel: [{ task: id, deadlineAt: world.clock.now() + 60_000 }] });
    await world.clock.advance(120_000);
    const [report] = await world.reports();
    assert.match(
      report?.outcome.kind === 'unknown' ? report.outcome.seen : '',
      /whether it was is not known/,
    );
  }),
);

test(
  'a task that is to be cancelled before anyone had it is proven gone without its host',
  inWorld(lasting(1_000), async (world) => {
    world.host.reachable = false;
    const { id } = await world.open();
    await world.commit({ cancel: [{ task: id, deadlineAt: world.clock.now() + 60_000 }] });
    world.start('w1');
    await world.clock.advance(2_000);
    const [report] = await world.reports();
    assert.equal(report?.outcome.kind === 'failed' && report.outcome.error.cause, 'cancelled');
    assert.equal(world.host.starts.size, 0);
  }),
);

test(
  'a worker that stops hands its tasks back, and another goes on at once',
  inWorld(lasting(10_000, { output: everySecond(10) }), async (world) => {
    await world.open();
    const first = world.start('w1');
    await world.clock.advance(3_500);
    await first.stop();
    assert.ok(world.clock.monotonicMs() < 3_700);
    world.start('w2');
    await world.clock.advance(8_000);
    assert.deepEqual(await world.outcomes(), ['done']);
    assert.deepEqual(startsOf(world), [1]);
    assert.equal(
      await world.output(),
      everySecond(10)
        .map(({ text }) => text)
        .join(''),
    );
  }),
);

test(
  'what a worker hands back when it stops begins just after the last output that it has stored',
  inWorld(lasting(10_000, { output: everySecond(10) }), async (world) => {
    await world.open();
    const first = world.start('w1');
    await world.clock.advance(3_020); // a line is written, and has not gone to the board yet
    await first.stop();
    world.start('w2');
    await world.clock.advance(8_000);
    const lines = everySecond(10).map(({ text }) => text);
    assert.equal(await world.output(), lines.join(''));
  }),
);

/** Writes to a system that cannot refuse an old owner; each write takes a while. */
function unfenced() {
  const writes: { readonly epoch: number; readonly atMs: number }[] = [];
  const action: Action = {
    name: 'write',
    major: 1,
    inputs: z.unknown(),
    outputs: z.strictObject({}),
    fences: false,
    async apply({ epoch, ports: { clock }, signal }) {
      for (let n = 0; n < 30; n += 1) {
        signal.throwIfAborted();
        writes.push({ epoch, atMs: clock.monotonicMs() });
        await clock.sleep(1_000, signal);
      }
      return { kind: 'done', outputs: {} };
    },
  };
  return { writes, action };
}

const silent = unfenced();
test(
  'a new owner of what nothing fences waits out the quarantine before it writes',
  inWorld(
    lasting(0),
    async (world) => {
      await world.open(0, { action: 'write@1' });
      const first = world.start('w1');
      await world.clock.advance(5_000);
      first.cut();
      world.start('w2');
      await world.clock.advance(300_000);
      assert.deepEqual(await world.outcomes(), ['done']);
      const mine = silent.writes.filter(({ epoch }) => epoch === 1).map(({ atMs }) => atMs);
      const theirs = silent.writes.filter(({ epoch }) => epoch > 1).map(({ atMs }) => atMs);
      assert.ok(Math.max(...mine) <= 5_000 + 15_000 + 2_500, 'an owner without a lease stops writing');
      assert.ok(
        Math.min(...theirs) >= Math.max(...mine) + 55_000,
        'the next one waits for what is under way',
      );
      assert.equal(theirs.length, 30);
    },
    [silent.action],
  ),
);

const stopping = unfenced();
test(
  'a worker that stops lets a write come to its end',
  inWorld(
    lasting(0),
    async (world) => {
      await world.open(0, { action: 'write@1' });
      const worker = world.start('w1', { stopMs: 60_000 });
      await world.clock.advance(5_000);
      await worker.stop();
      assert.deepEqual(await world.outcomes(), ['done']);
      assert.equal(stopping.writes.length, 30);
    },
    [stopping.action],
  ),
);

const staged: Action = {
  name: 'staged',
  major: 1,
  inputs: z.unknown(),
  outputs: z.strictObject({ found: z.json() }),
  fences: true,
  async apply({ checkpoint, output, saveCheckpoint, signal, ports: { clock } }) {
    if (checkpoint !== null) return { kind: 'done', outputs: { found: checkpoint } };
    await output('first stage', { stage: 1 });
    await saveCheckpoint({ stage: 2 });
    await clock.sleep(3_600_000, signal);
    return { kind: 'unknown', seen: 'never' };
  },
};
test(
  'a checkpoint that an action stores is never followed by an older one that its output carries',
  inWorld(
    lasting(0),
    async (world) => {
      await world.open(0, { action: 'staged@1' });
      const first = world.start('w1');
      await world.clock.advance(2_000);
      first.cut();
      world.start('w2', { gone: [workerId('w1')] });
      await world.clock.advance(2_000);
      const [report] = await world.reports();
      assert.deepEqual(report?.outcome, { kind: 'done', outputs: { found: { stage: 2 } } });
    },
    [staged],
  ),
);

const broken: Action = {
  name: 'broken',
  major: 1,
  inputs: z.unknown(),
  outputs: z.strictObject({}),
  fences: true,
  apply: () => Promise.reject(new TypeError('x is not a function')),
};
test(
  'an action that breaks is unknown, and its worker goes on',
  inWorld(
    lasting(0),
    async (world) => {
      await world.open(0, { action: 'broken@1' });
      await world.open(1);
      world.start('w1');
      await world.clock.advance(3_000);
      const kinds = (await world.outcomes()).toSorted();
      assert.deepEqual(kinds, ['done', 'unknown']);
    },
    [broken],
  ),
);

test(
  'a wait gives the slot back, and the task goes on when it is due',
  inWorld(lasting(0), async (world) => {
    await world.open(0, { action: 'wait.settle@1', inputs: { ms: 30_000 } });
    await world.open(1, { wakeAt: 1 });
    world.start('w1', { slots: 1 });
    await world.clock.advance(5_000);
    assert.deepEqual(await world.outcomes(), ['done']);
    const [waiting] = (await world.tasks()).filter(({ status }) => status === 'waiting');
    assert.equal(waiting?.progress, 'settles for 30 s');
    await world.clock.advance(30_000);
    assert.deepEqual(await world.outcomes(), ['done', 'done']);
  }),
);
