import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARTIFACT, plannedFile, RELEASE } from '../../../test/support/planned-release.ts';
import { expectKind, HOST, Trial } from '../../../test/support/trial.ts';
import type { Program } from '../../adapters/memory/behaviour.ts';
import { sha256 } from '../../lib/hash.ts';
import { tar } from '../../lib/tar.ts';
import { releaseInstall } from './release-install.ts';

const inputs = { host: HOST, folder: '/srv/web', keep: 5, release: RELEASE };
const MARK = '/srv/web/releases/2.0-abcdef01/.edge-release';
const INCOMING = `/srv/web/releases/.incoming/${ARTIFACT.sha256}`;

/** The install takes some time. */
const host =
  ({ code = 0 } = {}): Program =>
  () => ({
    durationMs: 1_000,
    code,
    output: [{ atMs: 0, text: code === 0 ? '' : 'No space left on device\n' }],
  });
const startsOf = (trial: Trial): number[] => [...trial.host.starts.values()];

test('artifacts are copied against their digest, then unpacked and linked', async () => {
  const trial = new Trial({ program: host() });
  const { outputs } = expectKind(await trial.finish(releaseInstall, inputs), 'done');
  assert.deepEqual(outputs, { folder: '/srv/web/releases/2.0-abcdef01', release: '2.0-abcdef01' });
  assert.deepEqual(trial.host.files.get(INCOMING), {
    ...{ localPath: ARTIFACT.path, path: INCOMING, sha256: ARTIFACT.sha256, sizeBytes: 10, mode: 0o644 },
    unless: { path: MARK, sha256: sha256('abcdef01\n') },
  });
  assert.deepEqual(startsOf(trial), [1]);
});

test('a folder below the home folder is told as the host has it', async () => {
  const trial = new Trial({ program: host() });
  const { outputs } = expectKind(await trial.finish(releaseInstall, { ...inputs, folder: '~/web' }), 'done');
  assert.equal(outputs.folder, '/home/web/releases/2.0-abcdef01');
});

test('a release that is on the host already is not copied again', async () => {
  const trial = new Trial({ program: host() });
  const mark = { localPath: '/mark', path: MARK, sha256: sha256('abcdef01\n'), mode: 0o644 };
  await trial.hosts.upload(HOST, mark, new AbortController().signal);
  expectKind(await trial.finish(releaseInstall, inputs), 'done');
  assert.equal(trial.host.files.has(INCOMING), false);
});

for (const at of ['before-save', 'after-save'] as const) {
  for (const nth of [1, 2]) {
    test(`an owner that dies ${at} number ${nth} is followed by one that ends the work, each command run once`, async () => {
      const trial = new Trial({ program: host() });
      await trial.attempt(releaseInstall, inputs, { crash: { at, nth } });
      expectKind(await trial.finish(releaseInstall, inputs), 'done');
      assert.deepEqual(startsOf(trial), [1]);
    });
  }
}

test('a host that rebooted during the install is unknown, and the next attempt begins anew', async () => {
  const trial = new Trial({ program: host() });
  const running = trial.attempt(releaseInstall, inputs, { crash: { at: 'after-save', nth: 2 } });
  await running;
  trial.host.reboot();
  expectKind(await trial.attempt(releaseInstall, inputs), 'unknown');
  expectKind(await trial.finish(releaseInstall, inputs), 'done');
});

test('after a supervisor that died nobody waits for its command: it is ended, and another one is started', async () => {
  const trial = new Trial({ program: host() });
  trial.at(300, () => {
    for (const id of trial.host.starts.keys()) trial.host.killSupervisor(id);
  });
  expectKind(await trial.attempt(releaseInstall, inputs), 'unknown');
  assert.equal(trial.host.running().length, 1);
  expectKind(await trial.finish(releaseInstall, inputs), 'done');
  assert.deepEqual(startsOf(trial), [1, 1]);
  assert.deepEqual(trial.host.running(), []);
});

test('a script that fails says what the host said', async () => {
  const trial = new Trial({ program: host({ code: 1 }) });
  const { error } = expectKind(await trial.finish(releaseInstall, inputs), 'failed');
  assert.match(error.message, /installing 2.0-abcdef01 in \/srv\/web.*exit status 1.*No space left/s);
});

test('a host that cannot be reached for the copy is tried again', async () => {
  const trial = new Trial({ program: host() });
  trial.host.reachable = false;
  assert.equal(expectKind(await trial.attempt(releaseInstall, inputs), 'failed').retryable, true);
  trial.host.reachable = true;
  expectKind(await trial.finish(releaseInstall, inputs), 'done');
});

test('a cancel ends the command that runs', async () => {
  const trial = new Trial({ program: host() });
  const worker = new AbortController();
  trial.at(300, () => worker.abort(new Error('cancelled')));
  await assert.rejects(trial.attempt(releaseInstall, inputs, { signal: worker.signal }), /cancelled/);
  assert.deepEqual(await trial.cancel(releaseInstall, inputs), {
    gone: true,
    note: 'its processes were ended',
  });
});

test('a cancel ends a command too that lost its supervisor, and after which another one was begun', async () => {
  const trial = new Trial({ program: host() });
  trial.at(300, () => {
    for (const id of trial.host.starts.keys()) trial.host.killSupervisor(id);
  });
  expectKind(await trial.attempt(releaseInstall, inputs), 'unknown');
  assert.equal(trial.host.running().length, 1);
  assert.equal((await trial.cancel(releaseInstall, inputs)).gone, true);
  assert.deepEqual(trial.host.running(), []);
});

test('a release without a safe name is refused', async () => {
  const evil = { ...inputs, release: { ...RELEASE, id: '../../etc' } };
  assert.equal(expectKind(await new Trial().attempt(releaseInstall, evil), 'failed').error.code, 'internal');
});

/** The archives of property files that a host was sent: all that has no digest for a name. */
const bundlesOn = (trial: Trial) =>
  [...trial.host.files.values()].flatMap(({ content, mode }) => (content ? [{ content, mode }] : []));
const bundle = (text: string) => ({
  content: tar([{ path: '0', mode: 0o600, data: Buffer.from(text) }]),
  mode: 0o600,
});
const withFiles = (template: string) => ({ ...inputs, files: plannedFile(template) });

test('property files are made for the target, and sent with their secrets', async () => {
  const trial = new Trial({ program: host(), secrets: { PASSWORD: 'tr0ub4dor' } });
  const files = withFiles('on {{edge.target}}: {{password}}\n');
  expectKind(await trial.finish(releaseInstall, files), 'done');
  assert.deepEqual(bundlesOn(trial), [bundle('on web-1: tr0ub4dor\n')]);
  assert.equal(JSON.stringify([trial.saved, trial.output, trial.progress]).includes('tr0ub4dor'), false);
});

test('files of a release without artifacts too lie where the host has the folder', async () => {
  const trial = new Trial({ program: host() });
  const files = { ...withFiles('a\n'), folder: '~/web', release: { ...RELEASE, artifacts: [] } };
  const { outputs } = expectKind(await trial.finish(releaseInstall, files), 'done');
  assert.equal(outputs.folder, '/home/web/releases/2.0-abcdef01');
  const only = new Trial({ program: host() });
  expectKind(await only.finish(releaseInstall, { ...withFiles('a\n'), filesOnly: true }), 'done');
  assert.equal(only.host.files.size, 1, 'no artifact was sent');
});

test('a secret of several lines stands alone on its line, or nothing is put anywhere', async () => {
  const trial = () => new Trial({ program: host(), secrets: { PASSWORD: 'one\ntwo' } });
  const alone = trial();
  expectKind(await alone.finish(releaseInstall, withFiles('{{password}}\n')), 'done');
  assert.deepEqual(bundlesOn(alone), [bundle('one\ntwo\n')]);
  const beside = trial();
  const { error } = expectKind(
    await beside.finish(releaseInstall, withFiles('password={{password}}\n')),
    'failed',
  );
  assert.equal(error.code, 'secret_unavailable');
  assert.match(error.message, /PASSWORD in conf\/web.conf .*several lines/);
  assert.deepEqual([bundlesOn(beside), startsOf(beside)], [[], []]);
});

test('a worker that would make other files than the plan holds puts nothing anywhere', async () => {
  const trial = new Trial({ program: host() });
  const { files, ...rest } = withFiles('a\n');
  const other = { ...rest, files: { ...files, place: { ...files.place, zone: 'west' }, digest: 'other' } };
  const { error } = expectKind(await trial.finish(releaseInstall, other), 'failed');
  assert.equal(error.code, 'plan_changed');
  assert.deepEqual([bundlesOn(trial), startsOf(trial)], [[], []]);
});

for (const at of ['before-save', 'after-save'] as const) {
  for (const nth of [1, 2]) {
    test(`property files too are there once an owner has died ${at} number ${nth}`, async () => {
      const trial = new Trial({ program: host() });
      const files = withFiles('on {{edge.target}}\n');
      await trial.attempt(releaseInstall, files, { crash: { at, nth } });
      expectKind(await trial.finish(releaseInstall, files), 'done');
      assert.deepEqual(startsOf(trial), [1]);
      assert.deepEqual(bundlesOn(trial), [bundle('on web-1\n')]);
    });
  }
}
