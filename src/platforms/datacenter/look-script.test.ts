import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hostWith, SHELLS, whyWithout } from '../../../test/support/release-host.ts';
import { driftText } from '../../domain/drift.ts';
import { sha256 } from '../../lib/hash.ts';
import { MODES, SUMS } from './install-script.ts';
import { LOOK } from './look-script.ts';
import { readLook } from './read-look.ts';

for (const shell of SHELLS) {
  describe(shell.join(' '), { skip: whyWithout(shell) ?? false }, () => looks(shell));
}

const CONF = { path: 'conf/app.conf', mode: '0640', text: 'a=1\n' };
const KEY = { path: 'key.pem', mode: '0600', text: 'old secret\n' };
const NOBODY = 65_534;

/** A release with files of every kind, and what is seen of it, as people read it. */
function placed(shell: readonly string[], uid?: number) {
  const host = hostWith(shell, { own: true });
  const content = join(host.home, 'content');
  mkdirSync(join(content, 'lib/deep'), { recursive: true });
  writeFileSync(join(content, 'lib/deep/a file.jar'), 'a');
  writeFileSync(join(content, "lib/it's ü.jar"), 'b');
  writeFileSync(join(content, 'lib/back\\slash.jar'), 'c');
  symlinkSync('deep', join(content, 'lib/latest'));
  const archive = join(host.home, 'all.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', content, '.']);
  const install = (version: string) => {
    const done = host.install(version, { artifacts: [archive, 'all', 'tar.gz'], files: [CONF, KEY] });
    assert.deepEqual([done.status, done.stderr], [0, '']);
  };
  install('1.0');
  const wanted = {
    ...{ release: '1.0-aaaa', hash: 'hash 1.0' },
    files: [CONF, KEY].map(({ path, mode, text }) => ({
      ...{ path, mode, hasSecret: path === KEY.path, sha256: sha256(text) },
    })),
  };
  const look = (more: Partial<Parameters<typeof readLook>[1]> = {}) => {
    const ran = host.runAs(uid, LOOK, 'edge-look', host.folder, '1.0-aaaa', CONF.path, KEY.path);
    assert.deepEqual([ran.status, ran.stderr], [0, '']);
    return readLook(ran.stdout, { ...wanted, ...more });
  };
  const seen = (more: Parameters<typeof look>[0] = {}) => {
    const { differs, unknown, added } = look(more);
    return { differs: differs.map(driftText).toSorted(), unknown, added };
  };
  const at = (path: string) => join(host.folder, 'releases/1.0-aaaa', path);
  return { ...host, install, look, seen, at };
}

const NOTHING = { differs: [], unknown: [], added: [] };

function looks(shell: readonly string[]): void {
  test('a release that nobody has touched is as it was put there, and the look changes nothing', () => {
    const { seen, folder } = placed(shell);
    const all = () => execFileSync('find', [folder, '-printf', '%p %m %T@ %s\n'], { encoding: 'utf8' });
    const before = all();
    assert.deepEqual(seen(), NOTHING);
    assert.equal(all(), before);
  });

  test('what a hand has changed, removed, linked elsewhere or given another mode is told, each by itself', () => {
    const { seen, at } = placed(shell);
    writeFileSync(at('bin/start'), 'other');
    rmSync(at('lib/deep/a file.jar'));
    chmodSync(at("lib/it's ü.jar"), 0o755);
    unlinkSync(at('lib/latest'));
    symlinkSync('gone', at('lib/latest'));
    appendFileSync(at(CONF.path), '# by hand\n');
    chmodSync(at(CONF.path), 0o666);
    assert.deepEqual(seen(), {
      ...NOTHING,
      differs: [
        'bin/start was changed',
        'conf/app.conf has the mode 0666, not 0640',
        'conf/app.conf was changed',
        'lib/deep/a file.jar is missing',
        "lib/it's ü.jar has the mode 0755, not 0644",
        'lib/latest leads to gone, not to deep',
      ],
    });
  });

  test('a property file that is missing, or is a link, is told, and one with a secret says so', () => {
    const { seen, at } = placed(shell);
    rmSync(at(CONF.path));
    writeFileSync(at(KEY.path), 'new secret\n');
    assert.deepEqual(seen().differs, [
      'conf/app.conf is missing',
      'key.pem was changed, or a secret in it was',
    ]);
    symlinkSync('/etc/hosts', at(CONF.path));
    rmSync(at(KEY.path));
    symlinkSync('nowhere', at(KEY.path));
    assert.deepEqual(seen().differs, ['conf/app.conf was changed', 'key.pem was changed']);
  });

  test('files that were not put there are told apart, and what is in them is not read', () => {
    const { seen, at } = placed(shell);
    mkdirSync(at('logs'));
    writeFileSync(at('logs/out.log'), 'x', { mode: 0o000 });
    writeFileSync(at('app.pid'), '1');
    assert.deepEqual(seen(), { ...NOTHING, added: ['app.pid', 'logs/out.log'] });
  });

  test('a link to another release, none, or a folder in its place is told', () => {
    const { seen, install, folder } = placed(shell);
    install('2.0');
    assert.deepEqual(seen().differs, ['current leads to releases/2.0-aaaa, not to releases/1.0-aaaa']);
    unlinkSync(join(folder, 'current'));
    assert.deepEqual(seen().differs, ['current is missing']);
    mkdirSync(join(folder, 'current'));
    assert.deepEqual(seen().differs, ['current was changed']);
    rmSync(join(folder, 'current'), { recursive: true });
    symlinkSync(join(folder, 'releases/1.0-aaaa'), join(folder, 'current'));
    assert.deepEqual(seen(), NOTHING);
  });

  test('a release that is gone, or has the mark of another one, is one difference and not many', () => {
    const { seen, at, folder } = placed(shell);
    assert.deepEqual(seen({ hash: 'other' }).differs, ['releases/1.0-aaaa was changed']);
    rmSync(at(''), { recursive: true });
    assert.deepEqual(seen().differs, ['releases/1.0-aaaa is missing']);
    rmSync(folder, { recursive: true });
    assert.deepEqual(seen().differs, ['current is missing', 'releases/1.0-aaaa is missing']);
  });

  test('of a release from before anything was noted all but its artifacts is compared', () => {
    const { seen, at } = placed(shell);
    for (const name of [SUMS, MODES]) rmSync(at(name));
    writeFileSync(at('bin/start'), 'other');
    rmSync(at(KEY.path));
    const { differs, unknown } = seen();
    assert.deepEqual(differs, ['key.pem is missing']);
    assert.match(unknown.join(), /^files of artifacts: .* not noted/);
  });

  test('notes that have lost a line, or have one that is none, are compared with nothing', () => {
    const { seen, at } = placed(shell);
    writeFileSync(at('bin/start'), 'other');
    const cuts: readonly ((lines: readonly string[]) => readonly string[])[] = [
      () => [],
      (lines) => lines.filter((line) => !line.includes('bin/start')),
      (lines) => lines.map((line) => line.replace(/^.*bin\/start/, 'bin/start')),
      (lines) => lines.slice(0, -1),
    ];
    for (const note of [SUMS, MODES]) {
      const before = readFileSync(at(note), 'utf8');
      for (const cut of cuts) {
        const lines = cut(before.split('\n').slice(0, -1));
        writeFileSync(at(note), lines.map((line) => `${line}\n`).join(''));
        assert.deepEqual(seen(), {
          ...NOTHING,
          unknown: ['files of artifacts: what was noted of them is not as it was noted'],
        });
      }
      rmSync(at(note));
      execFileSync('mkfifo', [at(note)]);
      assert.match(seen().unknown.join(), /not noted/);
      rmSync(at(note));
      writeFileSync(at(note), before);
    }
    assert.deepEqual(seen().differs, ['bin/start was changed']);
  });

  test('what is read without end in the place of a file is not read, and all else is told', () => {
    const { seen, at } = placed(shell);
    for (const path of ['bin/start', 'lib/back\\slash.jar']) {
      rmSync(at(path));
      execFileSync('mkfifo', ['-m', '644', at(path)]);
    }
    rmSync(at('lib/deep/a file.jar'));
    symlinkSync('/dev/zero', at('lib/deep/a file.jar'));
    writeFileSync(at("lib/it's ü.jar"), 'other');
    assert.deepEqual(seen(), {
      ...NOTHING,
      differs: ['bin/start', 'lib/back\\slash.jar', 'lib/deep/a file.jar', "lib/it's ü.jar"].map(
        (path) => `${path} was changed`,
      ),
    });
    for (const path of ['bin', 'lib']) rmSync(at(path), { recursive: true });
    assert.equal(seen().differs.length, 5);
  });

  test('what cannot be told here, or was installed by others, is unknown', () => {
    const { seen } = placed(shell);
    const file = { path: KEY.path, mode: KEY.mode, hasSecret: true, sha256: null, why: 'no such secret' };
    assert.deepEqual(seen({ files: [file] }).unknown, ['no such secret']);
    assert.deepEqual(seen({ withoutArtifacts: 'its own command' }).unknown, ['its own command']);
  });

  test('of many differences some are told, and how many more there are', () => {
    const { look, at } = placed(shell);
    for (let n = 0; n < 2_000; n += 1) writeFileSync(at(`log.${n}.${'x'.repeat(50)}`), '');
    const { added, moreAdded, differs } = look();
    assert.equal(added.length + moreAdded, 2_000);
    assert.ok(added.length > 10 && added.length < 100);
    assert.deepEqual(differs, []);
  });

  test('what this account may not enter or read is unknown, and nothing is called missing for it', (t) => {
    if (process.getuid?.() !== 0) return t.skip('needs an account that may become another one');
    const { at, folder, home, seen } = placed(shell, NOBODY);
    for (const path of [join(home, '..'), home]) chmodSync(path, 0o755);
    assert.deepEqual(seen(), {
      ...NOTHING,
      unknown: ['conf/app.conf cannot be read', 'key.pem cannot be read'],
    });
    chmodSync(at('lib/deep/a file.jar'), 0o000);
    chmodSync(at('conf'), 0o700);
    const { differs, unknown } = seen();
    assert.deepEqual(differs, ['lib/deep/a file.jar has the mode 0000, not 0644']);
    assert.ok(unknown.includes('lib/deep/a file.jar cannot be read'), unknown.join());
    chmodSync(at('lib'), 0o700);
    const barred = seen();
    assert.deepEqual(barred.differs, []);
    assert.match(barred.unknown.join(), /Permission denied/);
    chmodSync(at('.'), 0o700);
    assert.deepEqual(seen().unknown, [`${at('').replace(/\/$/, '')} may not be entered`]);
    chmodSync(folder, 0o700);
    assert.deepEqual(seen(), { ...NOTHING, unknown: [`${folder} may not be entered`] });
  });
}
