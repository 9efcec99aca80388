import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hostWith, SHELLS, whyWithout } from '../../../test/support/release-host.ts';
import { GONE, INSTALL, MARKER } from './install-script.ts';

for (const shell of SHELLS) {
  describe(shell.join(' '), { skip: whyWithout(shell) ?? false }, () => installsAnew(shell));
}

/** What a forced deployment asks of the install: a release that is there whole is to be as it was put there. */
function installsAnew(shell: readonly string[]): void {
  test('a release that is whole is unpacked again where it is to be as it was, and is not', () => {
    const drifts: readonly ((current: string) => void)[] = [
      (current) => writeFileSync(join(current, 'bin/start'), 'changed'),
      (current) => rmSync(join(current, 'bin/start')),
      (current) => chmodSync(join(current, 'bin/start'), 0o600),
      (current) => rmSync(join(current, '.edge-manifest')),
      (current) => writeFileSync(join(current, '.edge-modes'), ''),
    ];
    for (const drift of drifts) {
      const { folder, archive, install } = hostWith(shell);
      const current = join(folder, 'current/');
      install('1.0');
      const before = statSync(join(current, 'bin/start')).mode;
      drift(current);
      const none = { anew: true, artifacts: [join(folder, 'sent'), 'web.tar.gz', 'tar.gz'] };
      assert.equal(install('1.0', { ...none, work: 'edge-fetch' }).status, GONE);
      assert.equal(install('1.0', none).status, GONE);
      const sent = { anew: true, artifacts: [archive, 'web.tar.gz', 'tar.gz'] };
      writeFileSync(join(current, 'serves'), '');
      assert.equal(install('1.0', { ...sent, work: 'edge-fetch' }).status, 0);
      assert.ok(existsSync(join(current, 'serves')));
      assert.equal(install('1.0', sent).status, 0);
      assert.equal(readFileSync(join(current, 'bin/start'), 'utf8'), 'go');
      assert.equal(statSync(join(current, 'bin/start')).mode, before);
      assert.equal(existsSync(join(current, 'serves')), false);
    }
  });

  test('a release that is to be as it was, and is, needs nothing: property files and what others have added are no drift', () => {
    const { folder, install } = hostWith(shell);
    const files = [
      { path: 'conf/app.conf', mode: '0640', text: 'on\n' },
      { path: 'bin/start', mode: '0700', text: 'in the place of a file of the artifact' },
    ];
    install('1.0', { files });
    writeFileSync(join(folder, 'current/app.log'), 'x');
    execFileSync('mkfifo', [join(folder, 'current/app.sock')]);
    const none = { anew: true, files, artifacts: ['/no/such/file', 'x', 'tar.gz'] };
    for (const work of ['edge-fetch', 'edge-install'])
      assert.equal(install('1.0', { ...none, work }).status, 0);
    assert.ok(existsSync(join(folder, 'current/app.log')));
  });

  test('what is in the place of a file, and may have no end, is never read', () => {
    for (const place of [
      (start: string) => execFileSync('mkfifo', ['-m', '755', start]),
      (start: string) => symlinkSync('/dev/zero', start),
    ]) {
      const { folder, archive, install } = hostWith(shell);
      install('1.0');
      const start = join(folder, 'current/bin/start');
      rmSync(start);
      place(start);
      assert.equal(install('1.0', { anew: true, artifacts: [archive, 'web.tar.gz', 'tar.gz'] }).status, 0);
      assert.equal(readFileSync(start, 'utf8'), 'go');
    }
  });

  test('a fetch rebuilds no release that was whole, from which something may run that is not current any more', () => {
    const { folder, archive, install } = hostWith(shell);
    install('1.0');
    install('2.0');
    const start = join(folder, 'releases/1.0-aaaa/bin/start');
    writeFileSync(start, 'changed');
    const sent = { anew: true, artifacts: [archive, 'web.tar.gz', 'tar.gz'] };
    assert.equal(install('1.0', { ...sent, work: 'edge-fetch' }).status, 0);
    assert.equal(readFileSync(start, 'utf8'), 'changed');
    assert.equal(install('1.0', sent).status, 0);
    assert.equal(readFileSync(start, 'utf8'), 'go');
  });

  test('what others have written into a release, and only they may remove, does not keep it from being replaced', (t) => {
    if (userInfo().uid !== 0) return t.skip('only root can make files of another user');
    const { folder, home, archive, install, runAs } = hostWith(shell);
    install('1.0');
    execFileSync('chown', ['-R', '65534', home]);
    for (const above of [home, join(home, '..')]) chmodSync(above, 0o755);
    const logs = join(folder, 'releases/1.0-aaaa/logs');
    mkdirSync(logs);
    writeFileSync(join(logs, 'app.log'), 'x');
    writeFileSync(join(folder, 'current/bin/start'), 'changed');
    const values = [folder, '1.0-aaaa', 'hash 1.0', '5', 't2', '', 'anew', archive, 'web.tar.gz', 'tar.gz'];
    const done = runAs(65534, INSTALL, 'edge-install', ...values, '--files');
    // What is left says so, in the log of the step.
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stderr, /app\.log/);
    assert.equal(readFileSync(join(folder, 'current/bin/start'), 'utf8'), 'go');
    assert.equal(existsSync(join(folder, 'current/logs')), false);
  });

  test('where a link is in the place of a release the link goes, and nothing of what it leads to', () => {
    const { folder, home, install } = hostWith(shell);
    install('1.0');
    const release = join(folder, 'releases/1.0-aaaa');
    const elsewhere = join(home, 'elsewhere');
    renameSync(release, elsewhere);
    writeFileSync(join(elsewhere, MARKER), 'another\n');
    symlinkSync(elsewhere, release);
    assert.equal(install('1.0').status, 0);
    assert.equal(lstatSync(release).isDirectory(), true);
    assert.equal(readFileSync(join(elsewhere, MARKER), 'utf8'), 'another\n');
    assert.equal(readFileSync(join(elsewhere, 'bin/start'), 'utf8'), 'go');
  });

  test('a replacement that was cut off between its two renames is taken back', () => {
    const { folder, install } = hostWith(shell);
    install('1.0');
    const releases = join(folder, 'releases');
    renameSync(join(releases, '1.0-aaaa'), join(releases, '.1.0-aaaa.t0.old'));
    assert.equal(install('1.0', { artifacts: ['/no/such/file', 'x', 'tar.gz'] }).status, 0);
    assert.equal(readFileSync(join(folder, 'current/bin/start'), 'utf8'), 'go');
    assert.deepEqual(readdirSync(releases), ['1.0-aaaa']);
  });
}
