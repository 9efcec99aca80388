import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { samplePlan, step } from '../../test/support/sample-plan.ts';
import { Turns } from '../../test/support/turns.ts';
import type { CommandBody } from '../domain/command.ts';
import { planHash } from '../domain/ids.ts';
import type { RecordVersion } from '../domain/records.ts';

const HASH = planHash('plan');
const OTHER = planHash('another');
const LIMIT_MS = 60_000;
const MADE_FROM: readonly RecordVersion[] = [{ kind: 'environment', key: 'prod', version: 3 }];

const approve = (by: string, hash = HASH): { readonly by: string } & CommandBody => ({
  ...{ by, kind: 'approve', planHash: hash, reason: 'read it' },
});
const promote = { by: 'root', kind: 'promote', reason: 'the shop is down' } as const;

/** Asked for by ann, with so many approvals to wait for. */
function waiting(count: number, first: readonly CommandBody[] = []): Turns {
  const steps = [step('fetch', { ahead: true }), step('install')];
  const plan = samplePlan({ batches: [[0], [1]], steps });
  return new Turns(
    { ...plan, approvals: { count, limitMs: LIMIT_MS } },
    {
      first,
      created: {
        ...{ kind: 'deployment.created', planHash: HASH, project: 'shop', environment: 'prod' },
        ...{ verb: 'deploy', by: 'ann', reason: 'release', madeFrom: MADE_FROM },
      },
    },
  );
}

const refusals = (turns: Turns): readonly string[] =>
  turns.events.flatMap((event) => (event.kind === 'command.refused' ? [event.why] : []));

describe('a deployment that waits for approvals', () => {
  test('starts nothing, prepares nothing, and says what it waits for', () => {
    const turns = waiting(2);
    assert.equal(turns.state.status, 'pending');
    assert.equal(turns.state.reason, 'waits for 2 approvals');
    assert.equal(turns.tasks.size, 0);
    assert.deepEqual(turns.kinds(), ['deployment.created', 'approvals.asked']);
    turns.submitBy(approve('bob'));
    assert.equal(turns.state.reason, 'waits for 1 more approval');
    assert.equal(turns.tasks.size, 0);
  });

  test('starts with the last approval, in the same commit', () => {
    const turns = waiting(2);
    turns.submitBy(approve('bob'));
    const events = turns.submitBy(approve('eve'));
    assert.deepEqual(
      events.slice(0, 2).map(({ kind }) => kind),
      ['deployment.approved', 'deployment.started'],
    );
    assert.equal(turns.state.status, 'running');
    assert.equal(turns.state.reason, '');
    assert.ok(turns.tasks.size > 0);
    turns.finish();
    assert.equal(turns.state.status, 'succeeded');
  });

  test('starts once, whatever comes behind the last approval', () => {
    const turns = waiting(1);
    turns.submitBy(approve('bob'), approve('eve'), promote);
    assert.equal(turns.kinds().filter((kind) => kind === 'deployment.started').length, 1);
    assert.deepEqual(refusals(turns), ['it does not wait for approvals', 'it does not wait for approvals']);
  });

  test('does not count who asked for it', () => {
    const turns = waiting(1);
    turns.submitBy(approve('ann'));
    assert.equal(turns.state.status, 'pending');
    assert.deepEqual(refusals(turns), ['who has asked for it cannot approve it']);
  });

  test('counts a person once, in one lot and in two', () => {
    const turns = waiting(3);
    turns.submitBy(approve('bob'), approve('bob'));
    turns.submitBy(approve('bob'));
    assert.equal(turns.state.status, 'pending');
    assert.deepEqual(turns.state.approvedBy, ['bob']);
    assert.equal(refusals(turns).length, 2);
  });

  test('does not count the approval of another plan', () => {
    const turns = waiting(1);
    turns.submitBy(approve('bob', OTHER));
    assert.equal(turns.state.status, 'pending');
    assert.deepEqual(refusals(turns), ['its plan is another one']);
  });

  test('is let past its approvals by who promotes it, and the log says who and why', () => {
    const turns = waiting(2);
    const [promoted, started] = turns.submitBy(promote);
    assert.deepEqual(promoted, { kind: 'deployment.promoted', by: 'root', reason: 'the shop is down' });
    assert.equal(started?.kind, 'deployment.started');
    assert.ok(turns.tasks.size > 0);
  });

  test('aborts by itself once it has waited for as long as it may', () => {
    const turns = waiting(1);
    assert.equal(turns.last?.wakeAt, turns.now + LIMIT_MS);
    turns.now += LIMIT_MS - 1;
    turns.submit();
    assert.equal(turns.state.status, 'pending');
    turns.now += 1;
    turns.submit();
    assert.equal(turns.state.status, 'aborted');
    assert.equal(turns.state.reason, 'nobody decided in time: waits for 1 approval');
    assert.equal(turns.started.length, 0);
  });

  test('does not start by an approval that is dealt with after that time', () => {
    for (const late of [approve('bob'), promote]) {
      const turns = waiting(1);
      turns.now += LIMIT_MS;
      turns.submitBy(late);
      assert.equal(turns.state.status, 'aborted');
      assert.equal(turns.started.length, 0);
    }
  });

  test('has no end of its own any more once it has started', () => {
    const turns = waiting(1);
    turns.submitBy(approve('bob'));
    turns.now += LIMIT_MS;
    turns.submit();
    assert.equal(turns.state.status, 'running');
    assert.equal(turns.last?.wakeAt, null);
  });

  test('can be aborted, and nothing approves it then', () => {
    const turns = waiting(1);
    turns.submitBy({ by: 'bob', kind: 'abort', reason: 'the plan is wrong' }, approve('eve'), promote);
    assert.equal(turns.state.status, 'aborted');
    assert.equal(turns.state.reason, 'the plan is wrong');
    assert.equal(turns.started.length, 0);
    assert.equal(refusals(turns).length, 2);
  });

  test('stays as it was read: no verb but those that decide on its start is obeyed', () => {
    const turns = waiting(1);
    turns.operator('pause');
    turns.operator('resume');
    turns.operator('rollback');
    turns.ofTarget('skip', 0);
    turns.ofTarget('retry', 0);
    assert.deepEqual(
      refusals(turns),
      Array.from({ length: 5 }, () => 'it waits for approvals, and nothing of it has begun'),
    );
    assert.equal(turns.state.status, 'pending');
    assert.deepEqual(turns.replayed(), turns.state);
  });

  test('takes an approval that is there before its first turn', () => {
    const turns = waiting(1, [{ kind: 'promote', reason: 'at once' }]);
    assert.equal(turns.state.status, 'running');
    assert.ok(!turns.kinds().includes('approvals.asked'));
  });

  test('is the same to who reads the log', () => {
    const turns = waiting(2);
    turns.submitBy(approve('bob'));
    assert.deepEqual(turns.replayed(), turns.state);
    turns.submitBy(approve('eve'));
    assert.deepEqual(turns.replayed(), turns.state);
  });
});

describe('what an approved plan was made from', () => {
  test('is compared in the commit of every approval and promotion, and in no other', () => {
    const turns = waiting(2);
    assert.equal(turns.last?.madeFrom, undefined);
    turns.submitBy(approve('bob'));
    assert.deepEqual(turns.last?.madeFrom, MADE_FROM);
    turns.submitBy(approve('bob'));
    assert.equal(turns.last?.madeFrom, undefined);
    turns.submitBy(approve('eve'));
    assert.deepEqual(turns.last?.madeFrom, MADE_FROM);
    turns.finish();
    assert.equal(turns.last?.madeFrom, undefined);
    const promoted = waiting(2);
    promoted.submitBy(promote);
    assert.deepEqual(promoted.last?.madeFrom, MADE_FROM);
  });

  test('voids the approvals once it has changed: none counts any more, and nobody promotes it', () => {
    const turns = waiting(2);
    turns.submitBy(approve('bob'));
    turns.changed = MADE_FROM;
    turns.submitBy(approve('eve'), promote);
    assert.equal(turns.state.status, 'pending');
    const why = 'environment prod changed after the plan was made; abort it and deploy again';
    assert.deepEqual(refusals(turns), [why, why]);
  });
});

test('a deployment that needs no approval refuses one, and goes on', () => {
  const turns = new Turns(samplePlan({ batches: [[0]] }));
  turns.submitBy(approve('bob'), promote);
  assert.equal(refusals(turns).length, 2);
  turns.finish();
  assert.equal(turns.state.status, 'succeeded');
});
