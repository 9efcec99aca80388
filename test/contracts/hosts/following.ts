import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostsBench } from './bench.ts';
import { counts, prints, repeats, waits } from './doing.ts';

/** Output comes whole and in order, to whoever follows, and over whatever breaks on the way. */
export function following(bench: HostsBench): void {
  test('who holds a part of the output gets the rest', async () => {
    const task = bench.doing([prints('0123456789')]);
    await bench.run(task);
    assert.equal((await bench.run(task, { fromOffset: 4 })).output.toString(), '456789');
    assert.equal((await bench.run(task, { fromOffset: 10 })).output.toString(), '');
  });

  test('a broken connection changes neither output nor status', async () => {
    const path = bench.freshPath();
    const lines = [1, 2, 3, 4, 5, 6, 7, 8].map((i) => `line ${i}\n`);
    const task = bench.doing({
      steps: [counts(path), ...lines.flatMap((line) => [prints(line), waits(150)])],
      end: 4,
    });
    const running = bench.run(task);
    for (let cuts = 0; cuts < 4; cuts++) {
      await bench.wait(250);
      bench.world.cut();
    }
    const { status, output } = await running;
    assert.equal(status.kind === 'exited' && status.code, 4);
    assert.equal(output.toString(), lines.join(''));
    assert.equal(await bench.hands.linesOf(path), 1);
  });

  test('another worker goes on where the first one stopped', async () => {
    const task = bench.doing([prints('first\n'), waits(2_000), prints('second\n')]);
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
    assert.equal((await second).output.toString(), 'second\n');
  });

  test('the signal ends the wait and not the task', async () => {
    const path = bench.freshPath();
    const task = bench.doing([waits(500), counts(path)]);
    const impatient = new AbortController();
    const waiting = bench.run(task, { signal: impatient.signal });
    await bench.untilRunning(task);
    impatient.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    await bench.until('the task has ended', async () => (await bench.status(task)).kind === 'exited');
    assert.equal(await bench.hands.linesOf(path), 1);
  });

  test('a consumer that is slow gets everything in order', async () => {
    let bytes = 0;
    await bench.run(bench.doing([repeats('a', 400_000)]), {
      onOutput: async ({ offset, data }) => {
        assert.equal(offset, bytes);
        bytes += data.length;
        await bench.wait(2);
      },
    });
    assert.equal(bytes, 400_000);
  });

  test('a consumer that fails ends the wait with its error', async () => {
    const failing = bench.run(bench.doing([prints('x\n')]), {
      onOutput: async () => Promise.reject(new Error('no room')),
    });
    await assert.rejects(failing, /no room/);
  });

  test('the status tells how much a running task has written', async () => {
    const task = bench.doing([prints('12345'), waits(30_000)]);
    const running = bench.run(task);
    await bench.until('five bytes are there', async () => {
      const seen = await bench.status(task);
      return seen.kind === 'running' && seen.outputBytes === 5;
    });
    assert.deepEqual(await bench.cancel(task, 100), {
      gone: true,
      before: { kind: 'running', outputBytes: 5 },
    });
    await running;
  });
}
