import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { hostileText } from '../../../test/support/hostile-text.ts';
import { sha256 } from '../../lib/hash.ts';
import { verbScript } from './host-scripts.ts';
import { type Payload, supervisorScript } from './supervisor-script.ts';

/** Values in all; `EDGE_FUZZ_SHELL_RUNS=100000` for more. */
const VALUES = Number(process.env.EDGE_FUZZ_SHELL_RUNS ?? 1_024);
const AT_ONCE = 64;

const folder = mkdtempSync(join(tmpdir(), 'edge-supervised-'));
after(() => rmSync(folder, { recursive: true }));

let tasks = 0;
/** Runs it as a host does: the text of a supervisor, fed to a real `sh`. */
function run(payload: Payload, env: Record<string, string | undefined> = process.env) {
  tasks += 1;
  const id = (0xabc00001 + tasks * 16).toString(16);
  const state = join(folder, `state-${id}`);
  mkdirSync(state);
  const args = { id, stateFolder: state, bootId: 'b', headBytes: 1_000_000, tailBytes: 1_000_000 };
  const input = supervisorScript(args, payload);
  const { stdout } = spawnSync('/bin/sh', ['-s'], { input, env: { ...env, HOME: folder } });
  const out = join(state, `${id}.out`);
  return {
    said: stdout.toString(),
    output: existsSync(out) ? readFileSync(out) : Buffer.alloc(0),
    left: readdirSync(state).map((name) => name.slice(id.length)),
    input,
  };
}

const script = (content: string) => ({ content, sha256: sha256(content) });

/** As variables and files can hold it. */
const hostile = hostileText.map((text) => text.replaceAll('\0', '').toWellFormed());

test('whatever the parameters of a script are, they arrive as they are, and nothing in them is run', () => {
  const work = join(folder, 'work');
  mkdirSync(work);
  let met = 0;
  fc.assert(
    fc.property(fc.array(hostile, { minLength: AT_ONCE, maxLength: AT_ONCE }), (values) => {
      const names = values.map((_, index) => `EDGE_PARAM_P${index}`);
      const env = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
      const print = `printf '%s\\0' ${names.map((name) => `"$${name}"`).join(' ')}\n`;
      const { output } = run({ argv: ['sh'], env, cwd: work, script: script(print) });
      assert.deepEqual(output.toString().split('\0').slice(0, -1), values);
      met += values.length;
      assert.deepEqual(readdirSync(work), []);
    }),
    { numRuns: Math.ceil(VALUES / AT_ONCE) },
  );
  assert.ok(met >= VALUES);
});

test('whatever a script says, its bytes arrive as they are, and nothing of it is run before it is', () => {
  const work = join(folder, 'read');
  mkdirSync(work);
  fc.assert(
    fc.property(hostile, hostile, (first, rest) => {
      const content = `#${first}\n${rest}`;
      const { said, output } = run({ argv: ['cat'], env: {}, cwd: work, script: script(content) });
      assert.equal(said, 'claimed\n');
      assert.equal(output.toString(), content);
      assert.deepEqual(readdirSync(work), []);
    }),
    { numRuns: 60 },
  );
});

test('a script is gone with its task, and what it gave stays', () => {
  const { said, left } = run({ argv: ['sh'], env: {}, script: script('echo a=1 >>"$EDGE_OUTPUTS"') });
  assert.equal(said, 'claimed\n');
  assert.deepEqual(left.toSorted(), ['.out', '.outputs', '.task']);
});

test('a script that is not what it was takes no claim and leaves nothing', () => {
  const given = { content: `touch ${join(folder, 'tampered')}`, sha256: sha256('another') };
  const { said, left } = run({ argv: ['sh'], env: {}, script: given });
  assert.equal(said, 'changed\n');
  assert.deepEqual(left, []);
  assert.equal(existsSync(join(folder, 'tampered')), false);
});

test('a host that cannot take the digest starts no script', () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of ['chmod', 'wc', 'rm']) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec /usr/bin/${name} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const { said, left } = run({ argv: ['sh'], env: {}, script: script('echo ran') }, { PATH: bin });
  assert.equal(said, 'refused its script cannot be read by sha256sum\n');
  assert.deepEqual(left, []);
});

test('a host asks for a program that a task needs before the task is sent', () => {
  const home = join(folder, 'asking');
  mkdirSync(home);
  const ask = (...args: readonly (string | number)[]) =>
    spawnSync('/bin/sh', ['-s'], {
      input: verbScript('open', 'abcdef01', args),
      env: { PATH: process.env.PATH, HOME: home },
    }).stderr.toString();
  assert.match(ask(0, 'no-such-program'), /^@abcdef01 unfit the program no-such-program is missing$/m);
  assert.doesNotMatch(ask(0, 'no-such-program'), / none$/m);
  assert.match(ask(0, 'sha256sum'), /^@abcdef01 none$/m);
});

test('a task with a script that is cut off anywhere runs nothing', () => {
  const payload: Payload = {
    argv: ['sh'],
    env: { A: "it's" },
    cwd: folder,
    script: script(`echo "it's"\ntouch cut`),
  };
  const { input } = run(payload);
  rmSync(join(folder, 'cut'));
  const spread = Array.from({ length: 30 }, (_, n) => Math.floor((input.length * n) / 30));
  const last = Array.from({ length: 70 }, (_, n) => input.length - 2 - n);
  for (const length of [...spread, ...last])
    spawnSync('/bin/sh', ['-s'], { input: input.slice(0, length), env: { ...process.env, HOME: folder } });
  assert.equal(existsSync(join(folder, 'cut')), false);
});
