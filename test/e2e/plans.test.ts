import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { Output } from '../../src/api/contract.ts';
import type { Report } from '../../src/cli/simulation-lines.ts';
import { cli } from '../support/cli-process.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { ENVIRONMENT, OTHER, PROJECT } from '../support/scene-configuration.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const RUNS = 100;
/** A bad release is looked at five times, which is quickly simulated. */
const LOOK = { kind: 'command', argv: ['sh', '-c', ': look'], timeoutMs: 20_000 };
const HEALTH = { check: LOOK, passes: 1, intervalMs: 1_000, windowMs: 5_000 };

describe('a plan', { skip: sshd.skip ?? haproxy.skip ?? false }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({
      ...{ sshdPath: sshd.path ?? '', network: '127.88.1', servers: 4, fronts: ['HAProxy'] },
    });
    await scene.configure({ strategy: { canary: 1, batches: 2 }, policy: { minInService: 2 } });
    await scene.deployed();
  });
  after(() => scene?.stop());

  const planned = (project = PROJECT) =>
    scene.edge.plan({ project, environment: ENVIRONMENT, version: 'v2', force: true });

  test('«a plan shows the capacity before, during and after each batch»', async () => {
    const { explained } = await planned();
    assert.deepEqual(
      explained.stages.flatMap(({ batches }) =>
        batches.flatMap(({ capacity }) =>
          capacity.map(({ before, lowest, after }) => [before, lowest, after]),
        ),
      ),
      [
        [4, 3, 4],
        [4, 2, 4],
        [4, 3, 4],
      ],
    );
  });

  test('«a project without a history is forecast from the fleet»', async () => {
    await scene.configure({ name: OTHER, policy: { minInService: 2 } });
    const { forecast } = await planned(OTHER);
    assert.match(forecast.basis, /fleet/);
    assert.ok(forecast.steps.some(({ from }) => from === 'fleet'));
    assert.doesNotMatch((await planned()).forecast.basis, /fleet/);
  });

  test('«a plan says what is risky about it»', async () => {
    const codes = ({ notes }: Output<'plan'>) => notes.map(({ code }) => code);
    assert.ok(!codes(await planned()).includes('no_canary'));
    await scene.configure({ strategy: { canary: 0, batches: '100%' }, policy: { minInService: 0 } });
    const risky = codes(await planned());
    for (const code of ['no_canary', 'large_batch', 'pool_emptied'] as const)
      assert.ok(risky.includes(code), risky.join());
  });

  test('«`edge plan --simulate` runs that very plan, with failures as often as in the log»', async () => {
    const nine = { count: 9 };
    const policy = { minInService: 0, maxFailures: { batch: nine, zone: nine, deployment: nine } };
    await scene.configure({ project: { health: HEALTH }, strategy: { canary: 1, batches: 2 }, policy });
    for (const server of scene.servers) await scene.make(server, 'fail');
    await scene.rests(await scene.deploy());
    await scene.tidy();
    const { hash } = await planned();
    const place = [PROJECT, ENVIRONMENT, 'v2', '--force'];
    const { stdout, status } = await cli(['plan', ...place, '--simulate', String(RUNS), '--json'], {
      settings: { server: scene.server.url, token: scene.server.token },
    });
    assert.equal(status, 0, stdout);
    const report = JSON.parse(stdout) as Report;
    assert.equal(report.planHash, hash);
    assert.equal(
      report.cases.reduce((sum, { runs }) => sum + runs, 0),
      RUNS,
    );
    assert.deepEqual(report.violations, []);
    const starts = report.odds.filter(({ step, met }) => step === 'start' && met > 0);
    assert.deepEqual(
      starts.map(({ met, of }) => [met, of >= 8]),
      [[4, true]],
    );
  });
});
