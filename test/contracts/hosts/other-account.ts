import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RemoteTask } from '../../../src/ports/hosts.ts';
import { command, type HostsBench } from './bench.ts';
import { namesItself, prints, waits } from './doing.ts';

/** The same through sudo, for an account that the log-in user may become. */
export function otherAccount(bench: HostsBench): void {
  const as = (more: Partial<RemoteTask> = {}) => {
    const { sudoUser } = bench.world;
    return { ...more, ...(sudoUser === undefined ? {} : { sudoUser }) };
  };
  const forget = (task: RemoteTask) => bench.hosts.forget(bench.world.address, [task]);

  test('a command runs and is not run twice', async () => {
    const task = command(['sh', '-c', 'id -un; printf "%s\\n" "$A"; exit 5'], as({ env: { A: 'b c' } }));
    const first = await bench.run(task);
    assert.deepEqual(first.output.toString(), `${bench.world.sudoUser}\nb c\n`);
    assert.equal(first.status.kind === 'exited' && first.status.code, 5);
    assert.deepEqual(await bench.run(task), first);
    await forget(task);
  });

  test('a broken connection changes nothing', async () => {
    const lines = [1, 2, 3, 4, 5].map((i) => `${i}\n`);
    const task = bench.doing({ steps: lines.flatMap((line) => [prints(line), waits(200)]) }, as());
    const running = bench.run(task);
    await bench.wait(400);
    bench.world.cut();
    await bench.wait(300);
    bench.world.cut();
    const { status: end, output } = await running;
    assert.equal(output.toString(), lines.join(''));
    assert.equal(end.kind === 'exited' && end.code, 0);
    await forget(task);
  });

  test('cancel reaches what the log-in user could not signal', async () => {
    const task = bench.doing({ onTerm: 'ignore', steps: [namesItself, waits(60_000), waits(60_000)] }, as());
    const running = bench.run(task);
    await bench.untilItHasPrinted(task);
    assert.equal((await bench.cancel(task, 200)).gone, true);
    const { output } = await running;
    assert.equal(await bench.hands.isAlive(output.toString().trim()), false);
    await forget(task);
  });

  test('a file belongs to that account', async () => {
    const path = bench.freshPath();
    await bench.upload({ ...(await bench.fileOf(Buffer.from('x'), path)), ...as(), mode: 0o644 });
    assert.equal(
      await bench.sh('ls -l "$0" | { read -r mode links owner rest; echo $owner; }', path),
      bench.world.sudoUser,
    );
    await bench.run(command(['rm', path], as()));
  });

  test('an account that sudo refuses is named, with what to put into sudoers', async () => {
    const task = command(['true'], { sudoUser: 'edge-nobody-knows' });
    await assert.rejects(bench.run(task), (error: { code: string; body: { hint: string } }) => {
      return error.code === 'host_unfit' && /NOPASSWD/.test(error.body.hint);
    });
  });
}
