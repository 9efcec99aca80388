import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOST } from '../../../test/support/trial.ts';
import { remoteTaskId } from '../../domain/ids.ts';
import type { HostIdentity, RemoteTask } from '../../ports/hosts.ts';
import { MemoryClock } from './clock.ts';
import { MemoryHosts } from './hosts.ts';

// Of the contract in test/contracts/hosts.ts what does not need a shell on the other side.

const TASK: RemoteTask = {
  id: remoteTaskId('0'.repeat(32)),
  argv: ['work'],
  env: {},
  secrets: ['s3cret'],
  outputLimitBytes: 1_000_000,
};
const OUTPUT = [
  { atMs: 0, text: 'begin s3cret\n' },
  { atMs: 900, text: 'end\n' },
];

function world(durationMs = 1_000) {
  const clock = new MemoryClock();
  const hosts = new MemoryHosts(clock, () => ({ durationMs, code: 7, output: OUTPUT, ignoresTerm: true }));
  const run = async (options: { fromOffset?: number; expect?: HostIdentity; signal?: AbortSignal } = {}) => {
    let output = '';
    const status = await hosts.run(HOST, TASK, {
      fromOffset: 0,
      onDispatch: async () => undefined,
      onOutput: async ({ data }) => {
        output += Buffer.from(data).toString();
      },
      signal: new AbortController().signal,
      ...options,
    });
    return { status, output };
  };
  return { clock, hosts, host: hosts.host(HOST.name), run };
}

test('of starts at the same moment one runs, and all see its masked output and its status', async () => {
  const { clock, host, run } = world();
  const all = await clock.until(Promise.all([run(), run(), run()]));
  for (const { status, output } of all) {
    assert.deepEqual(status, { kind: 'exited', code: 7, outputBytes: 14, droppedBytes: 0 });
    assert.equal(output, 'begin ***\nend\n');
  }
  assert.deepEqual([...host.starts.values()], [1]);
});

test('who holds a part of the output gets the rest', async () => {
  const { clock, run } = world();
  await clock.until(run());
  assert.equal((await run({ fromOffset: 10 })).output, 'end\n');
});

test('the signal ends the wait and not the task', async () => {
  const { clock, run, hosts } = world();
  const stop = new AbortController();
  const first = run({ signal: stop.signal });
  first.catch(() => undefined);
  await clock.advance(100);
  stop.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  assert.equal((await hosts.status(HOST, TASK, undefined)).kind, 'running');
});

test('"never started" is not believed after a reboot or on another machine', async () => {
  const { host, hosts } = world();
  const { identity } = host;
  assert.deepEqual(await hosts.status(HOST, TASK, identity), { kind: 'none' });
  host.reboot();
  assert.equal((await hosts.status(HOST, TASK, identity)).kind, 'unknown');
  host.wipe();
  assert.equal((await hosts.status(HOST, TASK, identity)).kind, 'unknown');
});

test('a supervisor that was killed makes the task unknown', async () => {
  const { clock, host, hosts, run } = world();
  const running = run();
  await clock.advance(100);
  host.killSupervisor(TASK.id);
  assert.equal((await clock.until(running)).status.kind, 'unknown');
  assert.equal((await hosts.status(HOST, TASK, undefined)).kind, 'unknown');
});

test('a task that was cancelled before it started can never start', async () => {
  const { host, hosts, run } = world();
  assert.deepEqual(await hosts.cancel(HOST, TASK, 0), { gone: true, before: { kind: 'none' } });
  assert.deepEqual((await run()).status, { kind: 'cancelled' });
  assert.equal(host.starts.size, 0);
});

test('a command that ignores TERM is killed after its grace', async () => {
  const { clock, hosts, run } = world(60_000);
  const running = run();
  await clock.advance(100);
  const proof = await clock.until(hosts.cancel(HOST, TASK, 5_000));
  assert.equal(proof.gone, true);
  assert.ok(clock.monotonicMs() >= 5_000 && clock.monotonicMs() < 6_000);
  assert.deepEqual((await clock.until(running)).status.kind, 'exited');
});

test('a host that does not answer rejects every question', async () => {
  const { host, hosts, run } = world();
  host.reachable = false;
  await assert.rejects(run(), { code: 'host_unreachable' });
  await assert.rejects(hosts.status(HOST, TASK, undefined), { code: 'host_unreachable' });
});
