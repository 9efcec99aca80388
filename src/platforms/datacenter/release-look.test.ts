import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plannedFile, RELEASE } from '../../../test/support/planned-release.ts';
import { expectKind, HOST, Trial } from '../../../test/support/trial.ts';
import type { Program } from '../../adapters/memory/behaviour.ts';
import { sha256 } from '../../lib/hash.ts';
import { releaseLook } from './release-look.ts';

const inputs = { host: HOST, folder: '/srv/web', release: RELEASE };
const PATH = 'conf/web.conf';

/** A host with the release as it was put there, and this in its only property file. */
const host =
  (content: string, { code = 0, rest = '[sums]\nended 0\n[modes]\n      1 listed\n' } = {}): Program =>
  () => ({
    ...{ durationMs: 1_000, code },
    output: [
      {
        atMs: 500,
        text: `current releases/${RELEASE.id}\nsame\nmark ${RELEASE.hash}\n[property files]\nmode 640 ${PATH}\n${sha256(content)}  ${PATH}\n${rest}`,
      },
    ],
  });
const SAME = { differs: [], moreDiffers: 0, unknown: [], added: [], moreAdded: 0 };
const files = plannedFile('on {{edge.target}}: {{password}}\n');
const secrets = { PASSWORD: 'tr0ub4dor' };

test('a release that is as it was put there differs in nothing, and no secret leaves the worker', async () => {
  const trial = new Trial({ program: host('on web-1: tr0ub4dor\n'), secrets });
  const { outputs } = expectKind(await trial.finish(releaseLook, { ...inputs, files }), 'done');
  assert.deepEqual(outputs, SAME);
  const digest = sha256('on web-1: tr0ub4dor\n');
  const left = JSON.stringify([trial.saved, trial.output, trial.progress, outputs, trial.host.files]);
  for (const secret of ['tr0ub4dor', digest]) assert.equal(left.includes(secret), false);
});

test('a secret that was rotated shows as a difference of its file', async () => {
  const trial = new Trial({ program: host('on web-1: before\n'), secrets });
  const { outputs } = expectKind(await trial.finish(releaseLook, { ...inputs, files }), 'done');
  const differs = [{ what: 'property-file', path: PATH, how: 'changed', secret: true }];
  assert.deepEqual(outputs, { ...SAME, differs });
});

test('a secret that cannot be had leaves its file unknown, with the reason, and all else is looked at', async () => {
  const trial = new Trial({ program: host('x') });
  const { outputs } = expectKind(await trial.finish(releaseLook, { ...inputs, files }), 'done');
  assert.deepEqual(outputs.differs, []);
  assert.match(String(outputs.unknown), /^conf\/web\.conf: .*PASSWORD/);
});

test('files that can no longer be made are unknown, and so is what a command of the team installed', async () => {
  const given = { ...inputs, files: { ...files, digest: null }, filesOnly: true };
  const { outputs } = expectKind(await new Trial({ program: host('x') }).finish(releaseLook, given), 'done');
  assert.equal(Array.isArray(outputs.unknown) && outputs.unknown.length, 2);
});

test('a look that was cut off, or whose tools failed, is never taken for one that found nothing', async () => {
  for (const rest of [
    '',
    '[sums]\n[modes]\n',
    '[sums]\nsha256sum: not found\nended 127\n[modes]\n 1 listed\n',
    '[sums]\nsha256sum: WARNING: 1 line is improperly formatted\nended 1\n[modes]\n 1 listed\n',
    '[not whole]\n',
  ]) {
    const trial = new Trial({ program: host('x', { rest }) });
    const { outputs } = expectKind(await trial.finish(releaseLook, inputs), 'done');
    assert.notDeepEqual(outputs.unknown, [], rest);
  }
  const failed = new Trial({ program: host('x', { code: 2 }) });
  expectKind(await failed.finish(releaseLook, inputs), 'failed');
});

test('an owner that dies is followed by one that has all that the host said, and the host looked once', async () => {
  for (const at of ['before-save', 'after-save'] as const) {
    const trial = new Trial({ program: host('a\n') });
    const given = { ...inputs, files: plannedFile('a\n') };
    await trial.attempt(releaseLook, given, { crash: { at } });
    assert.deepEqual(expectKind(await trial.finish(releaseLook, given), 'done').outputs, SAME);
    assert.deepEqual([...trial.host.starts.values()], [1]);
  }
});

test('a path that is longer than all that may be told is cut, and what differs is told', async () => {
  const path = 'deep/'.repeat(4_000);
  const rest = `[sums]\n./${path}a: FAILED\nended 1\n[modes]\n 1 644 ./${path}b\n 1 listed\n`;
  const trial = new Trial({ program: host('x', { rest }) });
  const { differs, moreDiffers, added } = expectKind(await trial.finish(releaseLook, inputs), 'done').outputs;
  const cut = `${path.slice(0, 300)}…`;
  assert.deepEqual(differs, [{ what: 'file', path: cut, how: 'changed' }]);
  assert.deepEqual([moreDiffers, added], [0, [cut]]);
});
