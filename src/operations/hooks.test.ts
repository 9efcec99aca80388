import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { environment, projectEnvironment, targets } from '../../test/fixtures/configuration.ts';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { ClaimedTask } from '../ports/task-board.ts';

const PLACE = { project: 'web', environment: 'production' } as const;
const because = { reason: 'because' };
const PLACES = [
  ...['before-deployment', 'after-deployment', 'before-stage', 'after-stage'],
  ...['before-batch', 'after-batch', 'on-failure', 'always'],
] as const;

const hook = (at: string, more: Readonly<Record<string, unknown>> = {}) => ({
  ...{ id: at, at, action: 'host.run@1', with: { argv: ['echo', at] } },
  ...more,
});
const EACH = PLACES.map((at) => hook(at));

/** Four targets in batches of two, one zone; targets that come last are none. */
async function configured(
  edge: EdgeApi,
  hooks: readonly object[] = EACH,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await edge.configure(4);
  const documents = [
    environment(more),
    projectEnvironment({ targets: targets(4), strategy: { canary: 0, batches: 2, settleMs: 0, hooks } }),
  ];
  await edge.admin.applyConfiguration({
    files: documents.map((document, n) => ({ path: `${n}.yaml`, text: JSON.stringify(document) })),
  });
}

/** What was worked on, in order: hooks by their names, and each step of the cycle that began. */
async function worked(
  edge: EdgeApi,
  outcome: Parameters<EdgeApi['work']>[0] = () => undefined,
): Promise<readonly string[]> {
  const seen: string[] = [];
  await edge.work((task) => {
    if (task.target.startsWith('hook:')) seen.push(task.target);
    else if (task.step === 'stop') seen.push(task.target);
    return outcome(task);
  });
  return seen;
}

const failing =
  (target: string, step?: string) =>
  (task: ClaimedTask): ReturnType<NonNullable<Parameters<EdgeApi['work']>[0]>> =>
    task.target === target && (step === undefined || task.step === step)
      ? { kind: 'failed', error: { code: 'command_failed', message: 'it exited with 1' }, retryable: false }
      : undefined;

const overallOf = async ({ admin }: EdgeApi, deployment: DeploymentId) =>
  (await admin.deployment({ deployment })).view.overall;

describe('hooks', () => {
  test(
    'run around the deployment, its stages and its batches, in their order',
    withEdgeApi(async (edge) => {
      await configured(edge);
      const deployment = await edge.deploy('2.0.0');
      assert.deepEqual(await worked(edge), [
        ...['hook:before-deployment', 'hook:before-stage'],
        ...['hook:before-batch', 'web-1', 'web-2', 'hook:after-batch'],
        ...['hook:before-batch:2', 'web-3', 'web-4', 'hook:after-batch:2'],
        ...['hook:after-stage', 'hook:after-deployment', 'hook:always'],
      ]);
      const { status, counts, exceptions, notes } = await overallOf(edge, deployment);
      assert.deepEqual({ status, exceptions, notes }, { status: 'succeeded', exceptions: 0, notes: [] });
      assert.deepEqual(counts, { total: 4, succeeded: 4, failed: 0, skipped: 0, active: 0 });
      const row = (await edge.admin.deployment({ deployment })).deployment;
      assert.deepEqual(row.counts, counts);
      const { targets: fleet } = await edge.store.views.fleet(PLACE);
      assert.deepEqual(fleet.map(({ target }) => target).toSorted(), ['web-1', 'web-2', 'web-3', 'web-4']);
      assert.deepEqual(edge.faults, []);
    }),
  );
  test(
    'of a deployment that fails and rolls back are done by the rollback, at its end',
    withEdgeApi(async (edge) => {
      await configured(edge, EACH, { policy: { onFailure: { other: 'rollback' } } });
      await edge.deploy('1.0.0');
      await edge.work();
      const deployment = await edge.deploy('2.0.0');
      const seen = await worked(edge, (task) =>
        task.task.startsWith(deployment) ? failing('web-1', 'start')(task) : undefined,
      );
      assert.deepEqual(seen, [
        ...['hook:before-deployment', 'hook:before-stage', 'hook:before-batch', 'web-1', 'web-2'],
        ...['web-1', 'web-2', 'hook:on-failure', 'hook:always'],
      ]);
      const { status, rollback } = await overallOf(edge, deployment);
      assert.equal(status, 'failed');
      const back = await overallOf(edge, rollback as DeploymentId);
      assert.deepEqual([back.status, back.counts.total], ['succeeded', 2]);
      assert.deepEqual(edge.faults, []);
    }),
  );
  test(
    'of a deployment that fails with nothing to return to are done by itself',
    withEdgeApi(async (edge) => {
      await configured(edge, EACH, { policy: { onFailure: { other: 'rollback' } } });
      const deployment = await edge.deploy('1.0.0');
      const seen = await worked(edge, failing('web-1', 'start'));
      assert.deepEqual(seen.slice(-4), ['web-1', 'web-2', 'hook:on-failure', 'hook:always']);
      const { status, counts, exceptions } = await overallOf(edge, deployment);
      assert.deepEqual([status, counts.failed, counts.total, exceptions], ['failed', 2, 4, 4]);
    }),
  );
  test(
    'that fail stop the deployment before anything is touched, whatever its budget of failures',
    withEdgeApi(async (edge) => {
      await configured(edge, EACH, { policy: { onFailure: { other: 'pause' } } });
      const deployment = await edge.deploy('1.0.0');
      assert.deepEqual(await worked(edge, failing('hook:before-deployment')), ['hook:before-deployment']);
      const { status, reason } = await overallOf(edge, deployment);
      assert.equal(status, 'paused');
      assert.match(reason, /a hook has failed; hook:before-deployment: it exited with 1/);
      await edge.admin.retryTarget({ deployment, target: 'hook:before-deployment', ...because });
      await edge.admin.resume({ deployment, ...because });
      await edge.work();
      assert.equal((await overallOf(edge, deployment)).status, 'succeeded');
      assert.deepEqual(edge.faults, []);
    }),
  );
  test(
    'that fail while the deployment is paused let nobody go on without them: they are tried again, or left out by name',
    withEdgeApi(async (edge) => {
      await configured(edge, EACH, { policy: { onFailure: { other: 'abort' } } });
      const deployment = await edge.deploy('1.0.0');
      await edge.drive();
      await edge.admin.pause({ deployment, reason: 'lunch' });
      await edge.work(failing('hook:before-deployment'));
      await edge.admin.resume({ deployment, ...because });
      assert.deepEqual(await worked(edge), []);
      const { events } = await edge.admin.deploymentEvents({ deployment, after: 0 });
      assert.match(
        JSON.stringify(events.at(-1)?.event),
        /command.refused.*resume.*hook:before-deployment is not done; retry it, or skip it/,
      );
      await edge.admin.skipTarget({ deployment, target: 'hook:before-deployment', ...because });
      await edge.admin.resume({ deployment, ...because });
      await edge.work();
      const { status, exceptions, notes } = await overallOf(edge, deployment);
      assert.deepEqual(
        { status, exceptions, notes },
        { status: 'succeeded', exceptions: 1, notes: ['not done: hook:before-deployment'] },
      );
      assert.deepEqual(edge.faults, []);
    }),
  );
  test(
    'at the end are left to a rollback that somebody asks for meanwhile, which waits for none of them',
    withEdgeApi(async (edge) => {
      await configured(edge, [hook('always'), hook('always', { id: 'again' })]);
      await edge.deploy('1.0.0');
      await edge.work();
      const deployment = await edge.deploy('2.0.0');
      await edge.work((task) => (task.target.startsWith('hook:') ? 'open' : undefined));
      await edge.admin.rollback({ deployment, ...because });
      await edge.drive();
      const { view } = await edge.admin.deployment({ deployment });
      assert.match(view.targets.find(({ name }) => name === 'hook:always')?.reason ?? '', /is being ended/);
      assert.equal(view.targets.find(({ name }) => name === 'hook:again')?.status, 'pending');
      // Nobody proves that it has ended: that is awaited no longer than for any task.
      edge.time.now += 600_000;
      const hooks = (await worked(edge)).filter((name) => name.startsWith('hook:'));
      assert.deepEqual(hooks, ['hook:always', 'hook:again']);
      const { status, rollback } = await overallOf(edge, deployment);
      assert.equal(status, 'failed');
      assert.equal((await overallOf(edge, rollback as DeploymentId)).status, 'succeeded');
    }),
  );
  test(
    'at the end run after an abort too, and one of them that fails is told of and changes nothing',
    withEdgeApi(async (edge) => {
      await configured(edge);
      const deployment = await edge.deploy('1.0.0');
      await edge.drive();
      await edge.admin.abort({ deployment, reason: 'not today' });
      const seen = await worked(edge, failing('hook:on-failure'));
      assert.deepEqual(seen, ['hook:before-deployment', 'hook:on-failure', 'hook:always']);
      const { status, reason, notes } = await overallOf(edge, deployment);
      assert.deepEqual([status, reason, notes], ['aborted', 'not today', ['not done: hook:on-failure']]);
    }),
  );
  test(
    'that run at the end are each ended by an abort of their own',
    withEdgeApi(async (edge) => {
      await configured(edge, [hook('always')]);
      const deployment = await edge.deploy('1.0.0');
      await edge.work((task) => (task.target === 'web-1' ? failing('web-1')(task) : undefined));
      await edge.admin.abort({ deployment, reason: 'not today' });
      await edge.drive();
      await edge.admin.abort({ deployment, reason: 'nor this' });
      await edge.drive();
      const { view } = await edge.admin.deployment({ deployment });
      assert.match(view.targets.at(-1)?.reason ?? '', /is being ended/);
      assert.equal(view.overall.status, 'running');
    }),
  );
  test(
    'are none of a deployment that is aborted before it began: nobody may have approved them',
    withEdgeApi(async (edge) => {
      await configured(edge, EACH, { policy: { approvals: { count: 1 } } });
      const deployment = await edge.deploy('1.0.0');
      await edge.drive();
      await edge.admin.abort({ deployment, reason: 'not today' });
      assert.deepEqual(await worked(edge), []);
      assert.equal((await overallOf(edge, deployment)).status, 'aborted');
    }),
  );
  test(
    'are of the kinds of deployment, and on the host, that they name',
    withEdgeApi(async (edge) => {
      await configured(edge, [
        hook('before-deployment', { on: 'web-3', verbs: ['restart'] }),
        hook('always', { verbs: ['deploy'] }),
      ]);
      await edge.deploy('1.0.0');
      await edge.work();
      await edge.admin.deploy({ ...PLACE, verb: 'restart', ...because });
      const inputs: unknown[] = [];
      await edge.work((task) => {
        if (task.target.startsWith('hook:'))
          inputs.push([task.target, (task.inputs.host as { address: string }).address]);
        return undefined;
      });
      assert.deepEqual(inputs, [['hook:before-deployment', '10.0.0.3']]);
    }),
  );
  test(
    'are refused where they name what is not there, read what others give, or ask a balancer',
    withEdgeApi(async (edge) => {
      const refused = async (one: object) => {
        const thrown: unknown = await configured(edge, [one]).then(
          () => undefined,
          (error: unknown) => error,
        );
        return String((thrown as Error | undefined)?.message);
      };
      assert.match(await refused({ id: 'a', at: 'always', script: 'none' }), /no script "none"/);
      assert.match(
        await refused(hook('always', { with: { argv: { from: 'x', output: 'y' } } })),
        /reads no output/,
      );
      assert.match(
        await refused(hook('always', { action: 'health.verify@1', with: { check: { kind: 'balancer' } } })),
        /cannot ask a balancer/,
      );
      await configured(edge, [hook('always', { on: 'web-9' })]);
      await assert.rejects(edge.deploy('1.0.0'), { code: 'target_unknown' });
    }),
  );
});
