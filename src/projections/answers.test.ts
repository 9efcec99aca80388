import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from '../../test/contracts/sample.ts';
import type { Event } from '../domain/event.ts';
import { deploymentId, taskId } from '../domain/ids.ts';
import { Answers } from './answers.ts';

const PLAN = plan({ targets: 4, verb: 'exec' });
const LIMITS = { shown: 10, kept: 25 };
const attempt = (target: number) => ({
  ...{ target, step: 0, group: 0, attempt: 1, worker: null, startedAt: null },
});
const done = (target: number): Event => ({ kind: 'task.succeeded', ...attempt(target), outputs: {} });
const failed = (target: number, exitStatus?: number): Event => ({
  ...{ kind: 'task.failed', ...attempt(target) },
  error: { code: 'command_failed', message: 'no', ...(exitStatus !== undefined && { exitStatus }) },
});

function answersOf(
  events: readonly Event[],
  outputs: readonly (readonly [target: string, text: string, group?: number])[],
) {
  const answers = new Answers(PLAN, LIMITS);
  for (const event of events) answers.addEvent(event);
  for (const [target, text, group = 0] of outputs) {
    const task = taskId({ deployment: deploymentId('e1'), target: Number(target.slice(4)), step: 0, group });
    answers.addOutput({ target, task, text });
  }
  return answers.grouped();
}

test('equal answers are one, however their output came', () => {
  const found = answersOf(
    [done(0), done(1), failed(2, 3), done(3)],
    [
      ['web-0', 'ab'],
      ['web-1', 'a'],
      ['web-2', 'ab'],
      ['web-1', 'b'],
      ['web-3', 'ac'],
    ],
  );
  assert.deepEqual(
    found.map(({ status, exitStatus, output, targets }) => [status, exitStatus, output, targets]),
    [
      ['succeeded', 0, 'ab', ['web-0', 'web-1']],
      ['failed', 3, 'ab', ['web-2']],
      ['succeeded', 0, 'ac', ['web-3']],
    ],
  );
});

test('outputs that differ behind what is shown are not equal, and nothing beyond the limits is kept', () => {
  const long = 'x'.repeat(12);
  const found = answersOf(
    [done(0), done(1), done(2), done(3)],
    [
      ['web-0', `${long}a`],
      ['web-1', `${long}b`],
      ['web-2', `${long}a`],
      ['web-3', `${long}c`],
    ],
  );
  assert.deepEqual(
    found.map(({ output, outputLength, cut, targets }) => [output.length, outputLength, cut, targets]),
    [
      [10, 13, true, ['web-0', 'web-2']],
      [10, 13, true, ['web-1']],
      [0, 13, true, ['web-3']],
    ],
  );
});

test('what was not seen to its end says why', () => {
  const found = answersOf(
    [
      failed(0),
      { kind: 'target.failed', target: 0, status: 'failed', reason: 'no answer', parked: false },
      { kind: 'task.unknown', ...attempt(1), seen: 'its host went away' },
      { kind: 'target.failed', target: 1, status: 'unknown', reason: 'its host went away', parked: false },
      { kind: 'target.skipped', target: 2, by: 'ada', reason: 'not this one', parked: false },
    ],
    [],
  );
  assert.deepEqual(
    found.map(({ status, exitStatus, reason, targets }) => [status, exitStatus, reason, targets]),
    [
      ['failed', null, 'no answer', ['web-0']],
      ['unknown', null, 'its host went away', ['web-1']],
      ['skipped', null, 'not this one', ['web-2']],
      ['pending', null, '', ['web-3']],
    ],
  );
});

test('a target that is tried again answers anew', () => {
  const retried: Event = { kind: 'target.retried', target: 0, by: 'ada', reason: 'again', group: 1 };
  const found = answersOf(
    [failed(0, 1), retried, done(0)],
    [
      ['web-0', 'before'],
      ['web-0', 'after', 1],
    ],
  );
  const first = found.find(({ targets }) => targets.includes('web-0'));
  assert.deepEqual([first?.status, first?.exitStatus, first?.output], ['succeeded', 0, 'after']);
});
