import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { cli } from '../support/cli-process.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { ENVIRONMENT, PROJECT } from '../support/scene-configuration.ts';

const sshd = requireService('sshd');
const PLACE = [PROJECT, ENVIRONMENT] as const;
/** Exit status of what is refused when it is planned. */
const REFUSED = 5;

describe('«a command policy says what may run on the targets of an environment»', {
  skip: sshd.skip ?? false,
}, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ sshdPath: sshd.path ?? '', network: '127.93.3', servers: 2, fronts: [] });
  });
  after(() => scene?.stop());

  const edge = (...argv: readonly string[]) =>
    cli(argv, { settings: { server: scene.server.url, token: scene.server.token } });
  const policy = (commands: object) => scene.configure({ environment: { commands } });
  const exec = (...argv: readonly string[]) => edge('exec', ...PLACE, '--yes', '--', ...argv);

  test('a deployment with a command that is denied is refused with the rule, and nothing runs on any target', async () => {
    await policy({ deny: [['sh', '-c', '...']] });
    for (const verb of [['plan'], ['deploy', '--yes']] as const) {
      const { status, stderr } = await edge(...verb, ...PLACE, 'v1');
      assert.equal(status, REFUSED);
      assert.match(stderr, /command_refused: .* which dc denies by \["sh","-c","\.\.\."\]/);
    }
    assert.deepEqual((await scene.edge.deployments({})).deployments, []);
    assert.deepEqual(await scene.work(), []);
  });

  test('one whose commands are all allowed runs', async () => {
    await policy({ allow: [['sh', '-c', '...']] });
    await scene.deployed();
    assert.equal((await scene.work()).length, 2);
  });

  test('`edge exec` runs what is allowed, to the last argument, and nothing else', async () => {
    await policy({ allow: [['echo', { type: 'string', pattern: '[a-z]+' }]] });
    const { status, stdout } = await exec('echo', 'hello');
    assert.equal(status, 0);
    assert.match(stdout, /hello/);
    for (const argv of [
      ['echo', '$(id)'],
      ['echo', 'a', 'b'],
      ['/bin/echo', 'a'],
      ['touch', 'a'],
    ]) {
      const refused = await exec(...argv);
      assert.equal(refused.status, REFUSED, argv.join(' '));
      assert.match(refused.stderr, /command_refused/);
    }
  });
});
