import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { samplePlan } from '../../test/support/sample-plan.ts';
import { Turns } from '../../test/support/turns.ts';
import { parseTaskId, workerId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import { isTerminal } from '../domain/status.ts';

type Result = Exclude<Outcome, { kind: 'wait' }>;
type Move =
  | {
      readonly kind: 'report';
      readonly pick: number;
      readonly how: 'good' | 'health' | 'command' | 'unknown';
    }
  | { readonly kind: 'operator'; readonly verb: 'pause' | 'resume' | 'abort' | 'rollback' }
  | { readonly kind: 'ofTarget'; readonly verb: 'retry' | 'skip'; readonly pick: number }
  /** A report that was delivered before comes again. */
  | { readonly kind: 'again'; readonly pick: number }
  | { readonly kind: 'time'; readonly ms: number };

const moves = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: report('good') },
    { weight: 2, arbitrary: report('health', 'command', 'unknown') },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('operator' as const),
        verb: fc.constantFrom('pause', 'resume', 'abort', 'rollback'),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('operator' as const), verb: fc.constant('resume' as const) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('ofTarget' as const),
        verb: fc.constantFrom('retry', 'skip'),
        pick: fc.nat(50),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('again' as const), pick: fc.nat(50) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('time' as const),
        ms: fc.constantFrom(5_000, 61_000, 121_000, 90_000_000),
      }),
    },
  ),
  { maxLength: 150 },
);

const worlds = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
  parallel: fc.integer({ min: 1, max: 4 }),
  floorPercent: fc.constantFrom(0, 50, 75),
  maxFailures: fc.integer({ min: 1, max: 4 }),
  reaction: fc.constantFrom('rollback' as const, 'pause' as const, 'abort' as const),
});

function report(...how: readonly ('good' | 'health' | 'command' | 'unknown')[]): fc.Arbitrary<Move> {
  return fc.record({ kind: fc.constant('report' as const), pick: fc.nat(50), how: fc.constantFrom(...how) });
}

test('whatever happens, the floor holds, nothing runs twice, the end is final and nothing is left without an owner', () => {
  fc.assert(
    fc.property(worlds, moves, (world, list) => {
      const turns = worldOf(world);
      for (const move of list) {
        const before = turns.state.status;
        play(turns, move);
        if (isTerminal(before)) assert.equal(turns.state.status, before);
        assertFloor(turns, world.floorPercent);
        assert.deepEqual(turns.replayed(), turns.state);
      }
      settle(turns, { isForced: world.floorPercent > 0 });
      assert.ok(isTerminal(turns.state.status), `ends, was ${turns.state.status}: ${turns.state.reason}`);
      assert.equal(turns.tasks.size, 0);
      assert.deepEqual(
        [...turns.holds.values()].filter((hold) => hold.phase !== 'parked'),
        [],
      );
      assert.deepEqual(turns.state.counts.active, 0);
    }),
    { numRuns: 300 },
  );
});

function worldOf(world: {
  sizes: number[];
  parallel: number;
  floorPercent: number;
  maxFailures: number;
  reaction: 'rollback' | 'pause' | 'abort';
}): Turns {
  let next = 0;
  const batches = world.sizes.map((size) => Array.from({ length: size }, () => next++));
  const policy = {
    maxFailures: { batch: {}, zone: {}, deployment: { count: world.maxFailures } },
    onFailure: { health: world.reaction, other: world.reaction },
  };
  const rollback = samplePlan({ batches: [[0]], verb: 'rollback', causedBy: 'd1' });
  const plan = samplePlan({
    batches,
    parallel: world.parallel,
    floor: { percent: world.floorPercent },
    policy,
  });
  return new Turns(plan, { planRollback: () => rollback });
}

function play(turns: Turns, move: Move): void {
  switch (move.kind) {
    case 'report':
      reportOne(turns, move.pick, move.how);
      return;
    case 'operator':
      turns.operator(move.verb);
      return;
    case 'ofTarget':
      turns.ofTarget(move.verb, move.pick % turns.model.plan.targets.length);
      return;
    case 'again':
      repeatOne(turns, move.pick);
      return;
    case 'time':
      turns.now += move.ms;
      turns.submit();
  }
}

/** A guard sees the members that are really out: those that are held. */
function reportOne(turns: Turns, pick: number, how: 'good' | 'health' | 'command' | 'unknown'): void {
  const open = [...turns.tasks.values()];
  const task = open[pick % Math.max(1, open.length)];
  if (!task) return;
  const held = [...turns.holds.values()].map((hold) => hold.member);
  const good = task.step === 'guard' ? turns.seen(task, held) : turns.good(task);
  turns.report(parseTaskId(task.id).target, how === 'good' ? good : bad(how));
}

function repeatOne(turns: Turns, pick: number): void {
  const ended = turns.started.filter((task) => !turns.tasks.has(task));
  const task = ended[pick % Math.max(1, ended.length)];
  if (!task) return;
  const stale = { task, epoch: 1, attempt: 1, worker: workerId('w'), startedAt: 0 };
  const events = turns.submit({ kind: 'report', ...stale, outcome: { kind: 'done', outputs: {} } });
  assert.deepEqual(
    events.filter((event) => event.kind.startsWith('task.succeeded')),
    [],
  );
}

function bad(how: 'health' | 'command' | 'unknown'): Result {
  if (how === 'unknown') return { kind: 'unknown', seen: 'nothing' };
  return { kind: 'failed', error: { code: how, message: how, cause: how }, retryable: how === 'command' };
}

function assertFloor(turns: Turns, percent: number): void {
  const all = turns.model.plan.targets.length;
  const floor = Math.ceil((all * percent) / 100);
  assert.ok(all - turns.holds.size >= floor, `${turns.holds.size} of ${all} held, the floor is ${floor}`);
}

/** The world heals: everything reports success, and somebody resumes. Only what waits for capacity in vain is aborted. */
function settle(turns: Turns, { isForced }: { isForced: boolean }): void {
  for (let round = 0; round < 400 && !isTerminal(turns.state.status); round += 1) {
    turns.now += 5_000;
    reportOne(turns, round, 'good');
    if (turns.state.status === 'paused' && turns.tasks.size === 0) turns.operator('resume');
    if (round > 300 && isForced) turns.operator('abort');
  }
}
