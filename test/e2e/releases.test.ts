import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { cli } from '../support/cli-process.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { ENVIRONMENT, PROJECT } from '../support/scene-configuration.ts';

const sshd = requireService('sshd');
const PLACE = [PROJECT, ENVIRONMENT] as const;

describe('releases between build and host', { skip: sshd.skip ?? false }, () => {
  let scene: Scene;
  let token = '';
  before(async () => {
    scene = await openScene({ sshdPath: sshd.path ?? '', network: '127.93.2', servers: 2, fronts: [] });
    await scene.configure();
    ({ secret: token } = await scene.edge.createToken({ name: 'ci', role: 'deploy' }));
  });
  after(() => scene?.stop());

  const edge = (...argv: readonly string[]) =>
    cli(argv, { settings: { server: scene.server.url, token }, folder: scene.fleet.folder });

  async function build(version: string, content: string): Promise<readonly string[]> {
    await writeFile(join(scene.fleet.folder, 'app.txt'), content);
    return ['releases', 'create', PROJECT, version, '--upload', '-a', 'app.txt=app.txt'];
  }
  const source = (commit: string, ticket: string, author: string) => [
    ...['--repository', 'git.example.com/shop', '--commit', commit, '--ticket', ticket, '--author', author],
  ];

  test('«`edge releases create` makes a release from a build job», once, whoever runs the job again', async () => {
    const create = [...(await build('3.0', 'three')), ...source('aaaaaaa1', 'SHOP-1', 'ann')];
    const made = await edge(...create);
    assert.deepEqual([made.status, made.stderr], [0, '']);
    assert.match((await edge(...create)).stdout, /exists already, with the same content/);
    const other = await edge(...(await build('3.0', 'other')), ...source('aaaaaaa1', 'SHOP-1', 'ann'));
    assert.equal(other.status, 5);
    assert.match(other.stderr, /release_exists/);
    await scene.deployed({ version: '3.0' });
  });

  test('«a plan tells the tickets and authors of the releases between», and the record keeps them', async () => {
    for (const [version, commit, ticket, author] of [
      ['3.1', 'bbbbbbb2', 'SHOP-2', 'bob'],
      ['3.2', 'ccccccc3', 'SHOP-3', 'eve'],
    ] as const) {
      const made = await edge(...(await build(version, version)), ...source(commit, ticket, author));
      assert.equal(made.status, 0);
    }
    const planned = (await edge('plan', ...PLACE, '3.2')).stdout;
    const brings =
      /^brings 2 releases after 3\.0: SHOP-2, SHOP-3 \(by bob, eve\)\n {2}commits aaaaaaa1\.\.ccccccc3 of git\.example\.com\/shop$/m;
    assert.match(planned, brings);
    const { deployment } = await scene.deployed({ version: '3.2' });
    assert.match((await edge('status', deployment.id)).stdout, brings);
    assert.match(
      (await edge('plan', ...PLACE, '3.0')).stdout,
      /^takes back 2 releases after 3\.0: SHOP-2, SHOP-3 /m,
    );
  });
});
