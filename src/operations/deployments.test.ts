import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import { planHash } from '../domain/ids.ts';
import type { ClaimedTask } from '../ports/task-board.ts';

const PLACE = { project: 'web', environment: 'production' } as const;
const failed = (message: string) =>
  ({
    kind: 'failed',
    error: { code: 'command_failed', message, cause: 'command' },
    retryable: false,
  }) as const;
const failing = (target: string, step: string) => (task: ClaimedTask) =>
  task.target === target && task.step === step ? failed('exit status 3') : undefined;
const because = { reason: 'because' };

async function statusOf({ admin }: EdgeApi) {
  const [status] = (await admin.status()).projectEnvironments;
  assert.ok(status);
  return status;
}

describe('deployments', () => {
  test(
    'what was planned is what is started, and a look at the plan changes nothing',
    withEdgeApi(async (edge) => {
      await edge.configure(8);
      const read = await edge.admin.plan({ ...PLACE, version: '1.0.0' });
      assert.match(read.text, /web-8/);
      assert.deepEqual((await edge.admin.deployments()).deployments, []);
      const { deployment, planHash: hash } = await edge.admin.deploy({
        ...{ ...PLACE, version: '1.0.0', planHash: read.hash, ...because },
      });
      assert.equal(hash, read.hash);
      await edge.work();
      const seen = await edge.admin.deployment({ deployment });
      assert.equal(seen.deployment.status, 'succeeded');
      assert.equal(seen.view.overall.counts.succeeded, 8);
      const kept = await edge.admin.deploymentPlan({ deployment });
      assert.deepEqual([kept.hash, kept.plan], [hash, read.plan]);
      const { releases, active, targets } = await statusOf(edge);
      assert.deepEqual(
        [releases.map(({ version, targets: n }) => [version, n]), active, targets],
        [[['1.0.0', 8]], null, 8],
      );
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'a plan that is another one by now is refused, and nothing is started',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      const start = edge.admin.deploy({
        ...{ ...PLACE, version: '1.0.0', planHash: planHash('0'.repeat(64)), ...because },
      });
      await assert.rejects(start, { code: 'plan_changed' });
      assert.deepEqual((await edge.admin.deployments()).deployments, []);
    }),
  );

  test(
    'of fifty at the same time exactly one is started, and the others are told by whom',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, () => edge.admin.deploy({ ...PLACE, version: '1.0.0', ...because })),
      );
      const [started, ...more] = results.flatMap((result) =>
        result.status === 'fulfilled' ? [result.value] : [],
      );
      assert.deepEqual(more, []);
      const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      assert.equal(refusals.length, 49);
      for (const { code, message } of refusals) {
        assert.equal(code, 'environment_locked');
        assert.match(message, new RegExp(`${started?.deployment}.*by first`));
      }
      assert.equal((await edge.admin.deployments()).deployments.length, 1);
    }),
  );

  test(
    'a version is needed, and must be one that exists, of a project and environment that exist',
    withEdgeApi(async ({ admin, configure }) => {
      await configure(1);
      const plan = (more: object) => admin.plan({ ...PLACE, ...more });
      await assert.rejects(plan({}), { code: 'request_invalid' });
      await assert.rejects(plan({ version: '9.9.9' }), { code: 'release_unknown' });
      await assert.rejects(plan({ version: '1.0.0', project: 'nix' }), { code: 'project_unknown' });
      await assert.rejects(plan({ version: '1.0.0', environment: 'nix' }), { code: 'environment_unknown' });
      await assert.rejects(plan({ version: '1.0.0', targets: ['web-77'] }), { code: 'target_unknown' });
      await assert.rejects(plan({ verb: 'rollback' }), { code: 'release_missing_rollback' });
    }),
  );

  test(
    'an artifact that is gone or was changed is found before anything is touched',
    withEdgeApi(async ({ admin, configure, folder }) => {
      await configure(1, ['1.0.0']);
      const path = join(folder, 'web-1.0.0.tar.gz');
      await writeFile(path, 'something else');
      await assert.rejects(admin.plan({ ...PLACE, version: '1.0.0' }), { code: 'artifact_mismatch' });
      const gone = [{ name: 'web.tar.gz', path: join(folder, 'nothing') }];
      const release = { kind: 'release', project: 'web', version: '3.0.0', artifacts: gone } as const;
      await assert.rejects(admin.createRelease(release), { code: 'artifact_unreadable' });
    }),
  );

  test(
    'a balancer that does not answer is said in the plan, not taken for an empty pool',
    withEdgeApi(async ({ admin, configure, balancer }) => {
      await configure(4);
      balancer.setReachable(false);
      const { notes } = await admin.plan({ ...PLACE, version: '1.0.0' });
      assert.ok(notes.some(({ code }) => code === 'pool_unseen'));
    }),
  );

  test(
    'a paused deployment starts nothing new, and goes on when resumed',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const deployment = await edge.deploy('1.0.0');
      await edge.drive();
      await edge.admin.pause({ deployment, ...because });
      await edge.work();
      assert.equal((await edge.admin.deployment({ deployment })).deployment.status, 'paused');
      const { waits } = await edge.admin.deployment({ deployment });
      assert.match(waits[0]?.why ?? '', /paused: because/);
      await edge.admin.resume({ deployment, ...because });
      await assert.doesNotReject(edge.work());
      await assert.rejects(edge.admin.resume({ deployment, ...because }), { code: 'deployment_ended' });
    }),
  );

  test(
    'verbs that cannot be are refused with the reason, and change nothing',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const { admin } = edge;
      const deployment = await edge.deploy('1.0.0');
      await edge.drive();
      const { streamVersion } = (await admin.deployment({ deployment })).deployment;
      await assert.rejects(admin.resume({ deployment, ...because }), { code: 'verb_refused' });
      await assert.rejects(admin.retryTarget({ deployment, target: 'nix', ...because }), {
        code: 'target_unknown',
      });
      await assert.rejects(admin.resolveTarget({ deployment, target: 'web-1', as: 'failed', ...because }), {
        code: 'target_active',
      });
      await assert.rejects(admin.retryTarget({ deployment, target: 'web-4', ...because }), {
        code: 'verb_refused',
      });
      await edge.drive();
      assert.equal((await admin.deployment({ deployment })).deployment.streamVersion, streamVersion);
      const unknown = edge.ports.ids.deployment();
      await assert.rejects(admin.abort({ deployment: unknown, ...because }), { code: 'deployment_unknown' });
    }),
  );

  test(
    'an aborted deployment parks what it had taken out, and return brings exactly that back',
    withEdgeApi(async (edge) => {
      const { admin } = edge;
      await edge.configure(4);
      await edge.deploy('1.0.0');
      await edge.work();
      const deployment = await edge.deploy('2.0.0');
      await edge.work(failing('web-1', 'start'));
      assert.equal((await admin.deployment({ deployment })).deployment.status, 'paused');
      await admin.abort({ deployment, ...because });
      await edge.work();
      const { parked } = await statusOf(edge);
      const asFound = { admin: 'enabled', weight: 1 };
      assert.deepEqual(parked, [
        {
          ...{ target: 'web-1', deployment, by: 'first', reason: parked[0]?.reason },
          members: [{ balancer: 'lb:9999', pool: 'web', member: 'web-1', asFound }],
        },
      ]);
      await assert.rejects(admin.returnParked({ ...PLACE, targets: ['web-2'], ...because }), {
        code: 'parked_unknown',
      });
      const returned = await admin.returnParked({ ...PLACE, ...because });
      const { plan } = await admin.deploymentPlan(returned);
      assert.deepEqual([plan.verb, plan.targets.map(({ name }) => name)], ['restart', ['web-1']]);
      await edge.work();
      assert.deepEqual((await statusOf(edge)).parked, []);
      await assert.rejects(admin.returnParked({ ...PLACE, ...because }), { code: 'parked_unknown' });
    }),
  );

  test(
    'a failed target is retried, or skipped and parked',
    withEdgeApi(async (edge) => {
      const { admin } = edge;
      await edge.configure(4);
      await edge.deploy('1.0.0');
      await edge.work();
      const deployment = await edge.deploy('2.0.0');
      await edge.work(failing('web-1', 'start'));
      const { view } = await admin.deployment({ deployment });
      assert.deepEqual(
        [view.targets[0]?.status, view.targets[0]?.reason, view.targets[0]?.parked],
        ['failed', 'exit status 3', true],
      );
      await admin.retryTarget({ deployment, target: 'web-1', ...because });
      await admin.resume({ deployment, ...because });
      await edge.work();
      const ended = await admin.deployment({ deployment });
      assert.deepEqual([ended.deployment.status, ended.view.overall.counts.succeeded], ['succeeded', 4]);
    }),
  );

  test(
    'rollback of a running deployment stops it, and its view names the one that goes back',
    withEdgeApi(async (edge) => {
      const { admin } = edge;
      await edge.configure(4);
      await edge.deploy('1.0.0');
      await edge.work();
      const deployment = await edge.deploy('2.0.0');
      await edge.work(failing('web-2', 'start'));
      await admin.rollback({ deployment, ...because });
      await edge.work();
      const { overall } = (await admin.deployment({ deployment })).view;
      assert.equal(overall.status, 'failed');
      assert.ok(overall.rollback);
      const back = await admin.deployment({ deployment: overall.rollback });
      assert.deepEqual(
        [back.deployment.verb, back.deployment.causedBy, back.deployment.status],
        ['rollback', deployment, 'succeeded'],
      );
      await assert.rejects(admin.rollback({ deployment: overall.rollback, ...because }), {
        code: 'verb_refused',
      });
      assert.deepEqual(
        (await statusOf(edge)).releases.map(({ version }) => version),
        ['1.0.0'],
      );
    }),
  );

  test(
    'rollback of an ended deployment goes to the release before it, once it is the newest',
    withEdgeApi(async (edge) => {
      const { admin } = edge;
      await edge.configure(4);
      const first = await edge.deploy('1.0.0');
      await edge.work();
      await assert.rejects(admin.rollback({ deployment: first, ...because }), {
        code: 'release_missing_rollback',
      });
      const second = await edge.deploy('2.0.0');
      await edge.work();
      await assert.rejects(admin.rollback({ deployment: first, ...because }), { code: 'verb_refused' });
      const { deployment } = await admin.rollback({ deployment: second, ...because });
      await edge.work();
      const row = (await admin.deployment({ deployment })).deployment;
      assert.deepEqual([row.verb, row.version, row.status], ['rollback', '1.0.0', 'succeeded']);
    }),
  );

  test(
    'a task that nobody can do is said after a minute',
    withEdgeApi(async (edge) => {
      await edge.configure(1);
      const deployment = await edge.deploy('1.0.0');
      await edge.drive();
      assert.deepEqual((await edge.admin.deployment({ deployment })).waits, []);
      edge.time.now += 60_000;
      const { waits } = await edge.admin.deployment({ deployment });
      assert.match(waits[0]?.why ?? '', /no worker of the pool "default"/);
    }),
  );
});
