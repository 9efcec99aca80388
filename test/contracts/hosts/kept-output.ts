import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostsBench } from './bench.ts';
import { encodes, prints, repeats, waits } from './doing.ts';

/** What is kept of an output, and what never shows in it; the same from whatever offset it is asked for. */
export function keptOutput(bench: HostsBench): void {
  test('of an output over the limit the first and the last half are kept, and the rest is counted', async () => {
    const task = bench.doing([repeats('a', 1_000), repeats('b', 5_000), prints('end')], {
      outputLimitBytes: 1_001,
    });
    const { status: end, output } = await bench.run(task);
    assert.deepEqual(end, { kind: 'exited', code: 0, outputBytes: 6_003, droppedBytes: 5_002 });
    const gap = '\n[edge: 5002 bytes of output were not kept]\n';
    assert.equal(output.toString(), `${'a'.repeat(500)}${gap}${'b'.repeat(498)}end`);
    const from = 500 + 10;
    assert.equal(
      (await bench.run(task, { fromOffset: from })).output.toString(),
      output.subarray(from).toString(),
    );
  });

  test('an output between half the limit and the limit is whole', async () => {
    const task = bench.doing([repeats('a', 900), waits(200), prints('end')], { outputLimitBytes: 1_000 });
    assert.equal((await bench.run(task)).output.toString(), `${'a'.repeat(900)}end`);
  });

  test('secrets are masked, over broken connections and from any offset', async () => {
    const secret = 'correct-horse';
    const task = bench.doing(
      [prints('a correct-'), waits(400), prints('horse b\n'), encodes('S'), prints('correct-')],
      { env: { S: secret }, secrets: [secret] },
    );
    const running = bench.run(task);
    await bench.wait(250);
    bench.world.cut();
    const { output } = await running;
    assert.equal(output.toString(), 'a *** b\n***o=\ncorrect-');
    for (const from of [1, 3, 9]) {
      assert.equal(
        (await bench.run(task, { fromOffset: from })).output.toString(),
        output.subarray(from).toString(),
      );
    }
  });
}
