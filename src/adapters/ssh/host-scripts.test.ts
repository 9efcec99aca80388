import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { verbScript } from './host-scripts.ts';
import { supervisorScript } from './supervisor-script.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-scripts-'));
after(() => rmSync(folder, { recursive: true }));

/** Lengths at which a script is cut off: spread over it, and each of the last. Its last byte is a line break only. */
function cuts(script: string): number[] {
  const spread = Array.from({ length: 30 }, (_, n) => Math.floor((script.length * n) / 30));
  return [...spread, ...Array.from({ length: 70 }, (_, n) => script.length - 2 - n)];
}

test('a question that is cut off anywhere is not answered', () => {
  const script = verbScript('status', 'abcdef01', []);
  const said = (input: string) =>
    spawnSync('/bin/sh', ['-s'], { input, env: { HOME: folder } }).stderr.toString();
  assert.match(said(script), /^@abcdef01 /m);
  for (const length of cuts(script))
    assert.doesNotMatch(said(script.slice(0, length)), /^@abcdef01/m, `${length}`);
});

test('of several that come to a new host at once all know it by the same id', () => {
  const home = join(folder, 'new-host');
  mkdirSync(home);
  const making = 'e_make_host 2>/dev/null';
  const others = `printf 'theirs\\n' >"$e_dir/host-id"`;
  const script = verbScript('status', 'abcdef01', []).replace(making, `${others}\n${making}`);
  assert.ok(script.includes(others), 'the id of another one comes between the look and the making');
  const { stderr } = spawnSync('/bin/sh', ['-s'], {
    input: script,
    env: { PATH: process.env.PATH, HOME: home },
  });
  assert.match(stderr.toString(), /^@abcdef01 host \S+ theirs /m);
  writeFileSync(join(home, '.edge/host-id'), '');
  const whole = verbScript('status', 'abcdef01', []);
  const again = spawnSync('/bin/sh', ['-s'], { input: whole, env: { PATH: process.env.PATH, HOME: home } });
  assert.match(again.stderr.toString(), /^@abcdef01 host \S+ [0-9a-f-]{36} /m, 'an empty one is replaced');
});

test('a task that is cut off anywhere is neither claimed nor run, and the whole of it is', () => {
  const args = { id: 'abcdef01', stateFolder: folder, bootId: 'b', headBytes: 1_000, tailBytes: 1_000 };
  const script = supervisorScript(args, { argv: ['echo', 'ran'], env: { A: "it's" }, cwd: '/tmp' });
  const run = (input: string) => spawnSync('/bin/sh', ['-s'], { input, stdio: ['pipe', 'pipe', 'ignore'] });
  for (const length of cuts(script)) run(script.slice(0, length));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('abcdef01')),
    [],
  );
  assert.equal(run(script).stdout.toString(), 'claimed\n');
  assert.equal(readFileSync(join(folder, 'abcdef01.out'), 'utf8'), 'ran\n');
  assert.match(readFileSync(join(folder, 'abcdef01.task'), 'utf8'), /^edge1 b \d+ \d+ \.\nexit 0 4 \. *\n$/);
});

test('a command may begin in the home of its user, and nothing else of a folder is special', () => {
  const args = { id: 'abcdef02', stateFolder: folder, bootId: 'b', headBytes: 1_000, tailBytes: 1_000 };
  const home = join(folder, "it's home");
  mkdirSync(join(home, '$x'), { recursive: true });
  const script = supervisorScript(args, { argv: ['pwd'], env: {}, cwd: '~/$x' });
  spawnSync('/bin/sh', ['-s'], { input: script, env: { ...process.env, HOME: home } });
  assert.equal(readFileSync(join(folder, 'abcdef02.out'), 'utf8'), `${home}/$x\n`);
});

test('one task in sixteen removes what tasks of a month ago have left, and nothing else', () => {
  const own = join(folder, 'pruned');
  mkdirSync(own);
  const monthAgo = Date.now() / 1000 - 32 * 86_400;
  const old = ['task', 'out', 'outputs', '12.script'].map((kind) => `0ld00000.${kind}`);
  for (const name of [...old, 'host-id', 'new00000.task']) {
    writeFileSync(join(own, name), '');
    if (!name.startsWith('new')) utimesSync(join(own, name), monthAgo, monthAgo);
  }
  const end = (id: string): readonly string[] => {
    const args = { id, stateFolder: own, bootId: 'b', headBytes: 1_000, tailBytes: 1_000 };
    spawnSync('/bin/sh', ['-s'], { input: supervisorScript(args, { argv: ['true'], env: {} }) });
    return readdirSync(own).filter((name) => !name.startsWith('abcdef'));
  };
  assert.ok(end('abcdef0f').includes('0ld00000.task'));
  assert.deepEqual(end('abcdef00').toSorted(), ['host-id', 'new00000.task']);
});

test('values stand in a script as one word each', () => {
  const script = verbScript('upload', 'upload', ["/tmp/it's $(here)", 5, 'sum', '644']);
  assert.match(script, /\{ e_id='upload'; e_upload '\/tmp\/it'\\''s \$\(here\)' '5' 'sum' '644'; \}\n$/);
});

test('what is constant in a script holds no comments and no indentation', () => {
  assert.doesNotMatch(verbScript('cancel', 'abcdef01', [1]), /^( |#)/m);
});

test('a command with a byte that no argument can hold makes no script', () => {
  const args = { id: 'abcdef01', stateFolder: folder, bootId: 'b', headBytes: 1, tailBytes: 1 };
  assert.throws(() => supervisorScript(args, { argv: ['a\0'], env: {} }), RangeError);
});
