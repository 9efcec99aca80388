import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, type HostsBench } from './bench.ts';
import { counts, killsItsSupervisor, namesItself, prints, waits, waitsHidden } from './doing.ts';

/** A cancel is done when no process of the task is left and none can start. */
export function cancelling(bench: HostsBench, { withShell }: { readonly withShell: boolean }): void {
  test('a task that was cancelled before it started can never start', async () => {
    const path = bench.freshPath();
    const task = bench.doing([counts(path)]);
    assert.deepEqual(await bench.cancel(task, 100), { gone: true, before: { kind: 'none' } });
    assert.deepEqual((await bench.run(task)).status, { kind: 'cancelled' });
    assert.deepEqual(await bench.status(task), { kind: 'cancelled' });
    assert.equal(await bench.hands.linesOf(path), 0);
  });

  test('cancel asks a command to end before it kills it', async () => {
    const task = bench.doing({
      onTerm: { text: 'asked\n', code: 9 },
      steps: [prints('up\n')],
      end: 'endless',
    });
    const running = bench.run(task);
    await bench.untilItHasPrinted(task);
    assert.equal((await bench.cancel(task, 20_000)).gone, true);
    const { status: end, output } = await running;
    assert.match(output.toString(), /^up\n(Terminated\n)?asked\n$/);
    assert.equal(end.kind === 'exited' && end.code, 9);
  });

  test('cancel ends a command that ignores TERM, and it is not alive any more', async () => {
    const task = bench.doing({ onTerm: 'ignore', steps: [namesItself], end: 'endless' });
    const running = bench.run(task);
    await bench.untilItHasPrinted(task);
    assert.equal((await bench.cancel(task, 200)).gone, true);
    const { status: end, output } = await running;
    assert.equal(end.kind === 'exited' && end.code, 137);
    assert.equal(await bench.hands.isAlive(output.toString().trim()), false);
  });

  test('cancel leaves a task that has ended as it is', async () => {
    const task = bench.doing({ steps: [prints('x')], end: 5 });
    const { status: before } = await bench.run(task);
    assert.deepEqual(await bench.cancel(task, 100), { gone: true, before });
    assert.deepEqual(await bench.status(task), before);
  });

  test('cancel finds the command of a supervisor that was killed', async () => {
    const task = bench.doing([namesItself, killsItsSupervisor, waitsHidden(60_000)]);
    const { status: seen, output } = await bench.run(task);
    assert.equal(seen.kind, 'unknown');
    const process = output.toString().trim();
    assert.equal(await bench.hands.isAlive(process), true);
    assert.equal((await bench.cancel(task, 100)).gone, true);
    assert.equal(await bench.hands.isAlive(process), false);
  });

  test('cancel survives a broken connection', async () => {
    const task = bench.doing({ onTerm: 'ignore', steps: [prints('up\n'), waits(60_000), waits(60_000)] });
    const running = bench.run(task, { on: bench.world.newHosts() });
    await bench.untilItHasPrinted(task);
    const cancelled = bench.cancel(task, 1_000);
    await bench.wait(500);
    bench.world.cut();
    assert.equal((await cancelled).gone, true);
    await running;
  });

  if (withShell) processTrees(bench);
}

/** What a command leaves in the table of processes of a host that has one. */
function processTrees(bench: HostsBench): void {
  test('cancel ends a whole tree that ignores TERM, and those who left its session', async () => {
    const script =
      'trap "" TERM; (trap "" TERM; echo $$; sleep 60; sleep 60) & setsid sh -c "trap \'\' TERM; echo \\$\\$; sleep 60" & ' +
      'sh -c "echo \\$\\$; exec env -i sleep 61" & wait';
    const task = command(['sh', '-c', script]);
    let text = '';
    const running = bench.run(task, {
      onOutput: async ({ data }) => {
        text += Buffer.from(data).toString();
      },
    });
    await bench.until('all three run', async () => text.split('\n').length === 4);
    assert.equal((await bench.cancel(task, 300)).gone, true);
    for (const pid of text.trim().split('\n')) assert.equal(await bench.hands.isAlive(pid), false);
    assert.equal((await running).status.kind, 'exited');
  });

  test('a service that a task left behind does not hold it up, and outlives a late cancel', async () => {
    const task = command(['sh', '-c', 'sleep 30 & echo $!']);
    const { status: end, output } = await bench.run(task);
    assert.equal(end.kind, 'exited');
    assert.equal((await bench.cancel(task, 100)).gone, true);
    const pid = output.toString().trim();
    assert.equal(await bench.hands.isAlive(pid), true);
    await bench.sh('kill "$0"', pid);
  });
}
