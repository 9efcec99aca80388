import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeCli } from '../../../test/support/edge-cli.ts';

describe('edge apply', () => {
  test(
    'the sample of edge init is accepted, and a dry run changes nothing',
    withEdgeApi(async (edge) => {
      await edgeCli(edge).run('init', 'conf');
      const dry = await edgeCli(edge).run('apply', '-f', 'conf', '--dry-run');
      assert.deepEqual([dry.status, dry.stderr], [0, '']);
      assert.match(dry.stdout, /^created +project +shop$/m);
      assert.match(dry.stdout, /^4 documents would change, 0 as before$/m);
      assert.deepEqual((await edge.admin.configuration()).documents, []);
      await edgeCli(edge).run('apply', '-f', 'conf');
      const again = await edgeCli(edge).run('apply', '-f', 'conf', '--json');
      const changes = JSON.parse(again.stdout).documents.map(({ change }: { change: string }) => change);
      assert.deepEqual(changes, ['unchanged', 'unchanged', 'unchanged', 'unchanged']);
    }),
  );

  test(
    'all that is wrong is named by file and line, and nothing is changed',
    withEdgeApi(async (edge) => {
      await writeFile(
        join(edge.folder, 'bad.yaml'),
        'kind: project\nname: shop\nfolder: relative\nfoldr: x\n',
      );
      const { status, stderr } = await edgeCli(edge).run('apply', '-f', 'bad.yaml');
      assert.equal(status, 2);
      assert.match(stderr, /^error config_invalid: /);
      assert.match(stderr, /^ {2}at bad\.yaml:3:\d+/m);
      assert.match(stderr, /^ {2}at bad\.yaml:4:\d+/m);
      assert.deepEqual((await edge.admin.configuration()).documents, []);
    }),
  );
});

describe('edge plan', () => {
  test(
    'with the tickets, authors and commits of what it brings, and on the way back of what it takes back',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      for (const [version, commit, ticket] of [
        ['3.0.0', 'aaaaaaa1', 'SHOP-1'],
        ['3.1.0', 'bbbbbbb2', 'SHOP-2'],
      ] as const)
        await edgeCli(edge).run(
          ...`releases create web ${version} --repository git.example.com/shop --commit ${commit}`.split(' '),
          ...['--ticket', ticket, '--author', `ann of ${ticket}`],
        );
      const planned = async (version: string) =>
        (await edgeCli(edge).run('plan', 'web', 'production', version)).stdout;
      assert.match(await planned('3.0.0'), /^brings 1 release: SHOP-1 \(by ann of SHOP-1\)$/m);
      await edge.deploy('3.0.0');
      await edge.work();
      edge.time.now += 1_000;
      assert.match(
        await planned('3.1.0'),
        /^brings 1 release after 3\.0\.0: SHOP-2 \(by ann of SHOP-2\)\n {2}commits aaaaaaa1\.\.bbbbbbb2 of git\.example\.com\/shop$/m,
      );
      const id = await edge.deploy('3.1.0');
      await edge.work();
      const brings = /^brings 1 release after 3\.0\.0: SHOP-2 /m;
      assert.match((await edgeCli(edge).run('status', id)).stdout, brings, 'and the record keeps it');
      assert.match(await planned('3.0.0'), /^takes back 1 release after 3\.0\.0: SHOP-2 /m);
    }),
  );

  test(
    'it shows order, commands and capacity, and touches nothing',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const { status, stdout } = await edgeCli(edge).run('plan', 'web', 'production', '2.0.0');
      assert.equal(status, 0);
      assert.match(stdout, /^deploy web 2\.0\.0-[0-9a-f]{8} in production$/m);
      assert.match(stdout, /canary: 1 target/);
      assert.match(stdout, /in service, at least \d+ meanwhile, \d+ afterwards; floor \d+/);
      assert.match(stdout, /^hash [0-9a-f]{64}$/m);
      const json = JSON.parse(
        (await edgeCli(edge).run('plan', 'web', 'production', '2.0.0', '--json')).stdout,
      );
      assert.equal(stdout.trimEnd().split('\n').at(-1), `hash ${json.hash}`);
      assert.deepEqual((await edge.admin.deployments({})).deployments, []);
    }),
  );

  test(
    'what is not there is named, with the exit status of the catalogue',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const errors = {
        project_unknown: ['shop', 'production'],
        environment_unknown: ['web', 'staging'],
        release_unknown: ['web', 'production'],
      };
      for (const [code, place] of Object.entries(errors)) {
        const { status, stderr } = await edgeCli(edge).run('plan', ...place, '9.9.9');
        assert.equal(status, 3, code);
        assert.match(stderr, new RegExp(`^error ${code}: `));
      }
    }),
  );
});

describe('edge releases', () => {
  test(
    'a release is made of files of this folder, once, and listed',
    withEdgeApi(async (edge) => {
      await edge.configure(1, []);
      await writeFile(join(edge.folder, 'web.tar.gz'), 'content');
      const create = [
        'releases',
        'create',
        'web',
        '3.0.0',
        '-a',
        'web.tgz=web.tar.gz',
        '--repository',
        'git://x',
        '--commit',
        'abcdef0',
        '--ticket',
        'WEB-1',
      ];
      const made = await edgeCli(edge).run(...create);
      assert.deepEqual([made.status, made.stderr], [0, '']);
      assert.match(made.stdout, /^3\.0\.0-[0-9a-f]{8} is made\.\n$/);
      assert.match((await edgeCli(edge).run(...create)).stdout, /exists already, with the same content/);
      const list = await edgeCli(edge).run('releases', 'web');
      assert.match(list.stdout, /^3\.0\.0 +3\.0\.0-[0-9a-f]{8} .*web\.tgz +git:\/\/x abcdef0$/m);
      const [release] = (await edge.admin.releases({ project: 'web' })).releases;
      assert.deepEqual(release?.source, { repository: 'git://x', commit: 'abcdef0', tickets: ['WEB-1'] });
      assert.deepEqual(
        release?.artifacts.map((artifact) => [artifact.unpack, 'path' in artifact && artifact.path]),
        [['tar.gz', join(edge.folder, 'web.tar.gz')]],
      );
      await writeFile(join(edge.folder, 'web.tar.gz'), 'other content');
      assert.equal((await edgeCli(edge).run(...create)).status, 5);
    }),
  );

  test(
    'a file that is not there is named',
    withEdgeApi(async (edge) => {
      await edge.configure(1, []);
      const { status, stderr } = await edgeCli(edge).run(
        'releases',
        'create',
        'web',
        '3.0.0',
        '-a',
        'a=none',
      );
      assert.equal(status, 5);
      assert.match(stderr, /^error artifact_unreadable: /);
    }),
  );
});

describe('edge token', () => {
  test(
    'a token is shown once, works, and works no more when it is revoked',
    withEdgeApi(async (edge) => {
      const made = await edgeCli(edge).run('token', 'create', 'ci', '--role', 'view', '--days', '1');
      assert.equal(made.status, 0);
      const token = made.stdout.trim();
      const asCi = edgeCli(edge, { settings: { server: edge.url, token } });
      assert.equal((await asCi.run('status')).status, 0);
      const denied = await asCi.run('token', 'list');
      assert.equal(denied.status, 4);
      assert.match(denied.stderr, /^error permission_denied: /);
      const list = await edgeCli(edge).run('token', 'list');
      assert.doesNotMatch(list.stdout, new RegExp(token));
      const [, id = ''] = /^(\S+) +ci +view /m.exec(list.stdout) ?? [];
      assert.match((await edgeCli(edge).run('token', 'revoke', id)).stdout, /^ci \(.*\) is revoked\.$/m);
      assert.equal((await asCi.run('status')).status, 4);
    }),
  );

  test(
    'without a token nothing is shown, and what to do is said',
    withEdgeApi(async (edge) => {
      const { status, stderr } = await edgeCli(edge, { settings: { server: edge.url } }).run('status');
      assert.equal(status, 4);
      assert.match(stderr, /^error token_missing: .*\n {2}Set EDGE_TOKEN, or pass --token\.\n$/);
      const wrong = await edgeCli(edge).run('status', '--token', 'wrong', '--json');
      assert.equal(JSON.parse(wrong.stdout).error.code, 'token_invalid');
    }),
  );
});
