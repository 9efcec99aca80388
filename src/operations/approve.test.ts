import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { environment, projectEnvironment, targets } from '../../test/fixtures/configuration.ts';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import type { EdgeClient } from '../api/client.ts';
import { type DeploymentId, planHash } from '../domain/ids.ts';
import type { Role } from '../domain/permission.ts';

const PLACE = { project: 'web', environment: 'production' } as const;
const because = { reason: 'because' };

const apply = ({ admin }: EdgeApi, ...documents: readonly object[]) =>
  admin.applyConfiguration({
    files: documents.map((document, n) => ({ path: `${n}.yaml`, text: JSON.stringify(document) })),
  });

const needing = (count: number, policy: object = {}) =>
  environment({ policy: { ...policy, approvals: { count } } });

async function person(edge: EdgeApi, name: string, role: Role = 'approve'): Promise<EdgeClient> {
  return edge.client(await edge.token(role, { name }));
}

/** An environment that needs approvals, and a deployment in it that ann has asked for. */
async function waiting(
  edge: EdgeApi,
  count = 1,
): Promise<{ readonly ann: EdgeClient; readonly deployment: DeploymentId; readonly hash: string }> {
  await edge.configure(2);
  await apply(edge, needing(count));
  const ann = await person(edge, 'ann', 'lead');
  const { deployment, planHash: hash } = await ann.deploy({ ...PLACE, version: '1.0.0', reason: 'release' });
  await edge.work();
  return { ann, deployment, hash };
}

const approving = (client: EdgeClient, deployment: DeploymentId, hash: string) =>
  client.approve({ deployment, planHash: planHash(hash), ...because });
const rowOf = async ({ admin }: EdgeApi, deployment: DeploymentId) =>
  (await admin.deployment({ deployment })).deployment;

const ORIGIN = 'the file /lists/web.csv';
const list = (...names: readonly string[]) =>
  ['name,address', ...names.map((name) => `${name},10.0.0.${name.split('-')[1]}`), ''].join('\n');
const script = (name: string, content = '#!/bin/sh\ntrue\n') => ({ kind: 'script', name, content });

/** What waits for one approval, of targets from an inventory and with two scripts for steps. */
async function fromInventory(edge: EdgeApi) {
  const steps = ['warm', 'tell'].map((name) => ({ id: name, script: name, whileServing: true }));
  const cycle = ['guard', 'drain', 'stop', 'install', 'start', 'verify', ...steps, 'enable', 'settle'];
  await edge.configure(2);
  edge.inventory.set(ORIGIN, list('web-1', 'web-2'));
  await apply(edge, needing(1), script('warm'), script('tell'), {
    ...{ kind: 'project-environment', ...PLACE },
    targets: { from: 'file', path: '/lists/web.csv', defaults: { port: 8080, member: 'web/{name}' } },
    strategy: { steps: { datacenter: cycle } },
  });
  const ann = await person(edge, 'ann', 'lead');
  const { deployment, planHash: hash } = await ann.deploy({ ...PLACE, version: '1.0.0', ...because });
  await edge.work();
  return { deployment, hash };
}

describe('approving a deployment', () => {
  test(
    'starts it, and the record shows who let it start',
    withEdgeApi(async (edge) => {
      const { deployment, hash } = await waiting(edge, 2);
      const before = await edge.admin.deployment({ deployment });
      assert.deepEqual(
        [before.deployment.status, before.deployment.reason],
        ['pending', 'waits for 2 approvals'],
      );
      const { abortAt = null } = before.view.overall.approvals ?? {};
      assert.deepEqual(before.waits, [
        { target: null, step: null, why: 'waits for 2 approvals', until: abortAt },
      ]);
      assert.equal(abortAt, edge.time.now + 86_400_000);
      await approving(await person(edge, 'bob'), deployment, hash);
      await edge.work();
      assert.equal((await rowOf(edge, deployment)).reason, 'waits for 1 more approval');
      await approving(await person(edge, 'eve', 'admin'), deployment, hash);
      await edge.work();
      const { deployment: row, view, waits } = await edge.admin.deployment({ deployment });
      assert.deepEqual([row.status, row.reason, waits], ['succeeded', '', []]);
      assert.deepEqual(
        view.overall.approvals?.given.map(({ by }) => by),
        ['bob', 'eve'],
      );
      assert.equal(view.overall.approvals?.waits, false);
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'is refused to who asked for it, to the same person twice, for another plan, and without the permission',
    withEdgeApi(async (edge) => {
      const { ann, deployment, hash } = await waiting(edge, 2);
      await assert.rejects(approving(ann, deployment, hash), { code: 'approval_refused' });
      const bob = await person(edge, 'bob');
      await assert.rejects(approving(bob, deployment, '0'.repeat(64)), { code: 'plan_changed' });
      await approving(bob, deployment, hash);
      await edge.work();
      await assert.rejects(approving(bob, deployment, hash), { code: 'approval_refused' });
      const dan = await person(edge, 'dan', 'deploy');
      await assert.rejects(approving(dan, deployment, hash), { code: 'permission_denied' });
      assert.equal((await rowOf(edge, deployment)).status, 'pending');
    }),
  );

  test(
    'is void once what the plan was made from was edited, whoever says so, and a new deployment has a new plan',
    withEdgeApi(async (edge) => {
      const { deployment, hash } = await waiting(edge, 2);
      await approving(await person(edge, 'bob'), deployment, hash);
      await edge.work();
      await apply(edge, needing(2, { minInService: '50%' }));
      const eve = await person(edge, 'eve', 'admin');
      await assert.rejects(approving(eve, deployment, hash), {
        code: 'plan_changed',
        message: /has changed: environment production/,
      });
      await assert.rejects(eve.promote({ deployment, ...because }), { code: 'plan_changed' });
      // The same words again change the record of nobody.
      await eve.abort({ deployment, ...because });
      await edge.work();
      assert.equal((await rowOf(edge, deployment)).status, 'aborted');
      const again = await eve.deploy({ ...PLACE, version: '1.0.0', ...because });
      assert.notEqual(again.planHash, hash);
    }),
  );

  test(
    'is void once the inventory gives other targets, or a script that is a step was edited',
    withEdgeApi(async (edge) => {
      const bob = await person(edge, 'bob');
      const { deployment, hash } = await fromInventory(edge);
      edge.inventory.set(ORIGIN, list('web-1'));
      await assert.rejects(approving(bob, deployment, hash), {
        code: 'plan_changed',
        message: /web-2 left the inventory/,
      });
      edge.inventory.set(ORIGIN, list('web-1', 'web-2'));
      await apply(edge, script('tell', '#!/bin/sh\nfalse\n'));
      await assert.rejects(approving(bob, deployment, hash), {
        code: 'plan_changed',
        message: /script tell/,
      });
      assert.equal((await rowOf(edge, deployment)).status, 'pending');
    }),
  );

  test(
    'counts with several scripts and an inventory, however many plans others have looked at meanwhile',
    withEdgeApi(async (edge) => {
      const { deployment, hash } = await fromInventory(edge);
      for (let n = 0; n < 25; n += 1)
        await edge.admin.exec({ ...PLACE, argv: ['echo', String(n)], dryRun: true, ...because });
      await approving(await person(edge, 'bob'), deployment, hash);
      await edge.work();
      assert.notEqual((await rowOf(edge, deployment)).status, 'pending');
    }),
  );

  test(
    'holds for what balancers show meanwhile, and for an edit of what the plan has nothing to do with',
    withEdgeApi(async (edge) => {
      const { deployment, hash } = await waiting(edge);
      edge.balancer.setHealth({ pool: 'web', member: 'web-2' }, 'down');
      await apply(
        edge,
        { kind: 'strategy', name: 'fast', parallel: 50 },
        needing(1),
        projectEnvironment({ targets: targets(2) }),
      );
      const other = await edge.admin.plan({ ...PLACE, version: '1.0.0' });
      assert.notEqual(other.hash, hash);
      await approving(await person(edge, 'bob'), deployment, hash);
      await edge.work();
      assert.notEqual((await rowOf(edge, deployment)).status, 'pending');
    }),
  );

  test(
    'is refused once an artifact is not the file any more that the plan names',
    withEdgeApi(async (edge) => {
      const { deployment, hash } = await waiting(edge);
      await writeFile(join(edge.folder, 'web-1.0.0.tar.gz'), 'something else');
      const bob = await person(edge, 'bob');
      await assert.rejects(approving(bob, deployment, hash), { code: 'artifact_mismatch' });
    }),
  );

  test(
    'is for those that wait, and they can be aborted, but not paused, skipped or rolled back',
    withEdgeApi(async (edge) => {
      const { deployment, hash } = await waiting(edge);
      const { admin } = edge;
      const target = 'web-1';
      for (const refused of [
        admin.pause({ deployment, ...because }),
        admin.resume({ deployment, ...because }),
        admin.skipTarget({ deployment, target, ...because }),
        admin.retryTarget({ deployment, target, ...because }),
        admin.rollback({ deployment, ...because }),
      ])
        await assert.rejects(refused, { code: 'verb_refused' });
      await admin.abort({ deployment, ...because });
      await edge.work();
      assert.equal((await rowOf(edge, deployment)).status, 'aborted');
      await assert.rejects(approving(admin, deployment, hash), { code: 'deployment_ended' });
      await apply(edge, environment());
      const { deployment: free } = await admin.deploy({ ...PLACE, version: '1.0.0', ...because });
      const { planHash: of } = await rowOf(edge, free);
      await assert.rejects(approving(await person(edge, 'bob'), free, of), { code: 'verb_refused' });
      await edge.work();
    }),
  );

  test(
    'holds the lock while it waits, and says so to who comes next',
    withEdgeApi(async (edge) => {
      const { deployment } = await waiting(edge);
      await assert.rejects(edge.admin.deploy({ ...PLACE, version: '2.0.0', ...because }), {
        code: 'environment_locked',
        message: new RegExp(`held by the deployment ${deployment} .*by ann`),
      });
      const [place] = (await edge.admin.status()).projectEnvironments;
      assert.deepEqual(
        [place?.active?.id, place?.active?.by, place?.active?.reason],
        [deployment, 'ann', 'waits for 1 approval'],
      );
    }),
  );
});

describe('promoting a deployment', () => {
  test(
    'starts it without the approvals, by an administrator, with a reason, and the record says so',
    withEdgeApi(async (edge) => {
      const { ann, deployment } = await waiting(edge, 3);
      await assert.rejects(ann.promote({ deployment, ...because }), { code: 'permission_denied' });
      await assert.rejects(edge.admin.promote({ deployment, reason: ' ' }), { code: 'request_invalid' });
      await edge.admin.promote({ deployment, reason: 'the shop is down' });
      await edge.work();
      const { deployment: row, view } = await edge.admin.deployment({ deployment });
      assert.equal(row.status, 'succeeded');
      const { by, reason } = view.overall.approvals?.promoted ?? {};
      assert.deepEqual([by, reason], ['first', 'the shop is down']);
      await assert.rejects(edge.admin.promote({ deployment, ...because }), { code: 'deployment_ended' });
    }),
  );
});

describe('what needs no approval', () => {
  /** 1.0.0 and then 2.0.0 ran here before approvals were needed. */
  async function twoReleases(edge: EdgeApi): Promise<DeploymentId> {
    await edge.configure(2);
    await edge.deploy('1.0.0');
    await edge.work();
    edge.time.now += 1_000;
    const last = await edge.deploy('2.0.0');
    await edge.work();
    edge.time.now += 1_000;
    await apply(edge, needing(1));
    return last;
  }
  const statusOf = async (edge: EdgeApi, deployment: DeploymentId) => {
    await edge.work();
    return (await rowOf(edge, deployment)).status;
  };

  test(
    'is a rollback to what fully succeeded here, also by name; any other one is a deployment by another name',
    withEdgeApi(async (edge) => {
      const last = await twoReleases(edge);
      const { admin } = edge;
      const { deployment: back } = await admin.rollback({ deployment: last, ...because });
      assert.equal(await statusOf(edge, back), 'succeeded');
      edge.time.now += 1_000;
      const rollback = { ...PLACE, verb: 'rollback', ...because } as const;
      const named = await admin.deploy({ ...rollback, version: '2.0.0' });
      assert.equal(await statusOf(edge, named.deployment), 'succeeded');
      edge.time.now += 1_000;
      await admin.createRelease({ kind: 'release', project: 'web', version: '3.0.0' });
      for (const more of [{ version: '3.0.0' }, { version: '1.0.0', hard: true }]) {
        const { deployment } = await admin.deploy({ ...rollback, ...more });
        assert.equal(await statusOf(edge, deployment), 'pending');
        await admin.abort({ deployment, ...because });
        await edge.work();
        edge.time.now += 1_000;
      }
      const restart = await admin.deploy({ ...PLACE, verb: 'restart', ...because });
      assert.equal(await statusOf(edge, restart.deployment), 'pending');
    }),
  );

  test(
    'is the rollback of one that was approved and failed, and the return of what it parked',
    withEdgeApi(async (edge) => {
      await twoReleases(edge);
      await edge.admin.createRelease({ kind: 'release', project: 'web', version: '3.0.0' });
      const ann = await person(edge, 'ann', 'deploy');
      const asked = await ann.deploy({ ...PLACE, version: '3.0.0', ...because });
      await edge.work();
      await approving(await person(edge, 'bob'), asked.deployment, asked.planHash);
      const error = { code: 'command_failed', message: 'exit 3', cause: 'command' } as const;
      await edge.work(({ step, target }) =>
        target === 'web-1' && step === 'start' ? { kind: 'failed', error, retryable: false } : undefined,
      );
      await edge.admin.abort({ deployment: asked.deployment, ...because });
      await edge.work();
      const [place] = (await edge.admin.status()).projectEnvironments;
      assert.deepEqual(
        place?.parked.map(({ target }) => target),
        ['web-1'],
      );
      const { deployment } = await ann.returnParked({ ...PLACE, ...because });
      assert.equal(await statusOf(edge, deployment), 'succeeded');
      assert.deepEqual(edge.faults, []);
    }),
  );
});
