import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplePlan, step } from '../../test/support/sample-plan.ts';
import type { Event } from '../domain/event.ts';
import { deploymentId, taskId } from '../domain/ids.ts';
import { advanceView } from './advance-view.ts';
import { Answers } from './answers.ts';
import { initialView } from './deployment-view.ts';

const ID = deploymentId('e1');
const PLAN = { ...samplePlan({ batches: [[0, 1, 2, 3]], steps: [step('exec')] }), verb: 'exec' } as const;
const [A = '', B = '', C = '', D = ''] = PLAN.targets.map(({ name }) => name);
const LIMITS = { shown: 10, kept: 25, read: 1_000 };

const attempt = (target: number) => ({
  ...{ target, step: 0, group: 0, attempt: 1, worker: null, startedAt: null },
});
const done = (target: number): readonly Event[] => [
  { kind: 'task.succeeded', ...attempt(target), outputs: {} },
  { kind: 'target.succeeded', target },
];
const failed = (target: number, exitStatus?: number): readonly Event[] => [
  {
    ...{ kind: 'task.failed', ...attempt(target) },
    error: { code: 'command_failed', message: 'no', ...(exitStatus !== undefined && { exitStatus }) },
  },
  { kind: 'target.failed', target, status: 'failed', reason: 'no answer', parked: false },
];
const BEGUN: readonly Event[] = [
  { kind: 'deployment.started' },
  { kind: 'stage.opened', stage: 0 },
  { kind: 'batch.opened', lane: 0, batch: 0 },
  { kind: 'tasks.granted', targets: [0, 1, 2], steps: [0, 0, 0] },
];

type Written = readonly [target: number, text: string, group?: number];

function answersOf(events: readonly (readonly Event[])[], outputs: readonly Written[], limits = LIMITS) {
  const all = [...BEGUN, ...events.flat()];
  const answers = new Answers(limits);
  for (const event of all) answers.addEvent(event);
  for (const [target, text, group = 0] of outputs)
    answers.addOutput({ task: taskId({ deployment: ID, target, step: 0, group }), text });
  const stored = all.map((event, index) => ({ deployment: ID, version: index + 1, at: 0, event }));
  return answers.grouped(advanceView(initialView(PLAN), stored).targets);
}

test('equal answers are one, however their output came', () => {
  const found = answersOf(
    [done(0), done(1), failed(2, 3), done(3)],
    [
      [0, 'ab'],
      [1, 'a'],
      [2, 'ab'],
      [1, 'b'],
      [3, 'ac'],
    ],
  );
  assert.deepEqual(
    found.map(({ status, exitStatus, reason, output, targets }) => [
      status,
      exitStatus,
      reason,
      output,
      targets,
    ]),
    [
      ['succeeded', 0, '', 'ab', [A, B]],
      ['failed', 3, '', 'ab', [C]],
      ['succeeded', 0, '', 'ac', [D]],
    ],
  );
});

const long = 'x'.repeat(12);
const LONG: readonly Written[] = [
  [0, `${long}a`],
  [1, `${long}b`],
  [2, `${long}a`],
  [3, `${long}c`],
];

test('outputs that differ behind what is shown are not equal, and nothing beyond the limits is kept', () => {
  const found = answersOf([done(0), done(1), done(2), done(3)], LONG);
  assert.deepEqual(
    found.map(({ output, outputLength, cut, targets }) => [output.length, outputLength, cut, targets]),
    [
      [10, 13, true, [A, C]],
      [10, 13, true, [B]],
      [0, 13, true, [D]],
    ],
  );
});

test('once as much was read as may be, no two answers are called equal', () => {
  const found = answersOf([done(0), done(1), done(2), done(3)], LONG, { ...LIMITS, read: 52 });
  assert.deepEqual(
    found.map(({ cut, targets }) => [cut, targets]),
    [A, B, C, D].map((name) => [true, [name]]),
  );
});

test('what was not seen to its end says how it stands, and why', () => {
  const found = answersOf(
    [
      failed(0),
      [{ kind: 'task.unknown', ...attempt(1), seen: 'its host went away' }],
      [{ kind: 'target.failed', target: 1, status: 'unknown', reason: 'its host went away', parked: false }],
    ],
    [],
  );
  assert.deepEqual(
    found.map(({ status, exitStatus, reason, targets }) => [status, exitStatus, reason, targets]),
    [
      ['failed', null, 'no answer', [A]],
      ['unknown', null, 'its host went away', [B]],
      ['running', null, '', [C]],
      ['pending', null, '', [D]],
    ],
  );
});

test("what a person says of a command is its answer, and its exit status is nobody's", () => {
  const said = { target: 0, step: 0, group: 0, by: 'ada', reason: 'I looked' };
  const [first] = answersOf(
    [
      failed(0, 1),
      [
        { kind: 'task.resolved', ...said, as: 'succeeded' },
        { kind: 'target.succeeded', target: 0 },
      ],
    ],
    [],
  ).filter(({ targets }) => targets.includes(A));
  assert.deepEqual([first?.status, first?.exitStatus], ['succeeded', null]);
});

test('a target that is tried again answers anew', () => {
  const retried: Event = { kind: 'target.retried', target: 0, by: 'ada', reason: 'again', group: 1 };
  const found = answersOf(
    [failed(0, 1), [retried], done(0)],
    [
      [0, 'before'],
      [0, 'after', 1],
    ],
  );
  const first = found.find(({ targets }) => targets.includes(A));
  assert.deepEqual([first?.status, first?.exitStatus, first?.output], ['succeeded', 0, 'after']);
});
