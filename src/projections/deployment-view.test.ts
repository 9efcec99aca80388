import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { samplePlan } from '../../test/support/sample-plan.ts';
import { Turns } from '../../test/support/turns.ts';
import { type DeploymentId, deploymentId } from '../domain/ids.ts';
import { advanceView, followView } from './advance-view.ts';
import { type DeploymentView, initialView } from './deployment-view.ts';

const ID: DeploymentId = deploymentId('d1');
const failed = {
  kind: 'failed',
  error: { code: 'command_failed', message: 'exit status 3' },
  retryable: false,
} as const;
const PATIENT = { maxFailures: { batch: {}, zone: {}, deployment: { count: 99 } } };

/** The record of a deployment that was turned by hand, as the store would give it. */
const recordOf = ({ events }: Turns) =>
  events.map((event, index) => ({ deployment: ID, version: index + 1, at: 1_000 + index, event }));

const viewOf = (turns: Turns): DeploymentView => advanceView(initialView(turns.model.plan), recordOf(turns));

describe('the view of a deployment', () => {
  test('counts what the engine counts, for the whole and summed over the batches', () => {
    const turns = new Turns(
      samplePlan({
        batches: [
          [0, 1],
          [2, 3],
        ],
        policy: PATIENT,
      }),
    );
    turns.report(0);
    turns.report(1, failed);
    turns.finish();
    turns.ofTarget('skip', 1);
    turns.finish();
    const { overall, batches } = viewOf(turns);
    const { succeeded, failed: failures, skipped, active } = turns.state.counts;
    assert.deepEqual(overall.counts, { total: 4, succeeded, failed: failures, skipped, active });
    const sum = (key: 'total' | 'succeeded' | 'failed') =>
      batches.reduce((all, { counts }) => all + counts[key], 0);
    assert.deepEqual([sum('total'), sum('succeeded'), sum('failed')], [4, succeeded, failures]);
    assert.equal(overall.status, turns.state.status);
  });

  test('says of a target which step it is at, since when, and why it failed', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1]], policy: PATIENT }));
    turns.report(0);
    const running = viewOf(turns).targets[0];
    assert.deepEqual([running?.status, running?.step, running?.attempt], ['running', 'drain', 1]);
    assert.equal(running?.since, 1_000 + turns.events.length - 1);
    turns.report(0, failed);
    const { targets, batches } = viewOf(turns);
    const [first, second] = targets;
    assert.deepEqual(
      [first?.status, first?.step, first?.reason, first?.parked],
      ['failed', 'drain', 'exit status 3', true],
    );
    assert.deepEqual([batches[0]?.status, second?.status, second?.reason], ['failed', 'running', null]);
  });

  test('says what a target waits for when capacity is refused', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1]], floor: { count: 1 } }));
    turns.report(0);
    turns.report(1);
    const waiting = viewOf(turns).targets[1];
    assert.equal(waiting?.reason, 'waits for capacity: web would have 0 in service, the floor is 1');
  });

  test('shows a pause with who and until when, and forgets it on resume', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1]] }));
    turns.operator('pause');
    const { overall } = viewOf(turns);
    assert.deepEqual([overall.status, overall.reason, overall.paused?.by], ['paused', 'because', 'ann']);
    assert.equal(overall.paused?.abortAt, turns.now + turns.model.plan.policy.holdLimitMs);
    turns.operator('resume');
    assert.deepEqual([viewOf(turns).overall.status, viewOf(turns).overall.paused], ['running', null]);
  });

  test('is the same in whatever lots the events come, and twice is once', () => {
    const turns = new Turns(
      samplePlan({
        batches: [
          [0, 1],
          [2, 3],
        ],
        policy: PATIENT,
      }),
    );
    turns.report(0);
    turns.report(1, failed);
    turns.ofTarget('retry', 1);
    turns.operator('pause');
    turns.operator('resume');
    turns.finish();
    const record = recordOf(turns);
    const whole = viewOf(turns);
    fc.assert(
      fc.property(fc.array(fc.nat(record.length)), (cuts) => {
        let view = initialView(turns.model.plan);
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), record.length]) {
          view = advanceView(view, record.slice(Math.max(0, from - 2), to));
          from = to;
        }
        assert.deepEqual(view, whole);
      }),
      { numRuns: 100 },
    );
  });

  test('what is said to have changed is all that changed', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1], [2]], policy: PATIENT }));
    turns.report(0, failed);
    turns.finish();
    let view = initialView(turns.model.plan);
    const follow = followView(view);
    for (const stored of recordOf(turns)) {
      const changed = follow(stored);
      const targets = new Map(changed.targets.map((target) => [target.index, target]));
      const batches = new Map(changed.batches.map((batch) => [batch.name, batch]));
      const replaced = {
        ...view,
        overall: changed.overall,
        targets: view.targets.map((target) => targets.get(target.index) ?? target),
        batches: view.batches.map((batch) => batches.get(batch.name) ?? batch),
      };
      view = advanceView(view, [stored]);
      assert.deepEqual(replaced, view);
    }
  });
});
