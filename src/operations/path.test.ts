import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { environment, projectEnvironment, targets } from '../../test/fixtures/configuration.ts';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import type { ClaimedTask } from '../ports/task-board.ts';

const because = { reason: 'because' };
const at = (name: string, version?: string) => ({
  ...{ project: 'web', environment: name, ...because },
  ...(version !== undefined && { version }),
});
const named = (name: string, policy: object = {}) => ({ ...environment({ policy }), name });
const placed = (name: string, from: number) => ({
  ...projectEnvironment({
    targets: targets(from + 2)
      .slice(from)
      .map((target) => ({ ...target, name: `${name}-${target.name}` })),
  }),
  environment: name,
});

/** Staging, a canary place and production, through which a release of web comes in this order. */
async function threePlaces(edge: EdgeApi, policy: object = {}): Promise<void> {
  await edge.configure(2);
  const documents = [
    ...[named('staging'), named('preview'), named('last', { after: ['staging', 'preview'], ...policy })],
    ...[placed('staging', 10), placed('preview', 20), placed('last', 30)],
  ];
  await edge.admin.applyConfiguration({
    files: documents.map((document, n) => ({ path: `${n}.yaml`, text: JSON.stringify(document) })),
  });
}

async function deploy(
  edge: EdgeApi,
  input: ReturnType<typeof at> & { readonly hard?: boolean; readonly targets?: readonly string[] },
  outcome?: Parameters<EdgeApi['work']>[0],
): Promise<string> {
  const { targets: only, ...rest } = input;
  const { deployment } = await edge.admin.deploy({ ...rest, ...(only && { targets: [...only] }) });
  await edge.work(outcome);
  edge.time.now += 1_000;
  const row = (await edge.admin.deployment({ deployment })).deployment;
  if (row.status === 'paused') {
    await edge.admin.abort({ deployment, ...because });
    await edge.work();
    edge.time.now += 1_000;
  }
  return (await edge.admin.deployment({ deployment })).deployment.status;
}

const broken = ({ step }: ClaimedTask) =>
  step === 'start'
    ? ({
        kind: 'failed',
        error: { code: 'command_failed', message: 'exit 3', cause: 'command' },
        retryable: false,
      } as const)
    : undefined;

describe('a release that comes through environments', () => {
  test(
    'is refused with all that is missing before it has fully succeeded in each, also with --force, and planning says so',
    withEdgeApi(async (edge) => {
      await threePlaces(edge);
      const last = () => edge.admin.deploy({ ...at('last', '2.0.0'), force: true });
      await assert.rejects(last(), {
        code: 'release_unproven',
        message:
          'web 2.0.0 comes to last only after it fully succeeded in staging (no deployment), preview (no deployment)',
      });
      assert.equal(await deploy(edge, at('staging', '2.0.0')), 'succeeded');
      await assert.rejects(last(), {
        message: /only after it fully succeeded in preview \(no deployment\)$/,
      });
      assert.equal(await deploy(edge, at('preview', '1.0.0')), 'succeeded');
      await assert.rejects(edge.admin.plan({ project: 'web', environment: 'last', version: '2.0.0' }), {
        code: 'release_unproven',
      });
      assert.equal(await deploy(edge, { ...at('preview', '2.0.0'), hard: true }), 'succeeded');
      await assert.rejects(last(), { message: /in preview \(.* was hard, so that nothing was verified\)$/ });
      assert.equal(await deploy(edge, { ...at('preview', '1.0.0') }), 'succeeded');
      assert.equal(await deploy(edge, at('preview', '2.0.0')), 'succeeded');
      assert.equal(await deploy(edge, at('last', '2.0.0')), 'succeeded');
    }),
  );

  test(
    'counts by its last deployment there, and not by what runs there since',
    withEdgeApi(async (edge) => {
      await threePlaces(edge);
      for (const name of ['staging', 'preview'])
        for (const version of ['1.0.0', '2.0.0'])
          assert.equal(await deploy(edge, at(name, version)), 'succeeded');
      assert.equal(await deploy(edge, at('last', '1.0.0')), 'succeeded');
      assert.equal(await deploy(edge, at('staging', '1.0.0')), 'succeeded');
      assert.equal(await deploy(edge, at('staging', '2.0.0'), broken), 'aborted');
      await assert.rejects(edge.admin.deploy(at('last', '2.0.0')), {
        code: 'release_unproven',
        message: /in staging \(\S+ aborted\)$/,
      });
    }),
  );

  test(
    'is looked at again when it is approved, and needs nothing on the way back',
    withEdgeApi(async (edge) => {
      await threePlaces(edge);
      for (const version of ['1.0.0', '2.0.0'])
        for (const name of ['staging', 'preview', 'last'])
          assert.equal(await deploy(edge, at(name, version)), 'succeeded');
      const back = await edge.admin.deploy({ ...at('last'), verb: 'rollback' });
      await edge.work();
      assert.equal((await edge.admin.deployment(back)).deployment.status, 'succeeded');
      const guarded = named('last', { after: ['staging'], approvals: { count: 1 } });
      await edge.admin.applyConfiguration({ files: [{ path: 'a.yaml', text: JSON.stringify(guarded) }] });
      edge.time.now += 1_000;
      const { deployment, planHash } = await edge.admin.deploy(at('last', '2.0.0'));
      await edge.work();
      assert.equal(await deploy(edge, at('staging', '1.0.0')), 'succeeded');
      assert.equal(await deploy(edge, at('staging', '2.0.0'), broken), 'aborted');
      const bob = edge.client(await edge.token('approve'));
      await assert.rejects(bob.approve({ deployment, planHash, ...because }), { code: 'release_unproven' });
    }),
  );
});

describe('a deployment from another environment', () => {
  const from = (name: string) => ({ ...at('preview'), from: name });

  test(
    'takes the release that runs there on all targets',
    withEdgeApi(async (edge) => {
      await threePlaces(edge);
      await assert.rejects(edge.admin.deploy(from('staging')), {
        code: 'release_unproven',
        message: /staging does not run one release of web: no deployment/,
      });
      assert.equal(await deploy(edge, at('staging', '2.0.0')), 'succeeded');
      const { plan } = await edge.admin.plan({ project: 'web', environment: 'preview', from: 'staging' });
      assert.match(plan.release ?? '', /^2\.0\.0-/);
      assert.equal(await deploy(edge, { ...from('staging') }), 'succeeded');
    }),
  );

  test(
    'is refused where one target runs another release, where the last one failed, is under way, or is hard',
    withEdgeApi(async (edge) => {
      await threePlaces(edge);
      const refused = (why: RegExp) =>
        assert.rejects(edge.admin.deploy(from('staging')), { code: 'release_unproven', message: why });
      await deploy(edge, at('staging', '1.0.0'));
      await deploy(edge, { ...at('staging', '2.0.0'), targets: ['staging-web-11'] });
      await refused(/staging-web-12 is not known to run 2\.0\.0/);
      await deploy(edge, at('staging', '2.0.0'), broken);
      await refused(/\S+ aborted/);
      await edge.admin.deploy(at('staging', '1.0.0'));
      await refused(/\S+ is under way/);
      await edge.work();
      edge.time.now += 1_000;
      await deploy(edge, { ...at('staging', '2.0.0'), hard: true });
      await refused(/was hard/);
      await assert.rejects(edge.admin.deploy({ ...from('staging'), version: '1.0.0' }), {
        code: 'request_invalid',
      });
      await assert.rejects(edge.admin.deploy(from('nowhere')), { code: 'environment_unknown' });
    }),
  );
});
