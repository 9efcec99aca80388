import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { EdgeError, type ErrorBody } from '../../src/domain/errors.ts';
import { openScene, type Scene } from '../support/scene.ts';
import type { Setting } from '../support/scene-configuration.ts';

const sshd = requireService('sshd');

describe('what an environment says of the strategies in it', { skip: sshd.skip ?? false }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ sshdPath: sshd.path ?? '', network: '127.87.1', servers: 4, fronts: [] });
    const strategies = [
      { kind: 'strategy', name: 'careful', canary: 1, batches: 1, settleMs: 0 },
      { kind: 'strategy', name: 'fast', canary: 0, batches: '100%', settleMs: 0 },
      { kind: 'strategy', name: 'reckless', canary: 0, batches: '100%', settleMs: 0 },
    ];
    const files = strategies.map((strategy) => ({
      path: `${strategy.name}.yaml`,
      text: JSON.stringify(strategy),
    }));
    await scene.edge.applyConfiguration({ files });
  });
  after(() => scene?.stop());

  async function refused(setting: Setting): Promise<readonly ErrorBody[]> {
    const error = await scene.configure(setting).then(
      () => assert.fail('it was taken'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof EdgeError, String(error));
    return [error.body, ...(error.body.also ?? [])];
  }

  test('«an environment owns the strategies that its projects choose from»', async () => {
    const environment = { strategies: ['careful', 'fast'] };
    const sizes = async (strategy: string) => {
      await scene.configure({ environment, strategy });
      return (await scene.deployed()).view.batches.map(({ counts }) => counts.total);
    };
    assert.deepEqual(await sizes('careful'), [1, 1, 1, 1]);
    assert.deepEqual(await sizes('fast'), [4]);
    const [reckless] = await refused({ environment, strategy: 'reckless' });
    assert.match(reckless?.message ?? '', /"reckless" is not one of those of dc/);
    const [inPlace] = await refused({ environment, strategy: { parallel: 4 } });
    assert.match(inPlace?.message ?? '', /names none of them/);
  });

  test('«what an environment has locked no project sets otherwise»', async () => {
    const environment = { locked: ['minInService'] };
    const [locked] = await refused({ environment, place: { policy: { minInService: 1 } } });
    assert.equal(locked?.message, 'minInService is locked in dc');
    await scene.configure({ environment, place: { policy: { holdLimitMs: 60_000 } } });
  });

  test('«steps of a strategy are checked against the schemas of their actions»', async () => {
    const with_ = (step: object) => ({
      strategy: { without: ['drain', 'verify'], steps: { datacenter: ['stop', 'install', step, 'start'] } },
    });
    const own = { id: 'migrate', action: 'host.run@1' };
    const errors = await refused(with_({ ...own, with: { argv: 'migrate.sh', retires: 3 } }));
    const said = errors.map(({ message, where }) => `${where?.file} ${where?.path}: ${message}`).join('\n');
    assert.match(said, /project-environment\.yaml strategy\.steps\.datacenter\[2\]\.with\.argv/);
    assert.match(said, /strategy\.steps\.datacenter\[2\]\.with\.retires/);
    await scene.configure(with_({ ...own, with: { argv: ['true'], cwd: '~' } }));
    await scene.deployed();
  });
});
