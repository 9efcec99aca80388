import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { requireService } from '../../../scripts/services.ts';
import { INSTALL, MARKER, markerText } from './install-script.ts';

const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];
const busybox = requireService('busybox');
const root = mkdtempSync(join(tmpdir(), 'edge install-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** A shell with its own coreutils where it brings them; a folder and an archive to install. */
function hostWith(shell: readonly string[]) {
  const home = mkdtempSync(join(root, 'host-'));
  const folder = join(home, 'web');
  mkdirSync(join(home, 'content/bin'), { recursive: true });
  writeFileSync(join(home, 'content/bin/start'), 'go');
  const archive = join(home, 'web.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', join(home, 'content'), '.']);
  const [program = '', ...rest] = shell;
  const run = (script: string, ...values: readonly string[]) =>
    spawnSync(program, [...rest, '-c', script, 'edge', ...values], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: home },
    });
  const install = (
    version: string,
    { keep = 5, artifacts = [archive, 'web.tar.gz', 'tar.gz'], token = 't1', at = folder } = {},
  ) => run(INSTALL, at, `${version}-aaaa`, `hash ${version}`, String(keep), token, ...artifacts);
  return { home, folder, archive, install };
}

/** Why a shell cannot be tried here, if so. */
function whyWithout([program = '']: readonly string[]): string | undefined {
  if (program === 'busybox') return busybox.skip;
  return spawnSync(program, ['-c', 'true']).error && `${program} not found`;
}

for (const shell of SHELLS) {
  describe(shell.join(' '), { skip: whyWithout(shell) ?? false }, () => installs(shell));
}

function installs(shell: readonly string[]): void {
  test('a release is unpacked, marked and linked', () => {
    const { folder, install, archive } = hostWith(shell);
    const done = install('1.0', { artifacts: [archive, 'web', 'tar.gz', archive, 'web.bin', 'none'] });
    assert.deepEqual([done.status, done.stderr], [0, '']);
    assert.equal(readFileSync(join(folder, 'current', MARKER), 'utf8'), markerText('hash 1.0'));
    assert.equal(readlinkSync(join(folder, 'current')), 'releases/1.0-aaaa');
    assert.deepEqual(readdirSync(join(folder, 'current/')).sort(), ['.edge-release', 'bin', 'web.bin']);
    assert.equal(readFileSync(join(folder, 'current/bin/start'), 'utf8'), 'go');
  });

  test('a release that is whole is not unpacked again', () => {
    const { folder, install } = hostWith(shell);
    install('1.0');
    writeFileSync(join(folder, 'current/written-later'), '');
    assert.equal(install('1.0', { artifacts: ['/no/such/file', 'x', 'tar.gz'] }).status, 0);
    assert.ok(existsSync(join(folder, 'current/written-later')));
  });

  test('a release of the same name with other content, or cut short, is replaced as a whole', () => {
    const { folder, install } = hostWith(shell);
    mkdirSync(join(folder, 'releases/1.0-aaaa'), { recursive: true });
    writeFileSync(join(folder, 'releases/1.0-aaaa/half'), '');
    assert.equal(install('1.0').status, 0);
    assert.deepEqual(readdirSync(join(folder, 'current/')).sort(), ['.edge-release', 'bin']);
  });

  test('an archive that cannot be unpacked leaves everything as it was', () => {
    const { home, folder, install } = hostWith(shell);
    install('1.0');
    writeFileSync(join(home, 'broken.tar.gz'), 'not an archive');
    const failed = install('2.0', { artifacts: [join(home, 'broken.tar.gz'), 'x', 'tar.gz'] });
    assert.notEqual(failed.status, 0);
    assert.equal(readlinkSync(join(folder, 'current')), 'releases/1.0-aaaa');
    assert.deepEqual(readdirSync(join(folder, 'releases')), ['1.0-aaaa']);
  });

  test('the last releases are kept, and always the current and the previous one', () => {
    const { folder, install } = hostWith(shell);
    for (const version of ['1.0', '2.0', '3.0', '4.0']) assert.equal(install(version, { keep: 1 }).status, 0);
    assert.deepEqual(readdirSync(join(folder, 'releases')).sort(), ['3.0-aaaa', '4.0-aaaa']);
    assert.equal(install('3.0', { keep: 1 }).status, 0);
    assert.equal(readlinkSync(join(folder, 'current')), 'releases/3.0-aaaa');
    assert.equal(readlinkSync(join(folder, 'previous')), 'releases/4.0-aaaa');
    assert.deepEqual(readdirSync(join(folder, 'releases')).sort(), ['3.0-aaaa', '4.0-aaaa']);
  });

  test('folders that Edge did not make are left alone', () => {
    const { folder, install } = hostWith(shell);
    mkdirSync(join(folder, 'releases/by-hand'), { recursive: true });
    for (const version of ['1.0', '2.0', '3.0']) install(version, { keep: 1 });
    assert.deepEqual(readdirSync(join(folder, 'releases')).sort(), ['2.0-aaaa', '3.0-aaaa', 'by-hand']);
  });

  test('a folder may be below the home folder', () => {
    const { folder, install } = hostWith(shell);
    assert.equal(install('1.0', { at: '~/web' }).status, 0);
    assert.equal(readlinkSync(join(folder, 'current')), 'releases/1.0-aaaa');
  });

  test('values are never read as code', () => {
    const { home, install } = hostWith(shell);
    const evil = `$(touch ${home}/pwned);\`touch ${home}/pwned\`'"`;
    install('1.0', { artifacts: [evil, evil, 'tar.gz'] });
    assert.equal(existsSync(join(home, 'pwned')), false);
  });
}
