import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { environment, project, projectEnvironment, targets } from '../../test/fixtures/configuration.ts';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { FailureCause } from '../domain/outcome.ts';
import type { ClaimedTask } from '../ports/task-board.ts';

const JUDGE = 'judge:canary';
const because = { reason: 'because' };
const metrics = { prometheus: { kind: 'prometheus', url: 'https://prometheus.example.net' } };
const analysis = { metrics: [{ name: 'errors', source: 'prometheus', query: 'errors' }] };

/** Four targets, of which one is the canary, on release 1.0.0; whoever judges is played. */
async function configured(edge: EdgeApi, onFailure: object = {}): Promise<void> {
  await edge.configure(4);
  const documents = [
    project({ analysis }),
    environment({ metrics, policy: { onFailure } }),
    projectEnvironment({ targets: targets(4), strategy: { batches: 3, settleMs: 0 } }),
  ];
  await edge.admin.applyConfiguration({
    files: documents.map((document, n) => ({ path: `${n}.yaml`, text: JSON.stringify(document) })),
  });
  await edge.deploy('1.0.0');
  await edge.work();
}

const saying =
  (cause: FailureCause, deployment?: DeploymentId) =>
  (task: ClaimedTask): ReturnType<NonNullable<Parameters<EdgeApi['work']>[0]>> =>
    task.target === JUDGE && (deployment === undefined || task.deployment === deployment)
      ? {
          kind: 'failed',
          error: { code: 'command_failed', message: 'errors is 9 times that of the baseline', cause },
          retryable: false,
        }
      : undefined;

/** What was worked on, in order: the judge, and each target that was stopped. */
async function worked(edge: EdgeApi, outcome: Parameters<EdgeApi['work']>[0] = () => undefined) {
  const seen: string[] = [];
  await edge.work((task) => {
    if (task.target === JUDGE || task.step === 'stop') seen.push(task.target);
    return outcome(task);
  });
  return seen;
}

const overallOf = async ({ admin }: EdgeApi, deployment: DeploymentId) =>
  (await admin.deployment({ deployment })).view.overall;

describe('a canary that is judged', () => {
  test(
    'goes on to the other targets once it has passed, and none of them is begun before; it is counted nowhere',
    withEdgeApi(async (edge) => {
      await configured(edge);
      const deployment = await edge.deploy('2.0.0');
      const inputs: unknown[] = [];
      const seen = await worked(edge, (task) => {
        if (task.target === JUDGE) inputs.push(task.inputs);
        return undefined;
      });
      assert.deepEqual(seen, ['web-1', JUDGE, 'web-2', 'web-3', 'web-4']);
      const { status, counts, exceptions } = await overallOf(edge, deployment);
      assert.deepEqual([status, counts.total, counts.succeeded, exceptions], ['succeeded', 4, 4, 0]);
      const [given] = inputs as [{ since: number; until: number; pairs: unknown; goOn: unknown }];
      assert.deepEqual([given.since, given.until], [edge.time.now, edge.time.now]);
      assert.deepEqual(given.goOn, []);
      const server = (name: string, address: string) => ({ name, address, port: 8080, zone: 'default' });
      assert.deepEqual(given.pairs, [
        { canary: server('web-1', '10.0.0.1'), baseline: server('web-4', '10.0.0.4') },
      ]);
      assert.deepEqual(edge.faults, []);
    }),
  );
  test(
    'is rolled back where it is worse, and nothing else was touched',
    withEdgeApi(async (edge) => {
      await configured(edge);
      const deployment = await edge.deploy('2.0.0');
      assert.deepEqual(await worked(edge, saying('canary')), ['web-1', JUDGE, 'web-1']);
      const { status, reason, rollback } = await overallOf(edge, deployment);
      assert.equal(status, 'failed');
      assert.match(reason, /the canary is worse; judge:canary: errors is 9 times that of the baseline/);
      const back = await overallOf(edge, rollback as DeploymentId);
      assert.deepEqual([back.status, back.counts.total], ['succeeded', 1]);
      assert.deepEqual(edge.faults, []);
    }),
  );
  for (const [cause, says] of [
    ['unsure', /nobody can say whether the canary is worse/],
    ['no-data', /there is nothing to judge the canary by/],
  ] as const)
    test(
      `waits for a person where the judge says ${cause}, who has it judged again or goes on without`,
      withEdgeApi(async (edge) => {
        await configured(edge);
        const deployment = await edge.deploy('2.0.0');
        assert.deepEqual(await worked(edge, saying(cause)), ['web-1', JUDGE]);
        const held = await overallOf(edge, deployment);
        assert.equal(held.status, 'paused');
        assert.match(held.reason, says);
        await edge.admin.retryTarget({ deployment, target: JUDGE, ...because });
        await edge.admin.resume({ deployment, ...because });
        assert.deepEqual(await worked(edge, saying(cause)), [JUDGE]);
        await edge.admin.skipTarget({ deployment, target: JUDGE, ...because });
        await edge.admin.resume({ deployment, ...because });
        assert.deepEqual(await worked(edge), ['web-2', 'web-3', 'web-4']);
        const { status, notes, exceptions } = await overallOf(edge, deployment);
        assert.deepEqual(
          { status, notes, exceptions },
          { status: 'succeeded', notes: ['not done: judge:canary'], exceptions: 1 },
        );
        assert.deepEqual(edge.faults, []);
      }),
    );
  test(
    'is dealt with as its team wants it',
    withEdgeApi(async (edge) => {
      await configured(edge, { canary: 'pause', noData: 'rollback' });
      const worse = await edge.deploy('2.0.0');
      await edge.work(saying('canary'));
      assert.equal((await overallOf(edge, worse)).status, 'paused');
      await edge.admin.rollback({ deployment: worse, ...because });
      await edge.work();
      assert.equal((await overallOf(edge, worse)).status, 'failed');
      const silent = await edge.deploy('2.0.0');
      await edge.work(saying('no-data', silent));
      const { status, rollback } = await overallOf(edge, silent);
      assert.equal(status, 'failed');
      assert.ok(rollback);
      assert.deepEqual(edge.faults, []);
    }),
  );
  test(
    'is judged no longer once somebody aborts',
    withEdgeApi(async (edge) => {
      await configured(edge);
      const deployment = await edge.deploy('2.0.0');
      await edge.work((task) => (task.target === JUDGE ? 'open' : undefined));
      await edge.admin.abort({ deployment, reason: 'not today' });
      edge.time.now += 600_000;
      await edge.work();
      assert.equal((await overallOf(edge, deployment)).status, 'aborted');
    }),
  );
});
