import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostIdentity } from '../../../src/ports/hosts.ts';
import { command, type HostsBench } from './bench.ts';
import { counts, killsItsSupervisor, prints, printsError, waits } from './doing.ts';

/** A command starts at most once, on the host that was named, and what it became is never guessed. */
export function starting(bench: HostsBench): void {
  test('a command gives its output and its exit status', async () => {
    const task = bench.doing({ steps: [prints('out\n'), printsError('err\n')], end: 7 });
    const { status, output } = await bench.run(task);
    assert.deepEqual(status, { kind: 'exited', code: 7, outputBytes: 8, droppedBytes: 0 });
    assert.equal(output.toString(), 'out\nerr\n');
  });

  test('the same task never runs twice, and answers the same again', async () => {
    const path = bench.freshPath();
    const task = bench.doing({ steps: [counts(path), prints('done\n')], end: 3 });
    const first = await bench.run(task);
    const again = await bench.run(task, { on: bench.world.newHosts() });
    assert.deepEqual(again, first);
    assert.equal(await bench.hands.linesOf(path), 1);
  });

  test('of starts at the same moment one runs, and all see its output', async () => {
    const path = bench.freshPath();
    const task = bench.doing([counts(path), waits(300), prints('done\n')]);
    const workers = [bench.hosts, bench.world.newHosts(), bench.world.newHosts()];
    const seen = await Promise.all(workers.map((on) => bench.run(task, { on })));
    assert.deepEqual(
      seen.map(({ output }) => output.toString()),
      ['done\n', 'done\n', 'done\n'],
    );
    assert.equal(await bench.hands.linesOf(path), 1);
  });

  test('the host is named before anything starts', async () => {
    const path = bench.freshPath();
    const task = bench.doing([counts(path)]);
    const refused = bench.run(task, { onDispatch: async () => Promise.reject(new Error('not stored')) });
    await assert.rejects(refused, /not stored/);
    assert.deepEqual(await bench.status(task), { kind: 'none' });
    let stored: HostIdentity | undefined;
    await bench.run(task, {
      onDispatch: async (identity) => {
        stored = identity;
      },
    });
    assert.deepEqual(stored, (await bench.hosts.facts(bench.world.address)).identity);
    assert.equal(await bench.hands.linesOf(path), 1);
  });

  test('who attaches to a task that was started is not asked to name its host again', async () => {
    const task = bench.doing([prints('x')]);
    await bench.run(task);
    const onDispatch = async () => assert.fail('it was dispatched again');
    assert.equal((await bench.run(task, { onDispatch })).output.toString(), 'x');
  });

  test('a task that never started is `none` on the host of its dispatch', async () => {
    const { identity } = await bench.hosts.facts(bench.world.address);
    assert.deepEqual(await bench.status(bench.doing([]), identity), { kind: 'none' });
  });

  test('"never started" is not believed after a reboot or on another machine', async () => {
    const { identity } = await bench.hosts.facts(bench.world.address);
    for (const expect of [
      { ...identity, bootId: 'another' },
      { ...identity, hostId: 'another' },
    ]) {
      const task = bench.doing([]);
      assert.equal((await bench.status(task, expect)).kind, 'unknown');
      assert.equal((await bench.run(task, { expect })).status.kind, 'unknown');
      assert.deepEqual(await bench.status(task), { kind: 'none' });
    }
  });

  test('a supervisor that was killed makes the task unknown, never a success', async () => {
    const task = bench.doing([killsItsSupervisor, waits(300)]);
    assert.equal((await bench.run(task)).status.kind, 'unknown');
    await bench.wait(400);
    assert.equal((await bench.status(task)).kind, 'unknown');
  });

  test('a task that was forgotten has left no trace', async () => {
    const task = bench.doing([prints('x\n')]);
    await bench.run(task);
    await bench.hosts.forget(bench.world.address, [task, bench.doing([])]);
    assert.deepEqual(await bench.status(task), { kind: 'none' });
  });

  test('the facts name the system and what is free', async () => {
    const facts = await bench.hosts.facts(bench.world.address);
    assert.match(facts.system, /^Linux /);
    assert.ok(facts.freeBytes > 0);
  });

  test('a command that no shell can be given is refused', async () => {
    for (const task of [command(['printf', 'a\0b']), command(['env'], { env: { 'A B': '1' } }), command([])])
      await assert.rejects(bench.run(task), { code: 'request_invalid' });
  });
}
