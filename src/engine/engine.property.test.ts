import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Answer, EngineWorld, FOREIGN } from '../../test/support/engine-world.ts';
import { GUARDED, samplePlan, step } from '../../test/support/sample-plan.ts';
import type { Turns } from '../../test/support/turns.ts';
import type { Hold } from '../domain/capacity.ts';
import { parseTaskId, type TaskId, taskId, taskIdFrom, workerId } from '../domain/ids.ts';
import type { Plan, Reaction, Stage } from '../domain/plan.ts';
import { isTerminal } from '../domain/status.ts';

/** Sizes of batches, by stage and lane. */
type Shape = readonly (readonly (readonly number[])[])[];
type World = {
  readonly shapes: readonly Shape[];
  readonly parallel: number;
  readonly batchParallel: number;
  readonly floorPercent: number;
  readonly maxFailures: number;
  readonly reaction: Reaction;
  readonly others: boolean;
  readonly sick: number;
  readonly foreign: boolean;
  readonly deaf: boolean;
  /** Targets are prepared before their turn. */
  readonly ahead: boolean;
};
type Verb = 'pause' | 'resume' | 'abort' | 'rollback';
type Move = { readonly of: number } & (
  | { readonly kind: 'answer'; readonly pick: number; readonly count: number; readonly how: Answer }
  | {
      readonly kind: 'operator';
      readonly verb: Verb;
      readonly pick: number;
      readonly count: number;
      readonly after: number;
    }
  | { readonly kind: 'ofTarget'; readonly verb: 'retry' | 'skip'; readonly pick: number }
  | {
      readonly kind: 'resolve';
      readonly as: 'succeeded' | 'failed';
      readonly ended: boolean;
      readonly pick: number;
    }
  /** A report that was dealt with comes again. */
  | { readonly kind: 'again'; readonly pick: number }
  | { readonly kind: 'time'; readonly ms: number; readonly isQuiet: boolean }
);

const sizes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 });
const shape: fc.Arbitrary<Shape> = fc.array(fc.array(sizes, { minLength: 1, maxLength: 2 }), {
  minLength: 1,
  maxLength: 2,
});
const worlds: fc.Arbitrary<World> = fc.record({
  shapes: fc.array(shape, { minLength: 1, maxLength: 2 }),
  parallel: fc.integer({ min: 1, max: 6 }),
  batchParallel: fc.integer({ min: 1, max: 4 }),
  floorPercent: fc.constantFrom(0, 50, 75),
  maxFailures: fc.integer({ min: 1, max: 4 }),
  reaction: fc.constantFrom('rollback', 'pause', 'pause', 'abort'),
  others: fc.boolean(),
  sick: fc.constantFrom(0, 0, 1),
  foreign: fc.boolean(),
  deaf: fc.boolean(),
  ahead: fc.boolean(),
});

const of = fc.nat(3);
const pick = fc.nat(50);
const weighted = (weight: number, arbitrary: fc.Arbitrary<Move>) => ({ weight, arbitrary });
const answers = (...how: readonly Answer[]): fc.Arbitrary<Move> =>
  fc.record({
    of,
    kind: fc.constant('answer' as const),
    pick,
    count: fc.constantFrom(1, 1, 2, 5),
    how: fc.constantFrom(...how),
  });
const operator = (...verbs: readonly Verb[]): fc.Arbitrary<Move> =>
  fc.record({
    of,
    kind: fc.constant('operator' as const),
    verb: fc.constantFrom(...verbs),
    pick,
    count: fc.constantFrom(0, 0, 1, 2),
    /** Time that went by unseen, so that what is due comes in the same lot. */
    after: fc.constantFrom(0, 0, 61_000, 121_000),
  });
const ofTarget: fc.Arbitrary<Move> = fc.record({
  of,
  kind: fc.constant('ofTarget' as const),
  verb: fc.constantFrom('retry' as const, 'retry' as const, 'skip' as const),
  pick,
});
const resolve: fc.Arbitrary<Move> = fc.record({
  of,
  kind: fc.constant('resolve' as const),
  as: fc.constantFrom('succeeded' as const, 'succeeded' as const, 'failed' as const),
  ended: fc.constantFrom(true, true, false),
  pick,
});
const moves = fc.array(
  fc.oneof(
    weighted(24, answers('good')),
    weighted(3, answers('late')),
    weighted(6, answers('health', 'command', 'unknown')),
    weighted(2, operator('pause', 'abort', 'rollback', 'rollback')),
    weighted(3, operator('resume')),
    weighted(4, ofTarget),
    weighted(3, resolve),
    weighted(3, fc.record({ of, kind: fc.constant('again' as const), pick })),
    weighted(
      2,
      fc.record({
        of,
        kind: fc.constant('time' as const),
        ms: fc.constantFrom(2_000, 5_000, 61_000, 121_000, 90_000_000),
        isQuiet: fc.boolean(),
      }),
    ),
  ),
  { maxLength: 120 },
);

const STEPS_OF_WORLD = GUARDED.map((step) => {
  if (step.id === 'guard')
    return { ...step, onUnknown: 'retry' as const, retries: { max: 2, backoffMs: 1_000 } };
  return step.id === 'start' ? { ...step, retries: { max: 1, backoffMs: 1_000 } } : step;
});
const FETCH = step('fetch', { ahead: true, retries: { max: 1, backoffMs: 1_000 } });

test('whatever happens, no floor is broken, nothing runs twice, and the end is final, true and complete', () => {
  const property = fc.property(worlds, moves, (world, list) => {
    const made = worldOf(world);
    for (const move of list) play(made, move);
    settle(made);
  });
  fc.assert(property, { numRuns: 400 });
});

function worldOf(world: World): EngineWorld {
  let first = 0;
  const plans = world.shapes.map((each, index) => {
    const plan = planOf(world, each, { first, name: `app${index + 1}` });
    first += plan.targets.length;
    return plan;
  });
  const foreign = world.foreign ? [heldElsewhere()] : [];
  const sick = Array.from({ length: world.sick }, (_, index) => `web-${first - 1 - index}:80`);
  return new EngineWorld(plans, { configured: first, sick, foreign, deaf: world.deaf });
}

/** The first member: a deployment of somebody else works on it. */
const heldElsewhere = (): Hold => ({
  balancer: 'lb',
  pool: 'web',
  member: 'web-0:80',
  deployment: FOREIGN,
  target: 'elsewhere',
  phase: 'taken',
  reason: 'being deployed to',
  asFound: { session: 'user-enabled' },
});

function planOf(world: World, shape: Shape, { first, name }: { first: number; name: string }): Plan {
  const { parallel, batchParallel, maxFailures, reaction } = world;
  let next = 0;
  const stages = shape.map(
    (lanes, index): Stage => ({
      name: `stage ${index}`,
      lanes: lanes.map((batches, lane) => ({
        zone: `zone-${lane}`,
        batches: batches.map((size, batch) => ({
          name: `batch ${batch}`,
          sequence: 'rolling',
          targets: Array.from({ length: size }, () => next++),
          parallel: batchParallel,
          countsFailures: !(world.others && index === shape.length - 1),
        })),
      })),
    }),
  );
  const policy = {
    maxFailures: { batch: {}, zone: {}, deployment: { count: maxFailures } },
    onFailure: { health: reaction, other: reaction },
    parallel,
  };
  const plan = samplePlan({ batches: [Array.from({ length: next }, (_, index) => index)], policy });
  const targets = plan.targets.map((target, index) => ({
    ...target,
    name: `${name}-${index}`,
    members: [{ balancer: 'lb', pool: 'web', member: `web-${first + index}:80` }],
  }));
  const floors = [{ balancer: 'lb', pool: 'web', floor: { percent: world.floorPercent } }];
  const rolling = world.ahead ? [FETCH, ...STEPS_OF_WORLD] : STEPS_OF_WORLD;
  return { ...plan, project: name, targets, stages, floors, sequences: { rolling } };
}

function play(world: EngineWorld, move: Move): void {
  const turns = world.deployments[move.of % world.deployments.length];
  if (!turns) return;
  switch (move.kind) {
    case 'answer':
      world.answer(turns, move.pick, move);
      return;
    case 'operator':
      world.pass(move.after, { isQuiet: true });
      world.answer(turns, move.pick, { ...move, how: 'good', also: { kind: move.verb, reason: 'because' } });
      return;
    case 'ofTarget': {
      const target = chosen(turns, move.pick);
      world.submit(turns, { kind: move.verb, target, reason: 'because' });
      return;
    }
    case 'resolve':
      world.resolve(turns, chosen(turns, move.pick), move);
      return;
    case 'again':
      repeat(world, turns, move.pick);
      return;
    case 'time':
      world.pass(move.ms, move);
      return;
    default:
      move satisfies never;
  }
}

/** Mostly one that has failed, since only that can be retried. */
function chosen(turns: Turns, pick: number): number {
  const all = [...turns.model.plan.targets.keys()];
  const failed = all.filter((target) => ['failed', 'unknown'].includes(turns.target(target).status));
  const from = failed.length > 0 && pick % 4 > 0 ? failed : all;
  return from[pick % from.length] ?? 0;
}

function repeat(world: EngineWorld, turns: Turns, pick: number): void {
  const ended = turns.started.filter((task) => !turns.tasks.has(task));
  const older = ended.filter((task) => isOlder(turns, task));
  const from = older.length > 0 ? older : ended;
  const task = taskIdFrom(from[pick % Math.max(1, from.length)] ?? '');
  if (task === '') return;
  const before = turns.events.length;
  const report = { task, epoch: 1, attempt: 1, worker: workerId('w'), startedAt: 0 };
  world.submit(turns, { kind: 'report', ...report, outcome: { kind: 'done', outputs: {} } });
  const heard = turns.events.slice(before).filter(({ kind }) => kind.startsWith('task.succeeded'));
  assert.deepEqual(heard, []);
}

/** Of an attempt group before the one in which the same step is open now. */
function isOlder(turns: Turns, ended: TaskId): boolean {
  const { deployment, target, step, group } = parseTaskId(ended);
  return turns.tasks.has(taskId({ deployment, target, step, group: group + 1 }));
}

/** The world heals: everything reports success, and people resume. What waits for capacity in vain is aborted. */
function settle(world: EngineWorld): void {
  world.returnForeign();
  for (let round = 0; round < 2_000 && !world.isOver; round += 1) {
    world.pass(10_000);
    for (const turns of [...world.deployments]) {
      world.answer(turns, round, { how: 'good', count: 2 });
      if (turns.state.status === 'paused' && !isWorking(turns)) decide(world, turns);
    }
  }
  for (const { state } of world.deployments)
    assert.ok(isTerminal(state.status), `ends, was ${state.status}: ${state.reason}`);
}

/** Nobody is going to return a member, and the floor leaves room for none: only then a person gives up. */
function decide(world: EngineWorld, turns: Turns): void {
  const isIdle = world.deployments.every((each) => !isWorking(each));
  const isStarved = isIdle && turns.tasks.size > 0 && !world.hasRoom(turns);
  world.submit(turns, { kind: isStarved ? 'abort' : 'resume', reason: 'because' });
}

const isWorking = ({ tasks }: Turns) => [...tasks.values()].some(({ step }) => step !== 'guard');
