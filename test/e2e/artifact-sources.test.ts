import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { type EdgeClient, edgeClient } from '../../src/api/client.ts';
import { uploadFile } from '../../src/api/upload.ts';
import { type RunningServer, startServer } from '../../src/compose.ts';
import { tarGz } from '../../src/lab/tar-gz.ts';
import { tar } from '../../src/lib/tar.ts';
import { type ArtifactSource, startArtifactSource } from '../support/artifact-source.ts';
import { cli } from '../support/cli-process.ts';
import { type SshdFleet, startSshdFleet } from '../support/sshd.ts';
import { until } from '../support/until.ts';
import { zip } from '../support/zip.ts';

const sshd = requireService('sshd');
const PLACE = { project: 'app', environment: 'dc' };
const FILES = [
  { path: 'bin/run', mode: 0o755, data: Buffer.from('#!/bin/sh\n') },
  { path: 'conf/app.conf', mode: 0o644, data: Buffer.from('a=1\n') },
];
const ZIP = zip([
  { name: 'bin/run', content: '#!/bin/sh\n', mode: 0o100755 },
  { name: 'conf/app.conf', content: 'a=1\n' },
]);

describe('artifacts of each kind of source, on real hosts', { skip: sshd.skip ?? false }, () => {
  let fleet: SshdFleet;
  let source: ArtifactSource;
  let server: RunningServer;
  let edge: EdgeClient;

  before(async () => {
    fleet = await startSshdFleet({
      sshdPath: sshd.path ?? '',
      network: '127.72.35',
      count: 2,
      shell: 'busybox',
    });
    source = await startArtifactSource();
    const dataFolder = join(fleet.folder, 'data');
    await mkdir(dataFolder, { mode: 0o700 });
    server = await startServer({
      ...{ version: '0.0.0-test', host: '127.0.0.1', port: 0, pools: ['default'], dataFolder },
      environment: { ...process.env, NEXUS: 'ann:s3cret-of-nexus' },
      log: () => {},
    });
    edge = edgeClient({ server: server.url, token: server.token ?? '', deadlineMs: 60_000 });
    const files = documents(fleet).map((document) => ({
      path: `${document.kind}.yaml`,
      text: JSON.stringify(document),
    }));
    await edge.applyConfiguration({ files });
  });
  after(async () => {
    await server?.stop();
    await source?.close();
    await fleet?.stop();
  });

  const release = (version: string, artifact: object) =>
    edge.createRelease({
      kind: 'release',
      project: 'app',
      version,
      artifacts: [{ name: 'app.bin', ...artifact }],
    });

  async function deployed(version: string, more: object = {}): Promise<void> {
    const { deployment } = await edge.deploy({ ...PLACE, version, force: true, reason: 'test', ...more });
    const look = () => edge.deployment({ deployment });
    const isOver = ({ deployment: { ended, status } }: Awaited<ReturnType<typeof look>>) =>
      ended || status === 'paused';
    await until('it is over', async () => isOver(await look()), 60_000);
    const seen = await look();
    assert.equal(seen.deployment.status, 'succeeded', JSON.stringify(seen.deployment));
    const record = JSON.stringify([
      seen,
      await edge.deploymentPlan({ deployment }),
      await edge.deploymentEvents({ deployment }),
    ]);
    assert.equal(record.includes('s3cret-of-nexus'), false);
  }

  const onEach = async (file: string): Promise<readonly string[]> =>
    Promise.all(fleet.hosts.map(({ home }) => readFile(join(home, 'app/current', file), 'utf8')));

  const unpacked = async (): Promise<void> => {
    assert.deepEqual(await onEach('bin/run'), ['#!/bin/sh\n', '#!/bin/sh\n']);
    assert.deepEqual(await onEach('conf/app.conf'), ['a=1\n', 'a=1\n']);
  };

  test('«artifacts over HTTP(S), with credentials by reference and a digest», behind a redirect, cut in the middle: no secret in the record', async () => {
    const bytes = randomBytes(3_000_000);
    source.files.set('/real.bin', bytes);
    source.redirects.set('/app.bin', '/real.bin');
    source.authorization = `Basic ${Buffer.from('ann:s3cret-of-nexus').toString('base64')}`;
    source.cuts.push(2_000_000);
    const credentials = { source: 'env', name: 'NEXUS' };
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await release('url', { url: `${source.url}/app.bin`, credentials, sha256 });
    await deployed('url');
    const [first, ...later] = source.asked.filter(({ path }) => path === '/real.bin');
    assert.deepEqual([first?.from, later.length], [0, 1]);
    assert.ok(
      later.every(({ from }) => from > 0),
      'it is gone on with',
    );
    source.authorization = undefined;
    for (const { home } of fleet.hosts)
      assert.deepEqual(await readFile(join(home, 'app/current/app.bin')), bytes);
  });

  test('«artifacts in the layout of a Maven repository»: a zip is unpacked, on hosts that have no program for it', async () => {
    source.files.set('/m/com/example/app/1.0/app-1.0-dist.zip', ZIP);
    const maven = { repository: `${source.url}/m`, group: 'com.example', artifact: 'app', version: '1.0' };
    await release('maven', { maven: { ...maven, classifier: 'dist', extension: 'zip' }, unpack: 'zip' });
    await deployed('maven');
    await unpacked();
  });

  test('«an archive is unpacked safely, into the folder of its release»: a zip that leads out is refused when the release is made, and nothing of it is kept', async () => {
    source.files.set('/evil.zip', zip([{ name: '../../evil', content: 'x' }]));
    const made = release('evil', { url: `${source.url}/evil.zip`, unpack: 'zip' });
    await assert.rejects(made, { code: 'artifact_unreadable', message: /app\.bin/ });
    const { releases } = await edge.releases({ project: 'app' });
    assert.equal(
      releases.some(({ version }) => version === 'evil'),
      false,
    );
  });

  test('«artifacts that are local files», each «a tar, a zip or a single file»', async () => {
    for (const [unpack, bytes] of [
      ['tar', tar(FILES)],
      ['tar.gz', tarGz(FILES)],
      ['zip', ZIP],
    ] as const) {
      const path = join(fleet.folder, `app.${unpack}`);
      await writeFile(path, bytes);
      await release(unpack, { path, unpack });
      await deployed(unpack);
      await unpacked();
    }
    const path = join(fleet.folder, 'app.tar');
    await release('single', { path });
    await deployed('single');
    assert.deepEqual(await onEach('app.bin'), [tar(FILES).toString(), tar(FILES).toString()]);
  });

  test('«artifacts that are uploaded through the API», the file gone by the time of the deployment', async () => {
    await writeFile(join(fleet.folder, 'app.zip'), ZIP);
    const text =
      'kind: release\nproject: app\nversion: upload\nartifacts:\n  - { name: app.zip, path: app.zip, upload: true, unpack: zip }\n';
    await writeFile(join(fleet.folder, 'release.yaml'), text);
    const settings = { server: server.url, token: server.token ?? '' };
    const made = await cli(['releases', 'create', 'release.yaml'], { settings, folder: fleet.folder });
    assert.deepEqual([made.status, made.stderr], [0, '']);
    const options = ['releases', 'create', 'app', 'upload-2', '-a', 'app.zip=app.zip', '--upload'];
    assert.equal((await cli(options, { settings, folder: fleet.folder })).status, 0);
    await rm(join(fleet.folder, 'app.zip'));
    await deployed('upload');
    await unpacked();
    await deployed('upload-2');
    await unpacked();
  });

  test('«artifacts of a commit of a Git repository»', async () => {
    const work = join(fleet.folder, 'work');
    await mkdir(join(work, 'bin'), { recursive: true });
    await mkdir(join(work, 'conf'));
    for (const { path, data } of FILES) await writeFile(join(work, path), data);
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-C', work, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        encoding: 'utf8',
      });
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'first');
    const commit = git('rev-parse', 'HEAD').trim();
    await release('git', { git: { repository: `file://${work}`, commit }, unpack: 'tar.gz' });
    await rm(work, { recursive: true });
    await deployed('git');
    await unpacked();
  });

  test('«artifacts are looked at before any target is touched»: what neither source nor store have any more is refused', async () => {
    source.files.set('/next.bin', randomBytes(1_000));
    await release('next', { url: `${source.url}/next.bin` });
    await deployed('next');
    source.files.delete('/next.bin');
    await rm(join(fleet.folder, 'data/artifacts/sha256'), { recursive: true });
    const planned = edge.plan({ ...PLACE, version: 'next', force: true });
    await assert.rejects(planned, { code: 'artifact_unreadable', message: /next\.bin.*404/ });
  });

  test('a client with no token sends nothing', async () => {
    const path = join(fleet.folder, 'secret');
    await writeFile(path, 'x');
    await assert.rejects(uploadFile(path, { server: server.url }), { code: 'token_missing' });
  });
});

function documents({ hosts }: SshdFleet) {
  const [host] = hosts;
  const nothing = (what: string) => ['sh', '-c', `: ${what}`];
  return [
    {
      ...{ kind: 'project', name: 'app', folder: '~/app' },
      commands: { start: nothing('start'), stop: nothing('stop') },
    },
    { kind: 'environment', name: 'dc', ssh: { user: host?.user, identityFile: host?.identityFile } },
    {
      ...{ kind: 'project-environment', project: 'app', environment: 'dc' },
      strategy: { canary: 0, batches: '100%', parallel: 2, settleMs: 0 },
      targets: hosts.map(({ address, port, fingerprint }, n) => ({
        ...{ name: `web-${n + 1}`, address, sshPort: port, hostKey: fingerprint },
      })),
    },
  ];
}
