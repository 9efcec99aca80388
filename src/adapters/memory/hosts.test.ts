import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostsContract } from '../../../test/contracts/hosts.ts';
import { openMemoryHostsWorld } from '../../../test/support/memory-hosts-world.ts';
import { HOST } from '../../../test/support/trial.ts';
import { remoteTaskId } from '../../domain/ids.ts';
import type { HostIdentity, OutputChunk, RemoteTask } from '../../ports/hosts.ts';
import type { Behaviour } from './behaviour.ts';
import { MemoryClock } from './clock.ts';
import { MemoryHosts } from './hosts.ts';

hostsContract('memory', openMemoryHostsWorld, { withShell: false });

// What only a host in memory has: faults on demand, and the time of everything.

const TASK: RemoteTask = {
  id: remoteTaskId('0'.repeat(32)),
  argv: ['work'],
  env: {},
  secrets: ['s3cret'],
  outputLimitBytes: 1_000_000,
};
const FILE = { localPath: '/a', path: '/b', sha256: 'c', mode: 0o644 };
const OUTPUT = [
  { atMs: 0, text: 'begin s3cret\n' },
  { atMs: 900, text: 'end\n' },
];
const signal = new AbortController().signal;

function world(behaviour: Partial<Behaviour> = {}) {
  const clock = new MemoryClock();
  const log: string[] = [];
  const note = (what: string): void => void log.push(`${clock.monotonicMs()} ${what}`);
  const hosts = new MemoryHosts(clock, ({ argv }, host) => ({
    durationMs: 1_000,
    code: 7,
    output: OUTPUT,
    onStart: () => note(`${argv.join(' ')} starts on ${host}, counted ${hosts.host(host).starts.size}`),
    onEnd: (how) => note(how),
    ...behaviour,
  }));
  type Options = {
    task?: RemoteTask;
    expect?: HostIdentity;
    signal?: AbortSignal;
    onDispatch?: (identity: HostIdentity) => Promise<void>;
    onOutput?: (chunk: OutputChunk) => Promise<void>;
  };
  const run = async ({ task = TASK, ...options }: Options = {}) => {
    const status = await hosts.run(HOST, task, {
      fromOffset: 0,
      onDispatch: async () => undefined,
      onOutput: async ({ data }) => note(JSON.stringify(Buffer.from(data).toString())),
      signal,
      ...options,
    });
    note(status.kind);
    return status;
  };
  const at = (ms: number, act: () => void) => void clock.sleep(ms, signal).then(act);
  const status = async (expect?: HostIdentity) => (await hosts.status(HOST, TASK, expect)).kind;
  return { clock, hosts, host: hosts.host(HOST.name), run, at, log, status };
}

test('everything is seen in the moment in which it happens', async () => {
  const { clock, run, log } = world();
  await clock.until(run());
  assert.deepEqual(log, [
    '0 work starts on web-1, counted 1',
    '0 "begin ***\\n"',
    '900 "end\\n"',
    '1000 exited',
    '1000 exited',
  ]);
});

test('a command lives on while nobody looks, and is counted as running until its end', async () => {
  const { clock, run, log, host } = world();
  const stop = new AbortController();
  const first = assert.rejects(run({ signal: stop.signal }), /enough/);
  await clock.advance(100);
  stop.abort(new Error('enough'));
  await first;
  assert.deepEqual(host.running(), [TASK.id]);
  await clock.advance(2_000);
  assert.deepEqual(host.running(), []);
  assert.equal(log.at(-1), '1000 exited');
});

test('a command without an end of its own lives until it is cancelled', async () => {
  const { clock, run, hosts, log, status } = world({ durationMs: Infinity });
  const running = run();
  await clock.advance(3_600_000);
  assert.equal(await status(), 'running');
  await clock.until(hosts.cancel(HOST, TASK, 1_000));
  assert.equal((await clock.until(running)).kind, 'exited');
  assert.deepEqual(log.slice(-2), ['3600000 killed', '3600000 exited']);
});

test('a reboot kills what runs, at once, and keeps what had ended', async () => {
  const { clock, host, run, at, log, status } = world();
  at(500, () => host.reboot());
  assert.equal((await clock.until(run())).kind, 'unknown');
  assert.deepEqual(log.slice(-2), ['500 killed', '500 unknown']);
  await clock.advance(10_000);
  assert.equal(log.at(-1), '500 unknown');
  const ended = { ...TASK, id: remoteTaskId('1'.repeat(32)) };
  await clock.until(run({ task: ended }));
  host.reboot();
  assert.equal((await run({ task: ended })).kind, 'exited');
  assert.equal(await status(), 'unknown');
});

test('a wipe kills what runs and forgets claims and files, and counts starts on', async () => {
  const { clock, host, hosts, run, at, status } = world();
  const { identity } = host;
  await hosts.upload(HOST, FILE, signal);
  at(500, () => host.wipe());
  assert.equal((await clock.until(run())).kind, 'unknown');
  assert.equal(host.files.size, 0);
  assert.equal(await status(identity), 'unknown');
  assert.equal(await status(), 'none');
  await clock.until(run());
  assert.deepEqual([...host.starts.values()], [2]);
});

test('a host that is replaced between the dispatch and the start is not started on', async () => {
  const { host, run } = world();
  assert.equal((await run({ onDispatch: async () => host.wipe() })).kind, 'unknown');
  assert.equal(host.starts.size, 0);
});

test('a command whose supervisor died goes on to its end, and its status is unknown for ever', async () => {
  const { clock, host, run, at, log, status } = world();
  at(100, () => host.killSupervisor(TASK.id));
  await clock.until(run());
  assert.equal(log.at(-1), '100 unknown');
  assert.deepEqual(host.running(), [TASK.id]);
  await clock.advance(5_000);
  assert.equal(log.at(-1), '1000 exited');
  assert.equal(await status(), 'unknown');
});

test('the death of a supervisor that has ended its work changes nothing', async () => {
  const { clock, host, run, status } = world();
  await clock.until(run());
  host.killSupervisor(TASK.id);
  assert.equal(await status(), 'exited');
});

test('a command that was forgotten still runs, and goes down with its host', async () => {
  const { clock, host, hosts, run, at, log } = world();
  at(100, () => host.killSupervisor(TASK.id));
  await clock.until(run());
  await hosts.forget(HOST, [TASK]);
  assert.deepEqual(host.running(), [TASK.id]);
  host.reboot();
  assert.deepEqual(host.running(), []);
  assert.equal(log.at(-1), '100 killed');
});

test('a full disk refuses files, claims and tombstones, and what runs goes on', async () => {
  const { clock, host, hosts, run, at } = world();
  at(500, () => {
    host.isDiskFull = true;
  });
  assert.equal((await clock.until(run())).kind, 'exited');
  const other = { ...TASK, id: remoteTaskId('1'.repeat(32)) };
  assert.deepEqual(await run({ task: other }), { kind: 'refused', why: 'the disk is full' });
  await assert.rejects(run({ task: other, expect: host.identity }), { code: 'host_unfit' });
  await assert.rejects(hosts.cancel(HOST, other, 0), { code: 'host_unfit' });
  await assert.rejects(hosts.upload(HOST, FILE, signal), { code: 'host_unfit' });
  assert.equal((await hosts.facts(HOST)).freeBytes, 0);
  assert.deepEqual(await hosts.status(HOST, other, undefined), { kind: 'none' });
});

test('a host that goes out of reach rejects whoever is attached, at once, and the command goes on', async () => {
  const { clock, host, run, at, log, status } = world();
  at(500, () => {
    host.reachable = false;
    host.reachable = true;
  });
  await assert.rejects(clock.until(run()), { code: 'host_unreachable' });
  assert.equal(clock.monotonicMs(), 500);
  assert.equal(await status(), 'running');
  await clock.until(run());
  assert.equal(log.at(-1), '1000 exited');
});

test('a cancel whose host goes out of reach is rejected, and still done on the host', async () => {
  const { clock, host, hosts, run, at, log } = world({ durationMs: 60_000, ignoresTerm: true });
  const running = assert.rejects(run(), { code: 'host_unreachable' });
  await clock.settle();
  at(500, () => {
    host.reachable = false;
  });
  const cancelling = assert.rejects(hosts.cancel(HOST, TASK, 2_000), { code: 'host_unreachable' });
  await clock.advance(3_000);
  await Promise.all([running, cancelling]);
  assert.equal(log.at(-1), '2000 killed');
});

test('a host that does not answer rejects every question', async () => {
  const { host, hosts, run } = world();
  host.reachable = false;
  const unreachable = { code: 'host_unreachable' };
  await assert.rejects(run(), unreachable);
  await assert.rejects(hosts.status(HOST, TASK, undefined), unreachable);
  await assert.rejects(hosts.cancel(HOST, TASK, 0), unreachable);
  await assert.rejects(hosts.upload(HOST, FILE, signal), unreachable);
  await assert.rejects(hosts.forget(HOST, [TASK]), unreachable);
  await assert.rejects(hosts.facts(HOST), unreachable);
});

test('a cancel takes the grace of a command that ignores TERM, and no time of any other', async () => {
  for (const { ignoresTerm, code, endsAt, outputBytes } of [
    { ignoresTerm: true, code: 137, endsAt: 5_100, outputBytes: 17 },
    { ignoresTerm: false, code: 143, endsAt: 100, outputBytes: 13 },
  ]) {
    const { clock, hosts, run } = world({ durationMs: 60_000, ignoresTerm });
    const running = run();
    await clock.advance(100);
    const proof = await clock.until(hosts.cancel(HOST, TASK, 5_000));
    assert.deepEqual(proof, { gone: true, before: { kind: 'running', outputBytes: 13 } });
    assert.equal(clock.monotonicMs(), endsAt);
    assert.deepEqual(await running, { kind: 'exited', code, outputBytes, droppedBytes: 0 });
  }
});
