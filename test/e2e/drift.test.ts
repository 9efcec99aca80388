import assert from 'node:assert/strict';
import { appendFile, chmod, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { edge, jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;
const HOSTS = 4;
const PATIENCE_MS = 60_000;
const SECRET = 'correct horse';

type Finding = {
  readonly state: string;
  readonly differs: readonly { readonly path: string; readonly how: string }[];
  readonly unknown: readonly string[];
  readonly added: readonly string[];
  readonly addedFiles: number;
  readonly targets: readonly string[];
};
type Shown = {
  readonly deployment: { readonly id: string; readonly by: string; readonly status: string };
  readonly findings: readonly Finding[];
};

describe('«drift is found: what is on each server now against what Edge put there, on demand and on schedule»', {
  skip: sshd.skip ?? haproxy.skip ?? false,
}, () => {
  let estate: Estate;
  const parent = () => join(estate.dataFolder, '..');
  const secretFile = () => join(parent(), 'db-password');

  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '' },
      ...{ network: '127.72.27', hosts: HOSTS, versions: ['v1'], minInService: 1 },
      strategy: '{ canary: 0, batches: "100%", parallel: 2, settleMs: 0 }',
    });
    await writeFile(secretFile(), SECRET);
    await apply(
      'release.yaml',
      `kind: release
project: ${PROJECT}
version: v2
reports: v1
artifacts: [{ name: app.tar.gz, path: ${join(parent(), 'releases/sample-v1.tar.gz')}, unpack: tar.gz }]
files:
  - { path: conf/app.conf, content: "on={{edge.target}}\\n" }
  - { path: conf/db.conf, mode: "0600", content: "password={{password}}\\n" }
variables:
  - { name: password, secret: { source: file, name: ${secretFile()} } }
`,
    );
    for (const version of ['v1', 'v2'])
      expectDone(await estate.edge('deploy', ...PLACE, version, '--yes', '--json'));
  });
  after(() => estate?.stop());

  const apply = async (name: string, text: string) => {
    const file = join(parent(), name);
    await writeFile(file, text);
    expectDone(await estate.edge('apply', '-f', file, '--json'));
  };
  const folderOf = (index: number) => join(estate.targets[index]?.sshd.home ?? '', 'shop');
  const inCurrent = (index: number, path: string) => join(folderOf(index), 'current', path);
  const looked = async (...words: readonly string[]) => {
    const end = await estate.edge('drift', ...PLACE, '--json', ...words);
    return { status: end.status, ...(jsonOf(end) as Shown) };
  };
  const told = ({ findings }: Shown) =>
    findings.map(({ state, differs, targets }) => [
      state,
      differs.map(({ path, how }) => `${path} ${how}`).toSorted(),
      targets,
    ]);
  const ALL = ['web-1', 'web-2', 'web-3', 'web-4'];
  const NONE = [['same', [], ALL]];
  const redeploy = async () =>
    expectDone(await estate.edge('deploy', ...PLACE, 'v2', '--force', '--yes', '--json'));

  test('what nobody has touched has not drifted', async () => {
    const seen = await looked();
    assert.deepEqual([seen.status, told(seen)], [0, NONE]);
    assert.deepEqual(
      seen.findings.flatMap(({ unknown }) => unknown),
      [],
    );
  });

  test('exactly what hands have changed is shown, equal findings together, and a deployment puts it back', async () => {
    for (const index of [0, 1]) await appendFile(inCurrent(index, 'conf/app.conf'), 'by hand\n');
    await rm(inCurrent(2, 'conf/app.conf'));
    const [program = ''] = (await readdir(inCurrent(2, ''))).filter((name) => name.endsWith('.mjs'));
    await appendFile(inCurrent(2, program), '// by hand\n');
    await chmod(inCurrent(2, 'bin/start'), 0o700);
    await rm(inCurrent(2, 'bin/stop'));
    const earlier = await readlink(join(folderOf(3), 'previous'));
    await rm(join(folderOf(3), 'current'));
    await symlink(earlier, join(folderOf(3), 'current'));
    await writeFile(join(folderOf(3), 'releases', (await releaseOf()) ?? '', 'app.log'), 'x');

    const seen = await looked();
    assert.equal(seen.status, 1);
    assert.deepEqual(told(seen), [
      ['drifted', ['conf/app.conf changed'], ['web-1', 'web-2']],
      [
        'drifted',
        ['bin/start mode', 'bin/stop missing', 'conf/app.conf missing', `${program} changed`],
        ['web-3'],
      ],
      ['drifted', ['current elsewhere'], ['web-4']],
    ]);
    assert.equal(seen.findings.at(-1)?.addedFiles, 1);
    const people = await estate.edge('drift', ...PLACE, '--last');
    assert.equal(people.status, 1);
    assert.match(people.stdout, /^4 of 4 targets have drifted \(.* by .*\)\.\nweb-\[1-2\] \(2\): drifted\n/);
    assert.match(people.stdout, /^ {2}conf\/app\.conf was changed$/m);
    assert.match(people.stdout, /^ {2}current leads to releases\/v1-\w+, not to releases\/v2-\w+$/m);

    // What runs cannot be stopped without its own program.
    await writeFile(join(folderOf(2), 'current/bin/stop'), await readFile(inCurrent(1, 'bin/stop')), {
      mode: 0o755,
    });
    await redeploy();
    const mended = await looked();
    assert.deepEqual([mended.status, told(mended)], [0, NONE]);
    const added = await looked('--added', '--targets', 'web-4');
    assert.deepEqual([added.status, added.findings[0]?.added], [1, ['app.log']]);
  });

  const releaseOf = async () => (await readlink(join(folderOf(0), 'current'))).split('/').at(-1);

  test('a rotated secret shows as drift of its file, and is nowhere to be read', async () => {
    await writeFile(secretFile(), 'rotated');
    const seen = await looked();
    assert.deepEqual(told(seen), [['drifted', ['conf/db.conf changed'], ALL]]);
    for (const words of [
      ['logs', seen.deployment.id],
      ['watch', seen.deployment.id, '--json'],
    ]) {
      const { stdout } = await estate.edge(...words);
      for (const text of [SECRET, 'rotated']) assert.equal(stdout.includes(text), false, words.join(' '));
    }
    await redeploy();
    assert.deepEqual(told(await looked()), NONE);
  });

  test('what cannot be reached is unknown, and never without drift', async () => {
    const file = join(parent(), 'estate.yaml');
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const gone = (lines.at(-1) ?? '').replace(/sshPort: \d+/, 'sshPort: 1');
    await apply('gone.yaml', [...lines.slice(0, -1), gone, ''].join('\n'));
    const seen = await looked();
    assert.equal(seen.status, 7);
    assert.deepEqual(told(seen), [
      ['unknown', [], ['web-4']],
      ['same', [], ALL.slice(0, 3)],
    ]);
    assert.match(seen.findings[0]?.unknown.join() ?? '', /127\.72\.27\..*:1/);
    expectDone(await estate.edge('apply', '-f', file, '--json'));
  });

  test('a target that is being deployed is said to be so, and a look holds up no deployment', async () => {
    const stop = 'while [ ! -e "$HOME/go" ]; do sleep 0.1; done; exec current/bin/stop';
    const file = join(parent(), 'estate.yaml');
    const text = await readFile(file, 'utf8');
    const commands = `commands: ${JSON.stringify({ stop: ['sh', '-c', stop] })}`;
    await apply(
      'slow.yaml',
      text.replace(/^kind: project$/m, () => `kind: project\n${commands}`),
    );
    const running = estate.start('deploy', ...PLACE, 'v1', '--yes', '--json');
    await until(
      'two targets are worked on',
      async () =>
        (await looked()).findings.some(({ state, targets }) => state === 'deploying' && targets.length >= 2),
      PATIENCE_MS,
    );
    for (let index = 0; index < HOSTS; index += 1)
      await writeFile(join(estate.targets[index]?.sshd.home ?? '', 'go'), '');
    assert.equal((await running.ended).status, 0);
    assert.deepEqual(told(await looked()), NONE);
    expectDone(await estate.edge('apply', '-f', file, '--json'));
  });

  test('viewers see what was found, and only who may plan may look', async () => {
    const token = expectDone(await estate.edge('token', 'create', 'a viewer', '--role', 'view', '--json'));
    const as = {
      dataFolder: estate.dataFolder,
      env: { EDGE_TOKEN: (jsonOf(token) as { secret: string }).secret },
    };
    assert.equal((await edge(['drift', ...PLACE, '--last', '--json'], as)).status, 0);
    const refused = jsonOf(await edge(['drift', ...PLACE, '--json'], as)) as { error: { code: string } };
    assert.equal(refused.error.code, 'permission_denied');
  });

  test('by the schedule of its configuration it looks by itself, and the history of deployments is as it was', async () => {
    const text = await readFile(join(parent(), 'estate.yaml'), 'utf8');
    const scheduled = text.replace(
      /^kind: project-environment$/m,
      'kind: project-environment\ndrift: { everyMs: 3600000 }',
    );
    await apply('scheduled.yaml', scheduled);
    const last = async () => (await looked('--last')).deployment;
    await until('it has looked', async () => (await last()).by === 'schedule', PATIENCE_MS);
    assert.equal((await looked('--last')).status, 0);
    const { deployments } = jsonOf(await estate.edge('history', ...PLACE, '--json')) as {
      deployments: readonly { verb: string }[];
    };
    assert.equal(
      deployments.some(({ verb }) => verb === 'drift'),
      false,
    );
    await apply('unscheduled.yaml', text);
  });
});
