import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { environment, project, projectEnvironment, targets } from '../../test/fixtures/configuration.ts';
import { withEdgeApi } from '../../test/support/edge-api.ts';
import { EdgeError } from '../domain/errors.ts';

const file = (document: { readonly kind: string }) => ({
  path: `${document.kind}.yaml`,
  text: JSON.stringify(document),
});
const WHOLE = [file(project()), file(environment()), file(projectEnvironment({ targets: targets(2) }))];

describe('configuration', () => {
  test(
    'is created, left alone when equal, and updated; a dry run says the same and keeps nothing',
    withEdgeApi(async ({ admin }) => {
      const changes = async (files: typeof WHOLE, dryRun: boolean) =>
        (await admin.applyConfiguration({ files, dryRun })).documents.map(({ change }) => change);
      assert.deepEqual(await changes(WHOLE, true), ['created', 'created', 'created']);
      assert.deepEqual((await admin.configuration()).documents, []);
      assert.deepEqual(await changes(WHOLE, false), ['created', 'created', 'created']);
      const changed = [file(project({ folder: '/opt/web' })), ...WHOLE.slice(1)];
      assert.deepEqual(await changes(changed, false), ['updated', 'unchanged', 'unchanged']);
      const { documents } = await admin.configuration();
      assert.deepEqual(
        documents.map(({ kind, key, version }) => [kind, key, version]),
        [
          ['project', 'web', 2],
          ['environment', 'production', 1],
          ['project-environment', 'web/production', 1],
        ],
      );
    }),
  );

  test(
    'with one mistake nothing is applied, and the error names file and line',
    withEdgeApi(async ({ admin }) => {
      const wrong = { path: 'wrong.yaml', text: 'kind: strategy\nname: slow\ncanary: many\n' };
      const thrown = await admin
        .applyConfiguration({ files: [...WHOLE, wrong] })
        .catch((error: unknown) => error);
      assert.ok(thrown instanceof EdgeError);
      assert.deepEqual(
        [thrown.code, thrown.body.where?.file, thrown.body.where?.line],
        ['config_invalid', 'wrong.yaml', 3],
      );
      assert.deepEqual((await admin.configuration()).documents, []);
    }),
  );

  test(
    'what is in force already may be referred to, and what does not exist may not',
    withEdgeApi(async ({ admin }) => {
      await admin.applyConfiguration({ files: WHOLE });
      const strategy = { path: 's.yaml', text: 'kind: strategy\nname: slow\n' };
      const using = file(projectEnvironment({ targets: targets(2), strategy: 'slow' }));
      await assert.rejects(admin.applyConfiguration({ files: [using] }), { code: 'config_reference' });
      await admin.applyConfiguration({ files: [strategy] });
      await admin.applyConfiguration({ files: [using] });
    }),
  );

  test(
    'two who change the same at once both succeed, one after the other',
    withEdgeApi(async ({ admin }) => {
      await admin.applyConfiguration({ files: WHOLE });
      const folders = ['/a', '/b', '/c', '/d'];
      await Promise.all(
        folders.map((folder) => admin.applyConfiguration({ files: [file(project({ folder }))] })),
      );
      const { documents } = await admin.configuration();
      assert.equal(documents.find(({ kind }) => kind === 'project')?.version, 5);
    }),
  );
});

describe('releases', () => {
  test(
    'the same content again is the same release, other content under its version is refused',
    withEdgeApi(async ({ admin, configure, folder }) => {
      await configure(1, []);
      const path = join(folder, 'web.tar.gz');
      await writeFile(path, 'one');
      const artifacts = [{ name: 'web.tar.gz', path }];
      const create = () =>
        admin.createRelease({ kind: 'release', project: 'web', version: '1.0.0', artifacts });
      const first = await create();
      assert.deepEqual([first.created, (await create()).created], [true, false]);
      await writeFile(path, 'two');
      await assert.rejects(create(), { code: 'release_exists' });
      const { releases } = await admin.releases({ project: 'web' });
      assert.deepEqual(
        releases.map(({ id }) => id),
        [first.release],
      );
      await assert.rejects(admin.releases({ project: 'nix' }), { code: 'project_unknown' });
    }),
  );

  test(
    'who may only release names no file of the server as a template, and no secret; texts and values are his',
    withEdgeApi(async (edge) => {
      await edge.configure(1, []);
      const deployer = edge.client(await edge.token('deploy'));
      const create = (version: string, more: object) =>
        deployer.createRelease({ kind: 'release', project: 'web', version, ...more });
      const path = join(edge.folder, 'template');
      await writeFile(path, 'a={{a}}\n');
      const secret = { source: 'env', name: 'HOME' } as const;
      const plain = { name: 'a', value: '1' };
      const files = [{ path: 'a', content: 'a={{a}}\n' }];
      await assert.rejects(create('1', { files: [{ path: 'a', template: path }], variables: [plain] }), {
        code: 'permission_denied',
      });
      await assert.rejects(create('1', { files, variables: [{ name: 'a', secret }] }), {
        code: 'permission_denied',
      });
      assert.equal((await create('1', { files, variables: [plain] })).created, true);
      const made = { kind: 'release', project: 'web', version: '2' } as const;
      const whole = await edge.admin.createRelease({
        ...{ ...made, files: [{ path: 'a', template: path }], variables: [{ name: 'a', secret }] },
      });
      assert.equal(whole.created, true);
    }),
  );

  test(
    'of the same version with other content at the same time never both stay',
    withEdgeApi(async ({ admin, configure, folder }) => {
      await configure(1, []);
      const create = async (content: string) => {
        const path = join(folder, content);
        await writeFile(path, content);
        const artifacts = [{ name: 'web.tar.gz', path }];
        return admin.createRelease({ kind: 'release', project: 'web', version: '1.0.0', artifacts });
      };
      await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(create));
      const { releases } = await admin.releases({ project: 'web' });
      assert.ok(releases.length <= 1, `${releases.length} releases of one version`);
    }),
  );

  test(
    'a release file among the configuration is made with it',
    withEdgeApi(async ({ admin, folder }) => {
      const path = join(folder, 'web.tar.gz');
      await writeFile(path, 'one');
      const release = file({
        ...{ project: 'web', version: '1.0.0', artifacts: [{ name: 'w', path }] },
        kind: 'release',
      });
      const { documents } = await admin.applyConfiguration({ files: [...WHOLE, release] });
      assert.deepEqual(documents.at(-1)?.change, 'created');
      assert.equal((await admin.releases({ project: 'web' })).releases.length, 1);
    }),
  );
});

describe('doctor', () => {
  test(
    'says of each host and pool what it saw and what is wrong',
    withEdgeApi(async ({ admin, configure, hosts }) => {
      await configure(3);
      hosts.set('web-2', { missing: ['tar'], freeBytes: 1_048_576 });
      hosts.set('web-3', new EdgeError('host_unreachable', 'web-3 does not answer'));
      const { checks } = await admin.doctor({ project: 'web', environment: 'production' });
      const seen = checks.map(({ name, ok, problems }) => [name, ok, problems.map(({ code }) => code)]);
      assert.deepEqual(seen, [
        ['web-1', true, []],
        ['web-2', false, ['host_unfit', 'host_unfit']],
        ['web-3', false, ['host_unreachable']],
        ['lb:9999/web', true, []],
      ]);
      await assert.rejects(admin.doctor({ project: 'nix', environment: 'production' }), {
        code: 'project_unknown',
      });
    }),
  );

  test(
    'a balancer that does not answer, and a member that is not there, are told apart',
    withEdgeApi(async ({ admin, balancer }) => {
      const strange = targets(1, () => ({ member: 'web/nobody' }));
      const files = [file(project()), file(environment()), file(projectEnvironment({ targets: strange }))];
      await admin.applyConfiguration({ files });
      const pool = async () =>
        (await admin.doctor()).checks.find(({ kind }) => kind === 'balancer')?.problems[0]?.code;
      assert.equal(await pool(), 'balancer_member_unknown');
      balancer.setReachable(false);
      assert.equal(await pool(), 'balancer_unreachable');
    }),
  );
});
