import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hostWith, SHELLS, whyWithout } from '../../../test/support/release-host.ts';
import { sha256 } from '../../lib/hash.ts';
import { tar } from '../../lib/tar.ts';
import { GONE, MARKER, MODES, markerText, SUMS } from './install-script.ts';

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
    assert.deepEqual(readdirSync(join(folder, 'current/')).sort(), [
      '.edge-manifest',
      '.edge-modes',
      '.edge-release',
      'bin',
      'web.bin',
    ]);
    assert.equal(readFileSync(join(folder, 'current/bin/start'), 'utf8'), 'go');
  });

  test('what was unpacked is noted, with modes and where links lead, before any property file', () => {
    const { home, folder, install } = hostWith(shell);
    mkdirSync(join(home, 'more'));
    writeFileSync(join(home, 'more/with space'), 'x');
    symlinkSync('with space', join(home, 'more/link'));
    const archive = join(home, 'more.tar.gz');
    execFileSync('tar', ['-czf', archive, '-C', join(home, 'more'), '.']);
    chmodSync(join(home, 'more/with space'), 0o640);
    const file = { path: 'app.conf', mode: '0600', text: 'secret' };
    assert.equal(install('1.0', { artifacts: [archive, 'more', 'tar.gz'], files: [file] }).status, 0);
    const textOf = (name: string) => readFileSync(join(folder, 'current', name), 'utf8');
    assert.match(textOf(SUMS), /^[0-9a-f]{64} {2}\.\/with space\n$/);
    // Some quote names, and some do not; each host compares its own.
    const modes = textOf(MODES).trimEnd().replaceAll("'", '').split('\n');
    const digest = sha256(`${textOf(SUMS)}${textOf(MODES).replace(/.*\n$/, '')}`);
    assert.equal(modes.pop(), `noted ${digest}  -`);
    assert.deepEqual(modes.toSorted(), ['644 ./with space', '777 ./link -> with space']);
    execFileSync('sha256sum', ['-c', SUMS], { cwd: join(folder, 'current'), stdio: 'ignore' });
  });

  test('a release of which nothing can be noted is installed all the same, and an archive writes no note', () => {
    const { home, folder, install } = hostWith(shell);
    mkdirSync(join(home, 'locked'));
    writeFileSync(join(home, 'locked/file'), 'x', { mode: 0o000 });
    symlinkSync(join(home, 'victim'), join(home, 'locked', SUMS));
    const archive = join(home, 'locked.tar');
    const entries = [{ path: 'file', mode: 0o000, data: Buffer.from('x') }];
    writeFileSync(archive, tar(entries));
    execFileSync('tar', ['-rf', archive, '-C', join(home, 'locked'), SUMS]);
    assert.equal(install('1.0', { artifacts: [archive, 'locked', 'tar'] }).status, 0);
    const noted = process.getuid?.() === 0 ? [SUMS, MODES] : [];
    assert.deepEqual(readdirSync(join(folder, 'current/')).sort(), [...noted, MARKER, 'file'].sort());
    assert.equal(existsSync(join(home, 'victim')), false);
  });

  test('a release that is whole is not unpacked again', () => {
    const { folder, install } = hostWith(shell);
    install('1.0');
    writeFileSync(join(folder, 'current/written-later'), '');
    assert.equal(install('1.0', { artifacts: ['/no/such/file', 'x', 'tar.gz'] }).status, 0);
    assert.ok(existsSync(join(folder, 'current/written-later')));
  });

  test('a release that is fetched is whole beside the current one, and its install needs nothing more', () => {
    const { home, folder, install } = hostWith(shell);
    install('1.0');
    const incoming = join(folder, 'releases/.incoming');
    mkdirSync(incoming);
    copyFileSync(join(home, 'web.tar.gz'), join(incoming, 'sent'));
    const artifacts = [join(incoming, 'sent'), 'web', 'tar.gz'];
    for (const _ of ['first', 'again']) {
      const done = install('2.0', { work: 'edge-fetch', artifacts, keep: 1 });
      assert.deepEqual([done.status, done.stderr], [0, '']);
      assert.equal(readlinkSync(join(folder, 'current')), 'releases/1.0-aaaa');
      assert.equal(existsSync(join(folder, 'previous')), false);
      assert.deepEqual(readdirSync(join(folder, 'releases')), ['1.0-aaaa', '2.0-aaaa']);
    }
    assert.equal(install('2.0', { artifacts }).status, 0);
    assert.equal(readlinkSync(join(folder, 'current')), 'releases/2.0-aaaa');
    assert.equal(readFileSync(join(folder, 'current/bin/start'), 'utf8'), 'go');
  });

  test('a fetch leaves the current release alone, even if it is not whole', () => {
    const { folder, install } = hostWith(shell);
    install('1.0');
    writeFileSync(join(folder, 'current', MARKER), '');
    writeFileSync(join(folder, 'current/serves'), '');
    for (const link of ['releases/1.0-aaaa', join(folder, 'releases/1.0-aaaa')]) {
      rmSync(join(folder, 'current'));
      symlinkSync(link, join(folder, 'current'));
      assert.equal(install('1.0', { work: 'edge-fetch' }).status, 0);
      assert.ok(existsSync(join(folder, 'current/serves')), link);
    }
    assert.equal(install('1.0').status, 0);
    assert.equal(existsSync(join(folder, 'current/serves')), false);
  });

  test('an install whose artifacts are gone says which', () => {
    const gone = hostWith(shell).install('1.0', { artifacts: ['/no/such/file', 'web.tar.gz', 'tar.gz'] });
    assert.deepEqual([gone.status, gone.stderr], [GONE, 'web.tar.gz is not on the host any more\n']);
  });

  test('a release of the same name with other content, or cut short, is replaced as a whole', () => {
    const { folder, install } = hostWith(shell);
    mkdirSync(join(folder, 'releases/1.0-aaaa'), { recursive: true });
    writeFileSync(join(folder, 'releases/1.0-aaaa/half'), '');
    assert.equal(install('1.0').status, 0);
    assert.deepEqual(readdirSync(join(folder, 'current/')).sort(), [
      '.edge-manifest',
      '.edge-modes',
      '.edge-release',
      'bin',
    ]);
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

  test('releases with folders that their archive made read-only are removed too', () => {
    const { home, folder, install } = hostWith(shell);
    chmodSync(join(home, 'content/bin'), 0o555);
    const archive = join(home, 'read-only.tar');
    execFileSync('tar', ['-cf', archive, '-C', join(home, 'content'), '.']);
    chmodSync(join(home, 'content/bin'), 0o755);
    const artifacts = [archive, 'read-only.tar', 'tar'];
    for (const version of ['1.0', '2.0', '3.0']) {
      const done = install(version, { artifacts, keep: 1 });
      assert.deepEqual([done.status, done.stderr], [0, '']);
    }
    assert.deepEqual(readdirSync(join(folder, 'releases')).sort(), ['2.0-aaaa', '3.0-aaaa']);
    for (const version of ['2.0', '3.0']) chmodSync(join(folder, `releases/${version}-aaaa/bin`), 0o755);
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

  const CONF = { path: 'conf/deep/app.properties', mode: '0640', text: 'a=1\n' };

  test('property files are part of a release from its first moment, with their modes', () => {
    const { folder, install } = hostWith(shell);
    const start = { path: 'bin/start', mode: '0750', text: 'other' };
    const done = install('1.0', { files: [CONF, start] });
    assert.deepEqual([done.status, done.stderr], [0, '']);
    const at = (path: string) => join(folder, 'current', path);
    assert.equal(readFileSync(at(CONF.path), 'utf8'), CONF.text);
    assert.equal(statSync(at(CONF.path)).mode & 0o777, 0o640);
    assert.deepEqual(
      [readFileSync(at('bin/start'), 'utf8'), statSync(at('bin/start')).mode & 0o777],
      ['other', 0o750],
    );
    assert.deepEqual(readdirSync(join(folder, 'releases')), ['1.0-aaaa']);
  });

  test('property files are put anew into a release that is whole: what a hand changed is as it was planned', () => {
    const { folder, install } = hostWith(shell);
    install('1.0', { files: [CONF] });
    const path = join(folder, 'current', CONF.path);
    writeFileSync(path, 'a=2 # by hand\n');
    chmodSync(path, 0o666);
    const again = install('1.0', { artifacts: ['/no/such/file', 'x', 'tar.gz'], files: [CONF] });
    assert.deepEqual([again.status, again.stderr], [0, '']);
    assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], [CONF.text, 0o640]);
    assert.deepEqual(readdirSync(join(folder, 'releases')), ['1.0-aaaa']);
  });

  test('what cannot be unpacked is refused, unless the release is there whole', () => {
    const { folder, install } = hostWith(shell);
    const artifacts = ['-', 'property files', 'they cannot be made here any more'];
    const refused = install('1.0', { artifacts });
    assert.deepEqual(
      [refused.status, refused.stderr],
      [2, 'cannot unpack property files: they cannot be made here any more\n'],
    );
    install('1.0', { files: [CONF] });
    assert.equal(install('1.0', { artifacts }).status, 0);
    assert.equal(readFileSync(join(folder, 'current', CONF.path), 'utf8'), CONF.text);
  });

  test('an install removes what was sent for it, and leaves what others have sent', () => {
    const { home, folder, install } = hostWith(shell);
    const incoming = join(folder, 'releases/.incoming');
    mkdirSync(incoming, { recursive: true });
    for (const name of ['mine', 'theirs']) copyFileSync(join(home, 'web.tar.gz'), join(incoming, name));
    assert.equal(install('1.0', { artifacts: [join(incoming, 'mine'), 'web', 'tar.gz'] }).status, 0);
    assert.deepEqual(readdirSync(incoming), ['theirs']);
    assert.equal(install('1.0', { artifacts: [join(incoming, 'theirs'), 'web', 'tar.gz'] }).status, 0);
    assert.equal(existsSync(incoming), false);
  });

  test('a property file is never written through a link of an archive, nor in the place of its folder', () => {
    const { home, folder, install } = hostWith(shell);
    mkdirSync(join(home, 'outside'));
    mkdirSync(join(home, 'linked/conf.d'), { recursive: true });
    symlinkSync(join(home, 'outside'), join(home, 'linked/conf'));
    symlinkSync(join(home, 'outside/target'), join(home, 'linked/app.conf'));
    const archive = join(home, 'linked.tar.gz');
    execFileSync('tar', ['-czf', archive, '-C', join(home, 'linked'), '.']);
    const artifacts = [archive, 'linked', 'tar.gz'];
    const through = install('1.0', { artifacts, files: [CONF] });
    assert.deepEqual([through.status, /has a link where/.test(through.stderr)], [2, true]);
    const instead = install('1.0', { artifacts, files: [{ ...CONF, path: 'conf.d' }] });
    assert.deepEqual([instead.status, /has a folder where/.test(instead.stderr)], [2, true]);
    assert.equal(existsSync(join(folder, 'current')), false);
    assert.equal(install('1.0', { artifacts, files: [{ ...CONF, path: 'app.conf' }] }).status, 0);
    assert.equal(readFileSync(join(folder, 'current/app.conf'), 'utf8'), CONF.text);
    assert.deepEqual(readdirSync(join(home, 'outside')), []);
    assert.deepEqual(readdirSync(join(folder, 'releases')), ['1.0-aaaa']);
  });

  test('an archive that would write outside of its release is refused, or kept inside', () => {
    const { home, folder, install } = hostWith(shell);
    const inside = join(home, 'hostile');
    const outside = join(home, 'victim');
    mkdirSync(join(inside, 'link'), { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(inside, 'evil'), 'evil');
    writeFileSync(join(inside, 'link/evil'), 'evil');
    symlinkSync(outside, join(home, 'link'));
    const archive = (name: string, ...adds: readonly (readonly string[])[]) => {
      const path = join(home, name);
      for (const [index, add] of adds.entries())
        execFileSync('tar', [index === 0 ? '-cPf' : '-rPf', path, ...add], { stdio: 'ignore' });
      execFileSync('gzip', ['-f', path]);
      return `${path}.gz`;
    };
    const up = archive('up.tar', ['-C', inside, '--transform', 's,^,../../../victim/,', 'evil']);
    const absolute = archive('absolute.tar', ['-C', inside, '--transform', `s,^,${outside}/,`, 'evil']);
    const through = archive('through.tar', ['-C', home, 'link'], ['-C', inside, 'link/evil']);
    for (const [index, path] of [up, absolute, through].entries()) {
      install(`${index}.0`, { artifacts: [path, 'x', 'tar.gz'], token: `t${index}` });
      assert.deepEqual(readdirSync(outside), [], path);
    }
    assert.deepEqual(readdirSync(home).includes('evil'), false);
    assert.deepEqual(readdirSync(folder).includes('evil'), false);
  });

  test('a link that leads round in a circle, or nowhere, is refused where a folder is to be, and nobody goes round with it', () => {
    const { home, folder, install } = hostWith(shell);
    mkdirSync(join(home, 'second/dir'), { recursive: true });
    writeFileSync(join(home, 'second/dir/file'), 'x');
    const packed = (name: string, from: string) => {
      execFileSync('tar', ['-cf', join(home, name), '-C', join(home, from), '.']);
      return [join(home, name), name, 'tar'];
    };
    for (const [index, to] of ['dir/..', 'dir', './dir/../dir/..', 'none', 'none/..'].entries()) {
      mkdirSync(join(home, `links-${index}`));
      symlinkSync(to, join(home, `links-${index}/dir`));
      const artifacts = [
        ...packed(`links-${index}.tar`, `links-${index}`),
        ...packed('second.tar', 'second'),
      ];
      const { status, stderr } = install(`${index}.0`, { artifacts });
      assert.deepEqual([status, /leads out, or nowhere, where a folder/.test(stderr)], [2, true], to);
    }
    assert.deepEqual(readdirSync(join(folder, 'releases')), []);
  });

  test('no artifact is written through a link of one before it that leads out, nor is the mark of the release', () => {
    const { home, folder, install, archive } = hostWith(shell);
    const outside = join(home, 'victim');
    for (const name of ['victim', 'links/mark', 'second/bin'])
      mkdirSync(join(home, name), { recursive: true });
    writeFileSync(join(outside, 'kept'), 'as it was');
    writeFileSync(join(home, 'second/bin/evil'), 'evil');
    symlinkSync(outside, join(home, 'links/bin'));
    symlinkSync(join(outside, 'kept'), join(home, 'links/web.bin'));
    symlinkSync(join(outside, 'kept'), join(home, 'links/mark', MARKER));
    const packed = (name: string, from: string, what: string) => {
      execFileSync('tar', ['-cf', join(home, name), '-C', join(home, from), what]);
      return [join(home, name), name, 'tar'];
    };
    const links = packed('links.tar', 'links', '.');
    const through = install('1.0', { artifacts: [...links, ...packed('second.tar', 'second', 'bin/evil')] });
    assert.deepEqual(
      [through.status, /leads out, or nowhere, where a folder of second\.tar/.test(through.stderr)],
      [2, true],
    );
    assert.deepEqual(readdirSync(join(folder, 'releases')), []);
    const copied = install('2.0', { artifacts: [...links, archive, 'web.bin', 'none'] });
    assert.deepEqual([copied.status, copied.stderr], [0, '']);
    const marked = install('3.0', { artifacts: packed('mark.tar', 'links/mark', '.') });
    assert.deepEqual([marked.status, marked.stderr], [0, '']);
    assert.equal(readFileSync(join(folder, 'current', MARKER), 'utf8'), markerText('hash 3.0'));
    assert.deepEqual(readdirSync(outside), ['kept']);
    assert.equal(readFileSync(join(outside, 'kept'), 'utf8'), 'as it was');
  });

  test('archives after one with links that stay inside, or that are not in their way, are unpacked', () => {
    const { home, folder, install, archive } = hostWith(shell);
    for (const name of ['first/lib', 'victim']) mkdirSync(join(home, name), { recursive: true });
    symlinkSync('lib', join(home, 'first/lib64'));
    symlinkSync(join(home, 'victim'), join(home, 'first/log'));
    const first = join(home, 'first.tar');
    execFileSync('tar', ['-cf', first, '-C', join(home, 'first'), '.']);
    const done = install('1.0', { artifacts: [first, 'first', 'tar', archive, 'web', 'tar.gz'] });
    assert.deepEqual([done.status, done.stderr], [0, '']);
    assert.equal(readFileSync(join(folder, 'current/bin/start'), 'utf8'), 'go');
    assert.equal(readlinkSync(join(folder, 'current/log')), join(home, 'victim'));
    assert.deepEqual(readdirSync(join(folder, 'releases')), ['1.0-aaaa']);
  });

  test('values are never read as code', () => {
    const { home, install } = hostWith(shell);
    const evil = `$(touch ${home}/pwned);\`touch ${home}/pwned\`'"`;
    install('1.0', { artifacts: [evil, evil, 'tar.gz'] });
    assert.equal(existsSync(join(home, 'pwned')), false);
  });
}
