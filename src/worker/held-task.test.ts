import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryClock } from '../adapters/memory/clock.ts';
import { deploymentId, taskIdFrom } from '../domain/ids.ts';
import type { ClaimedTask } from '../ports/task-board.ts';
import { HeldTask, TaskEnded } from './held-task.ts';
import { numbering } from './numbering.ts';
import { OutputLog } from './output.ts';

const LEASE_MS = 15_000;

const CLAIMED: ClaimedTask = {
  ...{ task: taskIdFrom('d/0/0/0'), deployment: deploymentId('d'), target: 'web-1', step: 'drain' },
  ...{ action: 'balancer.drain@1', inputs: {}, epoch: 1, attempt: 1, checkpoint: null },
  ...{ cancel: false, quarantineMs: 0, remainingMs: 60_000 },
};

/** A task that was claimed now, and a clock that says how long ago that is. */
function held() {
  let nowMs = 0;
  const limits = { headBytes: 1_000, tailBytes: 1_000, bufferBytes: 1_000, lingerMs: 100 };
  const output = new OutputLog({
    ...{ task: CLAIMED.task, epoch: 1, append: async () => {}, numbered: numbering() },
    ...{ clock: new MemoryClock(), limits },
  });
  const task = new HeldTask({
    ...{ claimed: CLAIMED, fences: false, output, save: async () => true },
    monotonicMs: () => nowMs,
  });
  task.leaseEndsAtMs = LEASE_MS;
  const passed = (ms: number): void => {
    nowMs += ms;
  };
  return { task, run: task.run(), passed };
}

const isLost = (thrown: unknown): boolean => thrown instanceof TaskEnded && thrown.why === 'lost';

test('a process that wakes up after its lease may not write, though nothing has told it so', () => {
  const { task, run, passed } = held();
  passed(LEASE_MS - 1);
  run.requireLease();
  passed(1);
  assert.equal(run.signal.aborted, false);
  assert.throws(() => run.requireLease(), isLost);
  assert.equal(task.isLost, true);
  assert.equal(run.lost.aborted, true);
});

test('a task that is being cancelled may write as long as its lease lasts', () => {
  const { task, run, passed } = held();
  task.end('cancelled');
  assert.equal(run.signal.aborted, true);
  run.requireLease();
  passed(LEASE_MS);
  assert.throws(() => run.requireLease(), isLost);
});
