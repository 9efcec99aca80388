import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, type HostsBench, scriptOf, sha256 } from './bench.ts';
import { counts, gives, prints, waits } from './doing.ts';

/** A script is started only if it is, on the host, what was sent; and what it gives to later steps outlives who looks on. */
export function scripts(bench: HostsBench, { withShell }: { readonly withShell: boolean }): void {
  test('a script gives its output, its exit status and its outputs', async () => {
    const task = bench.scripting({ steps: [prints('out\n'), gives('a=1\n'), gives('b=2\n')], end: 7 });
    const { status, output } = await bench.run(task);
    const end = { kind: 'exited', code: 7, outputBytes: 4, droppedBytes: 0 };
    assert.deepEqual(status, { ...end, outputs: 'a=1\nb=2\n' });
    assert.equal(output.toString(), 'out\n');
    assert.deepEqual(await bench.status(task), end);
  });

  test('a script never runs twice, and gives the same again to who comes later', async () => {
    const path = bench.freshPath();
    const task = bench.scripting([counts(path), gives('n=1\n')]);
    const first = await bench.run(task);
    assert.deepEqual(await bench.run(task, { on: bench.world.newHosts() }), first);
    assert.equal(await bench.hands.linesOf(path), 1);
  });

  test('of starts of a script at the same moment one runs, and all see its outputs', async () => {
    const path = bench.freshPath();
    const task = bench.scripting([counts(path), waits(300), gives('n=1\n')]);
    const workers = [bench.hosts, bench.world.newHosts(), bench.world.newHosts()];
    const seen = await Promise.all(workers.map((on) => bench.run(task, { on })));
    for (const { status } of seen) assert.equal(status.kind === 'exited' && status.outputs, 'n=1\n');
    assert.equal(await bench.hands.linesOf(path), 1);
  });

  test('a script of another digest is not started, by whoever is sent with it', async () => {
    const path = bench.freshPath();
    const task = bench.scripting([counts(path)]);
    assert.ok(task.script);
    const changed = { ...task, script: { ...task.script, content: `${task.script.content}\n#` } };
    for (const on of [bench.hosts, bench.world.newHosts()])
      assert.deepEqual((await bench.run(changed, { on })).status, { kind: 'changed' });
    assert.deepEqual(await bench.status(task), { kind: 'none' });
    assert.equal(await bench.hands.linesOf(path), 0);
    assert.equal((await bench.run(task)).status.kind, 'exited');
    assert.equal(await bench.hands.linesOf(path), 1);
  });

  test('outputs are masked, and one byte over their limit is the most that is given', async () => {
    const secret = 'correct-horse-battery';
    const masked = await bench.run(bench.scripting([gives(`a=${secret}\n`)], { secrets: [secret] }));
    assert.equal(masked.status.kind === 'exited' && masked.status.outputs, 'a=***\n');
    const long = await bench.run(bench.scripting([gives('x'.repeat(5_000))]));
    assert.equal(long.status.kind === 'exited' && long.status.outputs, 'x'.repeat(1_001));
  });

  test('a script that was cancelled before it started never starts', async () => {
    const path = bench.freshPath();
    const task = bench.scripting([counts(path)]);
    assert.equal((await bench.cancel(task, 100)).gone, true);
    assert.deepEqual((await bench.run(task)).status, { kind: 'cancelled' });
    assert.equal(await bench.hands.linesOf(path), 0);
  });

  test('a script that no shell can be given is refused', async () => {
    for (const script of [scriptOf('a\0b'), { ...scriptOf('a'), sha256: '$(id)' }])
      await assert.rejects(bench.run(command(['sh'], { script })), { code: 'request_invalid' });
  });

  if (withShell) filesOfScripts(bench);
}

const HOSTILE = `#!/bin/sh
# it's "$(id)" \`id\` \\ %s %% é 日本 \x81 \r
cat "$0" && ls -l "$0" "$EDGE_OUTPUTS" | cut -c1-10 && printf '%s\\n' "$0" "$EDGE_OUTPUTS" "$#"
`;

function filesOfScripts(bench: HostsBench): void {
  test('a script arrives byte for byte, for its account alone, and is gone after its end', async () => {
    const task = command(['sh'], { script: scriptOf(HOSTILE), cwd: '/tmp' });
    const { output } = await bench.run(task);
    const text = output.toString();
    assert.equal(text.slice(0, HOSTILE.length), HOSTILE);
    const [ofScript, ofOutputs, path = '', outputs = '', count] = text.slice(HOSTILE.length).split('\n');
    assert.deepEqual([ofScript, ofOutputs, count], ['-rwx------', '-rw-------', '0']);
    assert.match(path, /^\/.*\.script$/);
    assert.equal(await bench.sh('[ -e "$0" ] || echo gone', path), 'gone');
    assert.equal(await bench.sh('[ -e "$0" ] && echo there', outputs), 'there');
    await bench.hosts.forget(bench.world.address, [task]);
    assert.equal(await bench.sh('[ -e "$0" ] || echo gone', outputs), 'gone');
  });

  test('a long script without a line end at its end arrives whole', async () => {
    const body = `#${'x'.repeat(60_000)}\nsha256sum <"$0"`;
    const { output } = await bench.run(command(['sh'], { script: scriptOf(body) }));
    assert.equal(output.toString().slice(0, 64), sha256(Buffer.from(body)));
  });

  test('no variable of the task takes the place of its script', async () => {
    const env = { e_s: '/bin/false', EDGE_OUTPUTS: '/tmp/elsewhere', IFS: 'x' };
    const { status } = await bench.run(
      command(['sh'], { env, script: scriptOf('echo a=1 >"$EDGE_OUTPUTS"\n') }),
    );
    assert.equal(status.kind === 'exited' && status.outputs, 'a=1\n');
  });
}
