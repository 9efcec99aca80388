import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { command, type HostsBench, scriptOf, sha256 } from './bench.ts';

/** What reaches a command of a host that has a shell, and how its end is told. */
export function shellCommands(bench: HostsBench): void {
  test('arguments arrive byte for byte', async () => {
    const words = [
      "it's",
      '"',
      '$(id)',
      '`id`',
      'a\nb',
      '*',
      '-n',
      '\\',
      '',
      'é 日本',
      '~',
      'x;y',
      '\x01\x81\x88',
    ];
    const { output } = await bench.run(command(['printf', '%s\\0', ...words]));
    assert.deepEqual(output.toString().split('\0').slice(0, -1), words);
  });

  test('variables and the folder reach the command', async () => {
    const task = command(['sh', '-c', 'printf "%s|" "$A" "$PATH_LIKE"; pwd'], {
      env: { A: "x 'y'\n$z", PATH_LIKE: '' },
      cwd: '/tmp',
    });
    assert.equal((await bench.run(task)).output.toString(), "x 'y'\n$z||/tmp\n");
  });

  test('a variable never shows in the list of processes', async () => {
    const value = randomBytes(12).toString('hex');
    const task = command(['sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "'], {
      env: { HIDDEN: value },
    });
    const { output } = await bench.run(task);
    assert.ok(output.length > 0 && !output.includes(value));
  });

  test('a folder that does not exist is a failure of the command', async () => {
    const { status } = await bench.run(command(['true'], { cwd: '/nonexistent/folder' }));
    assert.equal(status.kind === 'exited' && status.code, 126);
  });

  test('what a host cannot start is refused, unknown if it was sent before, and a later start is the first', async () => {
    for (const more of [{}, { script: scriptOf('echo x') }]) {
      const task = command(more.script ? ['sh'] : ['echo', 'x'], more);
      const identity = (await bench.hosts.facts(bench.world.address)).identity;
      await bench.sh('mkdir "$HOME/.edge/$0.out"', task.id);
      const { status } = await bench.run(task);
      assert.match(status.kind === 'refused' ? status.why : status.kind, /^cannot write in .*disk full/);
      assert.equal((await bench.run(task, { expect: identity })).status.kind, 'unknown');
      assert.deepEqual(await bench.status(task, identity), { kind: 'none' });
      await bench.sh('rmdir "$HOME/.edge/$0.out"', task.id);
      assert.equal((await bench.run(task)).output.toString(), 'x\n');
    }
  });

  test('a program that does not exist is a failure of the command', async () => {
    const { status } = await bench.run(command(['no-such-program']));
    assert.equal(status.kind === 'exited' && status.code, 127);
  });

  test('a command that dies of a signal has 128 and its number as status', async () => {
    const { status } = await bench.run(command(['sh', '-c', 'kill -KILL $$']));
    assert.equal(status.kind === 'exited' && status.code, 137);
  });

  test('a command may trap the signals that a background shell would ignore', async () => {
    const { output } = await bench.run(
      command(['sh', '-c', 'trap "echo trapped" INT; kill -INT $$; echo end']),
    );
    assert.equal(output.toString(), 'trapped\nend\n');
  });

  test('input is empty, so a command that reads does not hang', async () => {
    assert.equal((await bench.run(command(['cat']))).status.kind, 'exited');
  });

  test('binary output is exact', async () => {
    const task = command([
      'sh',
      '-c',
      'head -c 700000 /dev/urandom >"$0"; cat "$0"; sha256sum <"$0"; rm "$0"',
      bench.freshPath(),
    ]);
    const { output } = await bench.run(task);
    const shown = output.subarray(700_000).toString().slice(0, 64);
    assert.equal(sha256(output.subarray(0, 700_000)), shown);
  });

  test('another worker that attaches before there is more gets what comes then', async () => {
    const path = bench.freshPath();
    const script = 'echo first; until [ -e "$0" ]; do sleep 0.1; done; rm "$0"; echo second';
    const task = command(['sh', '-c', script, path]);
    const gone = new AbortController();
    let held = 0;
    const first = bench.run(task, {
      signal: gone.signal,
      onOutput: async ({ data }) => {
        held += data.length;
        gone.abort(new Error('this worker died'));
      },
    });
    await assert.rejects(first, /this worker died/);
    const second = bench.run(task, { on: bench.world.newHosts(), fromOffset: held });
    await bench.sh(': >"$0"', path);
    assert.equal((await second).output.toString(), 'second\n');
  });
}
