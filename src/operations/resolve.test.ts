import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { ClaimedTask } from '../ports/task-board.ts';

type Bad = 'failed' | 'unknown';
const at = (step: string, how: Bad) => (task: ClaimedTask) => {
  if (task.target !== 'web-2' || task.step !== step) return undefined;
  if (how === 'unknown') return { kind: 'unknown', seen: 'the host was gone' } as const;
  const error = { code: 'command_failed', message: 'exit status 3', cause: 'command' } as const;
  return { kind: 'failed', error, retryable: false } as const;
};

/** A deployment that is paused, since its second target ended badly at a step. */
async function stuck(edge: EdgeApi, step: string, how: Bad = 'failed'): Promise<DeploymentId> {
  await edge.configure(4);
  const id = await edge.deploy('2.0.0');
  await edge.work(at(step, how));
  return id;
}

const second = async ({ admin }: EdgeApi, deployment: DeploymentId) =>
  (await admin.deployment({ deployment })).view.targets[1];

describe("a step's result set by hand with a reason", () => {
  test(
    'as succeeded goes on behind the step, and the record says who and why',
    withEdgeApi(async (edge) => {
      const deployment = await stuck(edge, 'start');
      const one = { deployment, target: 'web-2' };
      await edge.admin.resolveTarget({
        ...one,
        as: 'succeeded',
        step: 'start',
        reason: 'started it by hand',
      });
      await edge.admin.resume({ deployment, reason: 'go on' });
      await edge.work();
      const { deployment: row, view } = await edge.admin.deployment({ deployment });
      assert.deepEqual([row.status, row.exceptions, view.overall.counts.succeeded], ['succeeded', 0, 4]);
      const byHand = 'start set to succeeded by first: started it by hand';
      assert.deepEqual([view.targets[1]?.status, view.targets[1]?.byHand], ['succeeded', byHand]);
      const { events } = await edge.admin.deploymentEvents({ deployment });
      const [event] = events.flatMap(({ event: each }) => (each.kind === 'task.resolved' ? [each] : []));
      assert.deepEqual(event, {
        ...{ kind: 'task.resolved', target: 1, step: 5, group: 0 },
        ...{ as: 'succeeded', by: 'first', reason: 'started it by hand' },
      });
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'needs a reason, and a permission of its own; of a check one more, and the end shows that nobody verified it',
    withEdgeApi(async (edge) => {
      const deployment = await stuck(edge, 'verify');
      const one = { deployment, target: 'web-2', as: 'succeeded', reason: 'the probe is wrong' } as const;
      await assert.rejects(edge.admin.resolveTarget({ ...one, reason: ' ' }), { code: 'request_invalid' });
      const viewer = edge.client(await edge.token('view'));
      await assert.rejects(viewer.resolveTarget(one), { code: 'permission_denied' });
      const deployer = edge.client(await edge.token('deploy'));
      await assert.rejects(deployer.resolveTarget(one), /target\.vouch/);
      await edge.admin.resolveTarget(one);
      await edge.admin.resume({ deployment, reason: 'go on' });
      await edge.work();
      const { deployment: row, view } = await edge.admin.deployment({ deployment });
      assert.deepEqual([row.status, row.exceptions, view.overall.notes], ['succeeded', 1, ['unverified']]);
      const next = await edge.admin.plan({ project: 'web', environment: 'production', version: '2.0.0' });
      assert.deepEqual(
        next.plan.targets.map(({ name }) => name),
        ['web-2'],
      );
    }),
  );

  test(
    'of what is unknown needs that somebody has seen its end; as failed it needs nothing',
    withEdgeApi(async (edge) => {
      const deployment = await stuck(edge, 'stop', 'unknown');
      const one = { deployment, target: 'web-2', reason: 'looked' };
      assert.equal((await second(edge, deployment))?.mayRun, true);
      await assert.rejects(edge.admin.resolveTarget({ ...one, as: 'succeeded' }), /may still run/);
      await edge.admin.resolveTarget({ ...one, as: 'failed' });
      await edge.drive();
      assert.equal((await second(edge, deployment))?.status, 'failed');
      await assert.rejects(edge.admin.resolveTarget({ ...one, as: 'failed' }), { code: 'verb_refused' });
      await edge.admin.resolveTarget({ ...one, as: 'succeeded', ended: true });
      await edge.work();
      assert.equal((await second(edge, deployment))?.status, 'succeeded');
    }),
  );

  test(
    'is refused for what a balancer shows, for another step, and for what has not ended badly',
    withEdgeApi(async (edge) => {
      const deployment = await stuck(edge, 'enable');
      const one = { deployment, target: 'web-2', as: 'succeeded', reason: 'looked' } as const;
      await assert.rejects(edge.admin.resolveTarget(one), /what balancers show/);
      await assert.rejects(edge.admin.resolveTarget({ ...one, step: 'start' }), /ended at the step enable/);
      await assert.rejects(edge.admin.resolveTarget({ ...one, target: 'web-1' }), /is succeeded/);
      await assert.rejects(edge.admin.resolveTarget({ ...one, target: 'web-9' }), { code: 'target_unknown' });
    }),
  );
});

describe('one target is excluded, and the deployment goes on', () => {
  test(
    'before it has started, also of a later batch, while it runs, and after it failed',
    withEdgeApi(async (edge) => {
      const deployment = await stuck(edge, 'start');
      const skip = (target: string) => edge.admin.skipTarget({ deployment, target, reason: `not ${target}` });
      await skip('web-2');
      await skip('web-4');
      await edge.admin.resume({ deployment, reason: 'go on' });
      await edge.drive();
      const { view: running } = await edge.admin.deployment({ deployment });
      assert.equal(running.targets[2]?.status, 'running');
      await skip('web-3');
      await edge.work();
      const { deployment: row, view } = await edge.admin.deployment({ deployment });
      assert.deepEqual(
        view.targets.map(({ status, reason }) => [status, reason]),
        [
          ['succeeded', null],
          ['skipped', 'skipped by first: not web-2'],
          ['skipped', 'skipped by first: not web-3'],
          ['skipped', 'skipped by first: not web-4'],
        ],
      );
      assert.deepEqual([row.status, row.exceptions], ['succeeded', 3]);
      assert.deepEqual(edge.faults, []);
    }),
  );
});
