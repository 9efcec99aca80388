import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Event } from '../../../src/domain/event.ts';
import { Lanes } from './lanes.ts';

const AT = 1_000;
const member = (name: string) => ({ balancer: 'lb', pool: 'web', member: name, asFound: {} });
const attempt = { group: 0, attempt: 1, worker: null, startedAt: null };

/** Each event a second after the one before. */
function lanesOf(...events: readonly Event[]): Lanes {
  const lanes = new Lanes();
  for (const [n, event] of events.entries()) lanes.add({ at: AT * n, event });
  return lanes;
}

describe('lanes', () => {
  test('a step goes from its grant to its end', () => {
    const lanes = lanesOf(
      { kind: 'tasks.granted', targets: [0, 2], steps: [0, 3] },
      { kind: 'task.succeeded', target: 2, step: 3, ...attempt, outputs: {} },
    );
    assert.deepEqual(lanes.spans[0], [{ step: 0, attempt: 1, from: 0, to: null, outcome: 'running' }]);
    assert.deepEqual(lanes.spans[2], [{ step: 3, attempt: 1, from: 0, to: 1_000, outcome: 'succeeded' }]);
    assert.equal(lanes.spans[1], undefined);
    assert.equal(lanes.begunAt(2, 1_000), 0);
    assert.equal(lanes.begunAt(0, 1_000), undefined);
  });

  test('an attempt that is tried again ends, and the next begins when its pause is over', () => {
    const error = { code: 'command_failed', message: 'no', cause: 'command' } as const;
    const lanes = lanesOf(
      { kind: 'tasks.granted', targets: [0], steps: [1] },
      { kind: 'task.retried', target: 0, step: 1, ...attempt, error, retries: 1, wakeAt: 5_000 },
      { kind: 'task.failed', target: 0, step: 1, ...attempt, attempt: 2, error },
    );
    assert.deepEqual(
      lanes.spans[0]?.map(({ attempt: n, from, to, outcome }) => [n, from, to, outcome]),
      [
        [1, 0, 1_000, 'retried'],
        [2, 5_000, 5_000, 'failed'],
      ],
    );
  });

  test('what a target ends with ends the step that it was at', () => {
    const lanes = lanesOf(
      { kind: 'tasks.granted', targets: [0], steps: [1] },
      { kind: 'target.failed', target: 0, status: 'aborted', reason: 'aborted', parked: true },
      { kind: 'target.skipped', target: 0, by: 'ann', reason: 'broken', parked: false },
    );
    assert.deepEqual(
      lanes.spans[0]?.map(({ to, outcome }) => [to, outcome]),
      [[1_000, 'ended']],
    );
  });

  test('batches are told apart by their stage', () => {
    const lanes = lanesOf(
      { kind: 'stage.opened', stage: 0 },
      { kind: 'batch.opened', lane: 0, batch: 0 },
      { kind: 'batch.ended', lane: 0, batch: 0 },
      { kind: 'stage.opened', stage: 1 },
      { kind: 'batch.opened', lane: 0, batch: 0 },
    );
    assert.deepEqual(
      [...lanes.batches],
      [
        ['0/0/0', { from: 1_000, to: 2_000 }],
        ['1/0/0', { from: 4_000, to: null }],
      ],
    );
  });

  test('members are counted out of each pool, and back, however many a target has', () => {
    const lanes = lanesOf(
      { kind: 'capacity.taken', target: 0, members: [member('a'), { ...member('b'), pool: 'api' }] },
      { kind: 'capacity.taken', target: 1, members: [member('c')] },
      { kind: 'capacity.given', target: 0 },
      { kind: 'capacity.given', target: 0 },
    );
    assert.deepEqual(lanes.pools.get('lb/web')?.taken, [
      { at: 0, out: 1 },
      { at: 1_000, out: 2 },
      { at: 2_000, out: 1 },
    ]);
    assert.deepEqual(lanes.pools.get('lb/api')?.taken, [
      { at: 0, out: 1 },
      { at: 2_000, out: 0 },
    ]);
  });
});
