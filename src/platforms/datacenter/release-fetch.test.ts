import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARTIFACT, plannedFile, RELEASE } from '../../../test/support/planned-release.ts';
import { expectKind, HOST, Trial } from '../../../test/support/trial.ts';
import { sha256 } from '../../lib/hash.ts';
import { GONE } from './install-script.ts';
import { releaseFetch } from './release-fetch.ts';
import { releaseInstall } from './release-install.ts';

const inputs = { host: HOST, folder: '~/web', release: RELEASE };
const files = (template = '{{password}}\n') => plannedFile(template);
const commandsOf = (trial: Trial) => [...trial.host.starts.values()];

test('a fetch brings the artifacts and runs one command, and says where they are', async () => {
  const trial = new Trial();
  const { outputs } = expectKind(await trial.finish(releaseFetch, inputs), 'done');
  assert.deepEqual(outputs, { folder: '/home/web' });
  assert.equal(trial.host.files.size, 1);
  assert.deepEqual(commandsOf(trial), [1]);
});

test('an install after it copies nothing, and notes nothing before its command', async () => {
  const trial = new Trial();
  const install = { ...inputs, keep: 5, fetched: '/home/web' };
  const { outputs } = expectKind(await trial.finish(releaseInstall, install), 'done');
  assert.equal(outputs.folder, '/home/web/releases/2.0-abcdef01');
  assert.equal(trial.host.files.size, 0);
});

test('what was fetched and is gone from the host is sent again, once', async () => {
  const codes = [GONE, 0];
  const install = { ...inputs, keep: 5, fetched: '/home/web' };
  const trial = new Trial({ program: () => ({ durationMs: 10, code: codes.shift() ?? GONE }) });
  expectKind(await trial.finish(releaseInstall, install), 'done');
  assert.deepEqual([trial.host.files.size, commandsOf(trial)], [1, [1, 1]]);
  const again = new Trial({ program: () => ({ durationMs: 10, code: GONE }) });
  const { error } = expectKind(await again.finish(releaseInstall, install), 'failed');
  assert.match(error.message, /exit status 3/);
  assert.deepEqual(commandsOf(again), [1, 1]);
});

test('what a host needs of a release that is whole, but not as it was, is sent whatever the mark says', async () => {
  const codes = [GONE, 0];
  const trial = new Trial({ program: () => ({ durationMs: 1, code: codes.shift() ?? 0 }) });
  const mark = { path: '/home/web/releases/2.0-abcdef01/.edge-release', sha256: sha256('abcdef01\n') };
  await trial.hosts.upload(HOST, { localPath: '/mark', mode: 0o644, ...mark }, new AbortController().signal);
  expectKind(await trial.finish(releaseFetch, { ...inputs, anew: true }), 'done');
  assert.equal(trial.host.files.has(`/home/web/releases/.incoming/${ARTIFACT.sha256}`), true);
  assert.deepEqual(commandsOf(trial), [1, 1]);
});

test('a cancel while it is sent again asks nobody about the command whose end was seen', async () => {
  const trial = new Trial({ program: () => ({ durationMs: 10, code: GONE }) });
  const install = { ...inputs, keep: 5, fetched: '/home/web' };
  await trial.attempt(releaseInstall, install, { crash: { at: 'after-save', nth: 2 } });
  trial.host.reachable = false;
  assert.equal((await trial.cancel(releaseInstall, install)).gone, true);
});

test('a fetch that is followed by another worker needs no secret: its command runs', async () => {
  const trial = new Trial({
    program: () => ({ durationMs: 1_000, code: 0 }),
    secrets: { PASSWORD: 'tr0ub4dor' },
  });
  const withFiles = { ...inputs, files: files() };
  await trial.attempt(releaseFetch, withFiles, { crash: { at: 'after-save', nth: 2 } });
  const elsewhere = { ...withFiles, files: { ...files(), digest: 'of another worker' } };
  expectKind(await trial.finish(releaseFetch, elsewhere), 'done');
  assert.deepEqual(commandsOf(trial), [1]);
});

test('property files are sent with the install, after a fetch too', async () => {
  const trial = new Trial({ secrets: { PASSWORD: 'tr0ub4dor' } });
  const install = { ...inputs, keep: 5, fetched: '/home/web', files: files() };
  expectKind(await trial.finish(releaseInstall, install), 'done');
  assert.deepEqual(
    [...trial.host.files.values()].map(({ content }) => content !== undefined),
    [true],
  );
});

test('a secret that cannot be put is noticed by the fetch, before anything is sent', async () => {
  const trial = new Trial({ secrets: { PASSWORD: 'one\ntwo' } });
  const beside = { ...inputs, files: files('password={{password}}\n') };
  const { error } = expectKind(await trial.finish(releaseFetch, beside), 'failed');
  assert.equal(error.code, 'secret_unavailable');
  assert.deepEqual([trial.host.files.size, commandsOf(trial)], [0, []]);
});

test('a fetch sends no property file and tells no secret', async () => {
  const trial = new Trial({ secrets: { PASSWORD: 'tr0ub4dor' } });
  expectKind(await trial.finish(releaseFetch, { ...inputs, files: files() }), 'done');
  assert.deepEqual(
    [...trial.host.files.values()].flatMap(({ content }) => content ?? []),
    [],
  );
  assert.equal(JSON.stringify([trial.saved, trial.output, trial.progress]).includes('tr0ub4dor'), false);
});

for (const at of ['before-save', 'after-save'] as const) {
  for (const nth of [1, 2]) {
    test(`an owner that dies ${at} number ${nth} is followed by one that ends the fetch, its command run once`, async () => {
      const trial = new Trial();
      await trial.attempt(releaseFetch, inputs, { crash: { at, nth } });
      expectKind(await trial.finish(releaseFetch, inputs), 'done');
      assert.deepEqual(commandsOf(trial), [1]);
    });
  }
}

test('a fetch that is tried again ends the one of which nobody saw the end', async () => {
  const trial = new Trial({ program: () => ({ durationMs: 60_000, code: 0 }) });
  trial.at(300, () => {
    for (const id of trial.host.starts.keys()) trial.host.killSupervisor(id);
  });
  expectKind(await trial.attempt(releaseFetch, inputs), 'unknown');
  const [before = ''] = trial.host.running();
  trial.retried();
  trial.at(1_000, () => assert.equal(trial.host.running().includes(before), false));
  expectKind(await trial.finish(releaseFetch, inputs), 'done');
});

test('a cancel ends the command of a fetch', async () => {
  const trial = new Trial({ program: () => ({ durationMs: 1_000, code: 0 }) });
  const worker = new AbortController();
  trial.at(300, () => worker.abort(new Error('cancelled')));
  await assert.rejects(trial.attempt(releaseFetch, inputs, { signal: worker.signal }), /cancelled/);
  assert.equal((await trial.cancel(releaseFetch, inputs)).gone, true);
  assert.deepEqual(trial.host.running(), []);
});
