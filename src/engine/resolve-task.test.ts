import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GUARDED, memberOf, samplePlan, step } from '../../test/support/sample-plan.ts';
import { Turns } from '../../test/support/turns.ts';
import { deploymentId } from '../domain/ids.ts';

const policy = { onFailure: { health: 'pause', other: 'pause' } } as const;
const failed = {
  kind: 'failed',
  error: { code: 'command_failed', message: 'exit 3' },
  retryable: false,
} as const;
const unknown = { kind: 'unknown', seen: 'the host was gone' } as const;
const STEPS = ['guard', 'drain', 'start', 'enable', 'settle'];

/** A deployment whose first target has ended badly at a step. */
function endedAt(id: string, outcome: typeof failed | typeof unknown, steps = GUARDED): Turns {
  const turns = new Turns(samplePlan({ batches: [[0, 1], [2]], policy, steps }));
  for (let n = 0; n < steps.findIndex((one) => one.id === id); n += 1) turns.report(0);
  turns.report(0, outcome);
  return turns;
}

const whyRefused = (turns: Turns): string | undefined => {
  const last = turns.events.at(-1);
  return last?.kind === 'command.refused' ? last.why : undefined;
};

describe("a step's result that is set by hand", () => {
  test('as succeeded goes on with the next step, in the same attempt group, and is in the record with who and why', () => {
    const turns = endedAt('start', failed);
    const events = turns.resolve(0, 'succeeded');
    assert.deepEqual(events[0], {
      ...{ kind: 'task.resolved', target: 0, step: 2, group: 0, as: 'succeeded' },
      ...{ by: 'ann', reason: 'because' },
    });
    assert.deepEqual([turns.target(0).status, turns.taskOf(0)?.id], ['running', 'd1/0/3/0']);
    turns.operator('resume');
    turns.finish();
    const { status, exceptions, counts } = turns.state;
    assert.deepEqual([status, exceptions, counts.succeeded], ['succeeded', 0, 3]);
    assert.deepEqual(turns.replayed(), turns.state);
  });

  test('its members are not parked any more while it goes on, and are returned as they were found', () => {
    const turns = endedAt('start', failed);
    assert.deepEqual(
      [...turns.holds.values()].map(({ phase }) => phase),
      ['parked'],
    );
    turns.resolve(0, 'succeeded');
    assert.deepEqual(
      [...turns.holds.values()].map(({ phase }) => phase),
      ['taken'],
    );
    assert.deepEqual(turns.taskOf(0)?.inputs, {
      members: [{ ...memberOf(0), asFound: { session: 'user-enabled', weight: 0 } }],
    });
  });

  test('in the lot of the failure itself leaves its members taken', () => {
    const turns = new Turns(samplePlan({ batches: [[0]], policy }));
    turns.report(0);
    turns.report(0);
    const task = turns.taskOf(0)?.id;
    assert.ok(task);
    turns.submit(turns.reportOf(0, failed), {
      ...{ kind: 'resolve', task, as: 'succeeded', ended: true, reason: 'because' },
    });
    assert.deepEqual(
      [...turns.holds.values()].map(({ phase }) => phase),
      ['taken'],
    );
    turns.finish();
    assert.equal(turns.holds.size, 0);
  });

  test('of the last step ends its target', () => {
    const turns = endedAt('settle', failed);
    turns.resolve(0, 'succeeded');
    assert.equal(turns.target(0).status, 'succeeded');
    assert.deepEqual(
      turns.last?.placed.map(({ target }) => target),
      ['web-0'],
    );
    assert.deepEqual(turns.last?.unproven, []);
  });

  test('as failed ends what is not known of it, spends no more budget, and may still be changed to succeeded', () => {
    const turns = endedAt('start', unknown);
    turns.resolve(0, 'failed', { ended: false });
    assert.equal(turns.target(0).status, 'failed');
    assert.deepEqual([turns.state.failures, turns.state.counts.failed], [1, 1]);
    turns.resolve(0, 'failed');
    assert.match(whyRefused(turns) ?? '', /the target is failed/);
    turns.resolve(0, 'succeeded', { ended: false });
    assert.match(whyRefused(turns) ?? '', /may still run/);
    turns.resolve(0, 'succeeded');
    assert.equal(turns.target(0).status, 'running');
  });

  test('is refused while the step runs, and of one that may still run until somebody has seen that it does not', () => {
    const turns = endedAt('start', unknown);
    turns.resolve(1, 'succeeded');
    assert.match(whyRefused(turns) ?? '', /the target is running/);
    turns.resolve(0, 'succeeded', { ended: false });
    assert.match(whyRefused(turns) ?? '', /may still run/);
    turns.resolve(0, 'succeeded');
    assert.equal(turns.target(0).status, 'running');
  });

  test('is refused as succeeded where nobody has proved that the worker let go of it', () => {
    const turns = new Turns(samplePlan({ batches: [[0]], policy }));
    turns.report(0);
    turns.report(0);
    for (const ms of [61_000, 121_000]) {
      turns.now += ms;
      turns.submit();
    }
    assert.equal(turns.target(0).status, 'unknown');
    turns.resolve(0, 'succeeded');
    assert.match(whyRefused(turns) ?? '', /nobody has proved/);
    turns.ofTarget('retry', 0);
    turns.report(0);
    turns.report(0);
    turns.report(0, failed);
    turns.resolve(0, 'succeeded');
    assert.equal(turns.taskOf(0)?.step, 'enable');
  });

  test('of an older attempt, or of another step, is refused', () => {
    const turns = endedAt('start', failed);
    const task = turns.started.findLast((id) => id === 'd1/0/2/0');
    assert.ok(task);
    turns.ofTarget('retry', 0);
    turns.report(0);
    turns.report(0);
    turns.report(0, failed);
    turns.resolve(0, 'succeeded', { task });
    assert.match(whyRefused(turns) ?? '', /worked on since/);
    assert.equal(turns.target(0).status, 'failed');
  });

  for (const id of ['guard', 'enable'])
    test(`of ${id} is refused: what is in service is what balancers show`, () => {
      const turns = endedAt(id, failed);
      turns.resolve(0, 'succeeded');
      assert.match(whyRefused(turns) ?? '', /what balancers show/);
      assert.equal(turns.target(0).status, 'failed');
    });

  test('is refused where a later step needs what it would have said; what earlier ones have said is kept', () => {
    const steps = [
      step('look'),
      step('build'),
      step('use', {
        inputs: { size: { from: 'build', output: 'bytes' }, all: { from: 'look', output: 'n' } },
      }),
    ];
    const turns = new Turns(samplePlan({ batches: [[0]], steps, policy }));
    turns.report(0, { kind: 'done', outputs: { n: 1 } });
    turns.report(0, failed);
    turns.resolve(0, 'succeeded');
    assert.match(whyRefused(turns) ?? '', /a later step needs/);
    const more = [step('look'), step('other'), step('use', { inputs: { n: { from: 'look', output: 'n' } } })];
    const kept = new Turns(samplePlan({ batches: [[0]], steps: more, policy }));
    kept.report(0, { kind: 'done', outputs: { n: 1 } });
    kept.report(0, failed);
    kept.resolve(0, 'succeeded');
    assert.deepEqual(kept.taskOf(0)?.inputs, { n: 1 });
  });

  test('is refused when another deployment has taken its members since', () => {
    const turns = endedAt('start', failed);
    for (const [key, hold] of turns.holds)
      turns.holds.set(key, { ...hold, deployment: deploymentId('other'), phase: 'taken' });
    turns.resolve(0, 'succeeded');
    assert.match(whyRefused(turns) ?? '', /another deployment/);
  });

  test('is refused while the deployment stops, and when the batch is over', () => {
    const turns = endedAt('drain', failed);
    turns.operator('resume');
    for (const _ of STEPS) turns.report(1);
    turns.resolve(0, 'succeeded');
    assert.match(whyRefused(turns) ?? '', /batch is over/);
    const stopping = endedAt('drain', failed);
    stopping.operator('abort');
    stopping.resolve(0, 'succeeded');
    assert.match(whyRefused(stopping) ?? '', /stopping/);
  });

  test('of a check is shown: the target is an exception, unproven, and the deployment ends unverified', () => {
    const steps = GUARDED.map((one) => (one.id === 'start' ? { ...one, action: 'health.verify@1' } : one));
    const turns = endedAt('start', failed, steps);
    turns.resolve(0, 'succeeded');
    turns.report(0);
    turns.report(0);
    assert.deepEqual(turns.last?.unproven, ['web-0']);
    assert.deepEqual(
      turns.last?.placed.map(({ target }) => target),
      ['web-0'],
    );
    turns.operator('resume');
    turns.finish();
    const end = turns.events.at(-1);
    assert.ok(end?.kind === 'deployment.ended');
    assert.deepEqual([end.status, end.exceptions, end.notes], ['succeeded', 1, ['unverified']]);
  });
});

describe('a target that is left out', () => {
  const skipped = (turns: Turns) =>
    turns.events.flatMap((event) => (event.kind === 'target.skipped' ? [event] : []));
  const because = { kind: 'target.skipped', by: 'ann', reason: 'because' } as const;

  test('before it has begun, also in a later batch, is never worked on, and the others go on', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1, 2]] }));
    turns.ofTarget('skip', 2);
    turns.finish();
    assert.deepEqual(skipped(turns), [{ ...because, target: 2, parked: false }]);
    assert.ok(!turns.started.some((id) => id.startsWith('d1/2/')));
    assert.deepEqual([turns.state.status, turns.state.exceptions], ['succeeded', 1]);
  });

  test('while its step runs is ended, with proof, then parked; the others go on', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1], [2]] }));
    turns.report(0);
    turns.report(0);
    turns.ofTarget('skip', 0);
    assert.equal(turns.taskOf(0)?.cancel, true);
    assert.deepEqual([turns.target(0).status, skipped(turns)], ['running', []]);
    turns.report(0, { ...failed, error: { code: 'task_cancelled', message: 'gone', cause: 'cancelled' } });
    assert.deepEqual(skipped(turns), [{ ...because, target: 0, parked: true }]);
    assert.deepEqual(turns.last?.unproven, ['web-0']);
    turns.finish();
    assert.deepEqual([turns.state.status, turns.state.counts.skipped], ['succeeded', 1]);
    assert.deepEqual(
      [...turns.holds.values()].map(({ phase, reason }) => [phase, reason]),
      [['parked', 'because']],
    );
  });

  test('while a step runs that is done all the same goes no further, and takes no capacity', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.ofTarget('skip', 0);
    turns.report(0);
    assert.deepEqual([turns.holds.size, skipped(turns)], [0, [{ ...because, target: 0, parked: false }]]);
    assert.equal(turns.started.length, 1);
  });

  test('while its last step runs is done, if that step is done', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    for (const _ of STEPS.slice(1)) turns.report(0);
    turns.ofTarget('skip', 0);
    turns.report(0);
    assert.equal(turns.target(0).status, 'succeeded');
  });

  test('while its step runs is unknown, and asked about, if nobody can prove that it ended', () => {
    const turns = new Turns(samplePlan({ batches: [[0]], policy }));
    turns.report(0);
    turns.report(0);
    turns.ofTarget('skip', 0);
    turns.ofTarget('skip', 0);
    assert.match(whyRefused(turns) ?? '', /being left out/);
    turns.report(0, unknown);
    assert.deepEqual([turns.target(0).status, turns.state.status], ['unknown', 'paused']);
    turns.ofTarget('skip', 0);
    assert.deepEqual(skipped(turns), [{ ...because, target: 0, parked: true }]);
  });

  test('after it failed spends no more budget, and the deployment goes on when it is resumed', () => {
    const turns = endedAt('start', failed);
    turns.ofTarget('skip', 0);
    turns.operator('resume');
    turns.finish();
    assert.deepEqual([turns.state.status, turns.state.counts.skipped], ['succeeded', 1]);
  });

  test('is not tried again by the engine itself', () => {
    const steps = [step('start', { retries: { max: 3, backoffMs: 1_000 }, onUnknown: 'retry' })];
    for (const outcome of [{ ...failed, retryable: true }, unknown]) {
      const turns = new Turns(samplePlan({ batches: [[0]], steps, policy }));
      turns.ofTarget('skip', 0);
      turns.report(0, outcome);
      assert.ok(!turns.kinds().includes('task.retried'));
    }
  });
});
