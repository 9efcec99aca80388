import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUARDED, type SampleOptions, samplePlan, step } from '../../test/support/sample-plan.ts';
import { Turns } from '../../test/support/turns.ts';
import { planRollback } from '../plan/rollback.ts';
import { restoredState } from './state.ts';

const STEPS = [step('fetch', { ahead: true, retries: { max: 1, backoffMs: 1_000 } }), ...GUARDED];
const broken = {
  kind: 'failed',
  error: { code: 'host_unfit', message: 'the disk is full', cause: 'command' },
  retryable: false,
} as const;

const LENIENT = { maxFailures: { batch: {}, zone: {}, deployment: { count: 9 } } };

const turnsOf = (options: SampleOptions) =>
  new Turns(samplePlan({ steps: STEPS, ...options }), { planRollback });
const open = (turns: Turns) => [...turns.tasks.values()].map(({ target, step: id }) => `${target} ${id}`);
const statuses = (turns: Turns) => turns.model.plan.targets.map((_, target) => turns.target(target).status);

test('the next batch is prepared while one is worked on, and the one after it is not', () => {
  const turns = turnsOf({ batches: [[0], [1, 2], [3]] });
  assert.deepEqual(open(turns), ['web-0 fetch', 'web-1 fetch', 'web-2 fetch']);
  for (const target of [0, 1, 2]) turns.report(target);
  assert.deepEqual(open(turns), ['web-0 guard']);
  assert.deepEqual(statuses(turns), ['running', 'pending', 'pending', 'pending']);
  for (const _ of GUARDED) turns.report(0);
  assert.deepEqual(open(turns), ['web-1 guard', 'web-2 guard', 'web-3 fetch']);
  turns.finish();
  assert.equal(turns.state.status, 'succeeded');
  assert.equal(turns.started.length, 4 * STEPS.length);
});

test('what is prepared shares what the deployment may do at once, and those of the open batch of each lane go first', () => {
  const turns = turnsOf({ batches: [[0], [1, 2]], lanes: [[[3, 4]]], policy: { parallel: 2 } });
  assert.deepEqual(open(turns), ['web-0 fetch', 'web-3 fetch']);
  turns.report(3);
  assert.deepEqual(open(turns), ['web-0 fetch', 'web-3 guard']);
  turns.report(0);
  assert.deepEqual(open(turns), ['web-3 guard', 'web-0 guard', 'web-4 fetch'], 'one in any case');
  turns.finish();
  assert.equal(turns.state.counts.succeeded, 5);
});

test('steps that prepare are done one after the other', () => {
  const steps = [step('look', { ahead: true }), ...STEPS];
  const turns = new Turns(samplePlan({ batches: [[0, 1], [2]], steps }));
  turns.report(0);
  turns.report(2);
  assert.deepEqual(open(turns), ['web-1 look', 'web-0 fetch', 'web-2 fetch']);
  turns.finish();
  assert.equal(turns.started.length, 3 * steps.length);
});

test('a deployment that stops ends what it prepares, and its rollback waits for no more', () => {
  for (const how of ['failure', 'person']) {
    const turns = turnsOf({ batches: [[0], [1]] });
    turns.report(0);
    if (how === 'failure') turns.report(0, broken);
    else turns.operator('rollback');
    assert.deepEqual(
      [...turns.tasks.values()].map(({ target, cancel }) => [target, cancel]),
      how === 'failure'
        ? [['web-1', true]]
        : [
            ['web-1', true],
            ['web-0', false],
          ],
    );
    turns.report(1, { ...broken, error: { ...broken.error, code: 'task_cancelled' } });
    turns.finish();
    assert.deepEqual([turns.state.status, turns.target(1).touched], ['failed', false]);
  }
});

test('one that takes long to prepare is passed by those behind it', () => {
  const turns = turnsOf({ batches: [[0, 1, 2]] });
  turns.report(1);
  turns.report(2);
  assert.deepEqual(open(turns), ['web-0 fetch', 'web-1 guard', 'web-2 guard']);
  turns.report(0);
  turns.finish();
  assert.equal(turns.state.counts.succeeded, 3);
});

test('one that cannot be prepared fails with nothing done to it, while those before it are worked on', () => {
  const policy = { maxFailures: { batch: { count: 1 }, zone: {}, deployment: {} } };
  const turns = turnsOf({ batches: [[0], [1, 2]], policy });
  turns.report(0);
  turns.report(0);
  turns.report(1, broken);
  assert.match(turns.state.reason, /the batch's budget of failures is spent \(1\); web-1: the disk is full/);
  turns.report(2);
  turns.finish();
  assert.equal(turns.state.status, 'failed');
  assert.deepEqual(turns.last?.unproven, ['web-0']);
  assert.deepEqual(
    turns.successor?.plan.targets.map(({ name }) => name),
    ['web-0'],
  );
});

test('what failed before its turn counts in its own batch, and in no other', () => {
  const policy = { maxFailures: { batch: { count: 2 }, zone: {}, deployment: {} } };
  const turns = turnsOf({
    batches: [
      [0, 1],
      [2, 3, 4],
    ],
    policy,
  });
  turns.report(2, broken);
  turns.report(0);
  turns.report(0, broken);
  assert.equal(turns.state.stop, null);
  for (const _ of STEPS) turns.report(1);
  turns.report(3, broken);
  assert.match(turns.state.reason, /the batch's budget of failures is spent \(2\)/);
});

test('one that could not be prepared waits for its turn again when a person says so, and its result is nobody’s to set', () => {
  const policy = { maxFailures: { batch: {}, zone: {}, deployment: { count: 1 } } };
  const onFailure = { health: 'pause', other: 'pause' } as const;
  const turns = turnsOf({ batches: [[0], [1]], policy: { ...policy, onFailure } });
  turns.report(1, broken);
  assert.equal(turns.state.status, 'paused');
  const [refused] = turns.resolve(1, 'succeeded');
  assert.ok(refused?.kind === 'command.refused');
  assert.match(refused.why, /the turn of the target's batch has not come/);
  turns.ofTarget('retry', 1);
  assert.deepEqual(open(turns), ['web-0 fetch']);
  turns.operator('resume');
  assert.deepEqual(open(turns), ['web-0 fetch']);
  for (const _ of STEPS) turns.report(0);
  assert.deepEqual(open(turns), ['web-1 fetch']);
  turns.finish();
  assert.equal(turns.state.counts.succeeded, 2);
});

test('an abort reaches those that are being prepared, and the deployment ends when they have', () => {
  const turns = turnsOf({ batches: [[0], [1]] });
  turns.operator('abort');
  assert.deepEqual(
    [...turns.tasks.values()].map(({ cancel }) => cancel),
    [true, true],
  );
  turns.report(0, broken);
  assert.equal(turns.state.status, 'running');
  turns.report(1);
  assert.equal(turns.state.status, 'aborted');
  assert.deepEqual(statuses(turns), ['aborted', 'pending']);
});

test('one that is left out while it is prepared is left out once that has ended', () => {
  const turns = turnsOf({ batches: [[0], [1]] });
  turns.ofTarget('skip', 1);
  turns.report(1);
  assert.deepEqual(statuses(turns), ['pending', 'skipped']);
  turns.finish();
  assert.equal(turns.state.status, 'succeeded');
});

test('a state that was stored before there was anything to prepare is taken up', () => {
  const turns = new Turns(samplePlan({ batches: [[0], [1]] }));
  const { lanes, ...rest } = turns.state;
  const before = lanes.map(({ ahead: _, aheadCursor: __, aheadFailures: ___, ...lane }) => lane);
  turns.state = restoredState({ ...rest, lanes: before });
  turns.finish();
  assert.equal(turns.state.status, 'succeeded');
});

test('one of an earlier stage is not retried, whatever the number of its batch', () => {
  const { stages, ...plan } = samplePlan({ batches: [[0], [1]], steps: STEPS, policy: LENIENT });
  const [first] = stages;
  assert.ok(first);
  const later = {
    ...first,
    lanes: [{ zone: 'z', batches: [{ ...(first.lanes[0]?.batches[0] ?? never()), targets: [2] }] }],
  };
  const more = samplePlan({ batches: [[0], [1], [2]], steps: STEPS });
  const turns = new Turns({ ...plan, targets: more.targets, stages: [first, later] });
  turns.report(0);
  turns.report(1, broken);
  for (const _ of GUARDED) turns.report(0);
  assert.deepEqual(open(turns), ['web-2 fetch']);
  const refused = turns.ofTarget('retry', 1);
  assert.deepEqual(
    refused.map(({ kind }) => kind),
    ['command.refused'],
  );
});

const never = (): never => assert.fail('a plan without a batch');
