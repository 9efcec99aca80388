import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectKind, HOST, Trial } from '../../test/support/trial.ts';
import type { Behaviour } from '../adapters/memory/behaviour.ts';
import { hostRun } from './host-run.ts';
import { remoteIdOf } from './remote-command.ts';

const inputs = { host: HOST, argv: ['bin/restart', '--now'] };
const always = (behaviour: Behaviour) => ({ program: () => behaviour });
const lines = (count: number, everyMs: number) =>
  Array.from({ length: count }, (_, n) => ({ atMs: n * everyMs, text: `line ${n}\n` }));

test('a command that ends with 0 is done, with its output in the log', async () => {
  const trial = new Trial(always({ durationMs: 500, code: 0, output: lines(3, 100) }));
  const { outputs } = expectKind(await trial.attempt(hostRun, inputs), 'done');
  assert.deepEqual(outputs, { outputBytes: 21, droppedBytes: 0 });
  assert.equal(trial.output, 'line 0\nline 1\nline 2\n');
});

test('a command that ends with another status has failed, and its last lines say why', async () => {
  const trial = new Trial(always({ durationMs: 10, code: 3, output: [{ atMs: 0, text: 'no such user\n' }] }));
  const { error, retryable } = expectKind(await trial.attempt(hostRun, inputs), 'failed');
  assert.equal(error.cause, 'command');
  assert.equal(retryable, false);
  assert.match(error.message, /`bin\/restart --now` ended with exit status 3.*no such user/s);
});

test('a command that is tried again begins once nothing of the one before can go on, and not where that is not proven', async () => {
  const trial = new Trial(always({ durationMs: 60_000, code: 0 }));
  trial.at(300, () => {
    for (const id of trial.host.starts.keys()) trial.host.killSupervisor(id);
  });
  expectKind(await trial.attempt(hostRun, inputs), 'unknown');
  const [before = ''] = trial.host.running();
  trial.retried();
  trial.host.reachable = false;
  assert.equal(expectKind(await trial.attempt(hostRun, inputs), 'failed').retryable, true);
  assert.deepEqual(trial.host.running(), [before]);
  trial.host.reachable = true;
  expectKind(await trial.finish(hostRun, inputs), 'done');
  assert.deepEqual(trial.host.running(), []);
  assert.deepEqual([...trial.host.starts.values()], [1, 1]);
});

const reads = (name: string) => [{ source: 'env', name }];

test('what it reads on the host and prints is masked where it is a secret', async () => {
  const trial = new Trial({
    ...always({ durationMs: 10, code: 3, output: [{ atMs: 0, text: 'password=tr0ub4dor size=1\n' }] }),
    secrets: { PASSWORD: 'tr0ub4dor' },
  });
  const { error } = expectKind(
    await trial.attempt(hostRun, { ...inputs, mask: reads('PASSWORD') }),
    'failed',
  );
  assert.equal(trial.output, 'password=*** size=1\n');
  assert.match(error.message, /password=\*\*\* size=1/);
});

test('where such a secret cannot be looked up nothing of the output is shown, and the command has its end', async () => {
  const secrets: Record<string, string> = { PASSWORD: 'tr0ub4dor-and-a-long-tail' };
  const text = (line: string) => `password=tr0ub4dor-and-a-long-tail ${line}\n`;
  const output = [1, 2, 3].map((n) => ({ atMs: n * 1_000, text: text(`${n}`) }));
  const trial = new Trial({ ...always({ durationMs: 5_000, code: 0, output }), secrets });
  const mask = reads('PASSWORD');
  await trial.attempt(hostRun, { ...inputs, mask }, { crash: { at: 'after-output' } });
  delete secrets.PASSWORD;
  expectKind(await trial.finish(hostRun, { ...inputs, mask }), 'done');
  assert.equal(trial.output.includes('tr0ub4dor'), false);
  assert.match(trial.output, /^password=\*\*\* 1\n\[Edge does not show this output: .* env PASSWORD.*\]\n$/);
  assert.deepEqual([...trial.host.starts.values()], [1]);
});

test('the intent with the host identity is stored before anything starts', async () => {
  const trial = new Trial(always({ durationMs: 10, code: 0 }));
  await assert.doesNotReject(trial.attempt(hostRun, inputs));
  assert.deepEqual(trial.saved[0], {
    identity: { bootId: 'boot-0-0', hostId: 'host-0' },
    offset: 0,
    misses: 0,
  });
});

test('an owner that dies before its intent is stored has started nothing', async () => {
  const trial = new Trial(always({ durationMs: 10, code: 0 }));
  await trial.attempt(hostRun, inputs, { crash: { at: 'before-save' } });
  assert.equal(trial.host.starts.size, 0);
  expectKind(await trial.finish(hostRun, inputs), 'done');
  assert.deepEqual([...trial.host.starts.values()], [1]);
});

test('an owner that dies after its intent is followed by one that starts the command, once', async () => {
  const trial = new Trial(always({ durationMs: 10, code: 0 }));
  await trial.attempt(hostRun, inputs, { crash: { at: 'after-save' } });
  expectKind(await trial.finish(hostRun, inputs), 'done');
  assert.deepEqual([...trial.host.starts.values()], [1]);
});

test('a new owner attaches to the running command and goes on with the byte after the last stored one', async () => {
  const trial = new Trial(always({ durationMs: 5_000, code: 0, output: lines(10, 500) }));
  const worker = new AbortController();
  trial.at(2_200, () => worker.abort(new Error('gone')));
  await assert.rejects(trial.attempt(hostRun, inputs, { signal: worker.signal }), /gone/);
  expectKind(await trial.finish(hostRun, inputs), 'done');
  assert.equal(
    trial.output,
    lines(10, 500)
      .map(({ text }) => text)
      .join(''),
  );
  assert.deepEqual([...trial.host.starts.values()], [1]);
});

test('a character that is cut between two chunks is read whole', async () => {
  const trial = new Trial(
    always({ durationMs: 10, code: 0, output: [{ atMs: 0, text: `${'x'.repeat(32_767)}€` }] }),
  );
  expectKind(await trial.finish(hostRun, inputs), 'done');
  assert.equal(trial.output.endsWith('x€'), true);
});

test('a character that a dead owner had read the half of is read whole by the next', async () => {
  const text = `${'x'.repeat(16_383)}€ and so on`;
  const trial = new Trial(always({ durationMs: 10, code: 0, output: [{ atMs: 0, text }] }));
  await trial.attempt(hostRun, inputs, { crash: { at: 'after-output' } });
  assert.equal(trial.output, 'x'.repeat(16_383));
  expectKind(await trial.finish(hostRun, inputs), 'done');
  assert.equal(trial.output, text);
});

test('much output at once is passed on in pieces that each have their checkpoint', async () => {
  const text = `${'x€'.repeat(30_000)}`;
  const trial = new Trial(always({ durationMs: 10, code: 0, output: [{ atMs: 0, text }] }));
  expectKind(await trial.attempt(hostRun, inputs), 'done');
  assert.equal(trial.output, text);
  assert.ok(trial.pieces.length > 6);
  let offset = 0;
  for (const piece of trial.pieces) {
    assert.ok(Buffer.byteLength(piece.text) <= 16_384 + 2);
    offset += Buffer.byteLength(piece.text);
    const identity = { bootId: 'boot-0-0', hostId: 'host-0' };
    assert.deepEqual(piece.reached, { identity, offset, misses: 0 });
  }
});

test('a host that rebooted under the command makes it unknown', async () => {
  const trial = new Trial(always({ durationMs: 60_000, code: 0 }));
  trial.at(1_000, () => trial.host.reboot());
  assert.match(expectKind(await trial.attempt(hostRun, inputs), 'unknown').seen, /restarted/);
});

test('a host that was wiped after the dispatch makes it unknown, and nothing is started again', async () => {
  const trial = new Trial(always({ durationMs: 10, code: 0 }));
  await trial.attempt(hostRun, inputs, { crash: { at: 'after-save' } });
  trial.host.wipe();
  expectKind(await trial.finish(hostRun, inputs), 'unknown');
  assert.equal(trial.host.starts.size, 0);
});

test('a host that does not answer before the dispatch is a failure that may be tried again', async () => {
  const trial = new Trial();
  trial.host.reachable = false;
  const { error, retryable } = expectKind(await trial.attempt(hostRun, inputs), 'failed');
  assert.equal(error.cause, 'unreachable');
  assert.equal(retryable, true);
});

test('a host that does not answer while the command may run is looked at again, until it does', async () => {
  const trial = new Trial(always({ durationMs: 8_000, code: 0 }));
  await trial.attempt(hostRun, inputs, { crash: { at: 'after-save' } });
  trial.host.start(remoteTask(trial));
  trial.host.reachable = false;
  const wait = expectKind(await trial.attempt(hostRun, inputs), 'wait');
  assert.match(wait.progress ?? '', /may still run/);
  await trial.clock.advance(wait.wakeAfterMs);
  trial.host.reachable = true;
  expectKind(await trial.finish(hostRun, inputs), 'done');
});

test('a host that never answers again leaves the command unknown at the deadline, never failed', async () => {
  const trial = new Trial({ ...always({ durationMs: 8_000, code: 0 }), remainingMs: 60_000 });
  await trial.attempt(hostRun, inputs, { crash: { at: 'after-save' } });
  trial.host.reachable = false;
  expectKind(await trial.finish(hostRun, inputs), 'unknown');
});

test('a cancel of a running command proves that it is gone', async () => {
  const trial = new Trial(always({ durationMs: 60_000, code: 0, ignoresTerm: true }));
  const worker = new AbortController();
  trial.at(1_000, () => worker.abort(new Error('cancelled')));
  await assert.rejects(trial.attempt(hostRun, inputs, { signal: worker.signal }), /cancelled/);
  assert.deepEqual(await trial.cancel(hostRun, inputs), { gone: true, note: 'its processes were ended' });
  assert.deepEqual(trial.host.status(remoteIdOf(trial.task, 0), undefined).kind, 'exited');
});

test('a cancel after the intent takes the claim, so that a late start loses', async () => {
  const trial = new Trial(always({ durationMs: 10, code: 0 }));
  await trial.attempt(hostRun, inputs, { crash: { at: 'after-save' } });
  const { gone } = await trial.cancel(hostRun, inputs);
  assert.equal(gone, true);
  trial.host.start(remoteTask(trial));
  assert.equal(trial.host.starts.size, 0);
});

test('a cancel before any dispatch needs no host', async () => {
  const trial = new Trial();
  trial.host.reachable = false;
  assert.deepEqual(await trial.cancel(hostRun, inputs), { gone: true, note: 'it had not started' });
});

test('secrets are resolved where the command runs, and masked in what it writes', async () => {
  const program = ({ env }: { env: Readonly<Record<string, string>> }) => ({
    durationMs: 0,
    code: 0,
    output: [{ atMs: 0, text: `token=${env.TOKEN}` }],
  });
  const trial = new Trial({ program, secrets: { DB: 's3cret' } });
  const env = { TOKEN: { source: 'env', name: 'DB' }, MODE: 'fast' };
  expectKind(await trial.attempt(hostRun, { ...inputs, env }), 'done');
  assert.equal(trial.output, 'token=***');
});

test('a folder below the home folder is given relative to it', async () => {
  const program = ({ cwd = '' }: { cwd?: string }) => ({
    durationMs: 0,
    code: 0,
    output: [{ atMs: 0, text: cwd }],
  });
  const trial = new Trial({ program });
  expectKind(await trial.attempt(hostRun, { ...inputs, cwd: '~/web' }), 'done');
  assert.equal(trial.output, './web');
});

test("the team's own install command finds the release in its environment", async () => {
  const program = ({ env }: { env: Readonly<Record<string, string>> }) => ({
    durationMs: 0,
    code: 0,
    output: [{ atMs: 0, text: `${env.EDGE_RELEASE} ${env.EDGE_VERSION} ${env.EDGE_RELEASE_HASH}` }],
  });
  const trial = new Trial({ program });
  const release = { id: '2.0-abcd', version: '2.0', hash: 'abcd', artifacts: [] };
  expectKind(await trial.attempt(hostRun, { ...inputs, release }), 'done');
  assert.equal(trial.output, '2.0-abcd 2.0 abcd');
});

test('inputs that do not fit the action are told as a failure', async () => {
  const trial = new Trial();
  const { error } = expectKind(await trial.attempt(hostRun, { host: HOST, argv: [] }), 'failed');
  assert.equal(error.code, 'internal');
  assert.match(error.message, /argv/);
});

const restarted = { ...inputs, ifUnknown: 'retry' };

test('a command that may be done twice is run again when nobody saw its end, under another id, once it is gone', async () => {
  const trial = new Trial(always({ durationMs: 5_000, code: 0, output: lines(2, 100) }));
  trial.at(1_000, () => trial.host.reboot());
  expectKind(await trial.attempt(hostRun, restarted), 'done');
  assert.deepEqual(
    [0, 1].map((tries) => trial.host.starts.get(remoteIdOf(trial.task, tries))),
    [1, 1],
  );
  assert.equal(trial.output, 'line 0\nline 1\n'.repeat(2));
});

test('an owner that dies during the second run is followed by one that goes on with that run', async () => {
  const trial = new Trial(always({ durationMs: 5_000, code: 0 }));
  trial.at(1_000, () => trial.host.reboot());
  const worker = new AbortController();
  trial.at(3_000, () => worker.abort(new Error('gone')));
  await assert.rejects(trial.attempt(hostRun, restarted, { signal: worker.signal }), /gone/);
  expectKind(await trial.finish(hostRun, restarted), 'done');
  assert.deepEqual([...trial.host.starts.values()], [1, 1]);
});

test('a cancel during the second run ends that run', async () => {
  const trial = new Trial(always({ durationMs: 60_000, code: 0 }));
  trial.at(1_000, () => trial.host.reboot());
  const worker = new AbortController();
  trial.at(3_000, () => worker.abort(new Error('cancelled')));
  await assert.rejects(trial.attempt(hostRun, restarted, { signal: worker.signal }), /cancelled/);
  assert.deepEqual(await trial.cancel(hostRun, restarted), { gone: true, note: 'its processes were ended' });
  assert.deepEqual(trial.host.running(), []);
});

test('a command is run again three times at most, then a person is asked', async () => {
  const trial = new Trial(always({ durationMs: 5_000, code: 0 }));
  for (const atMs of [1_000, 3_000, 5_000, 7_000, 9_000]) trial.at(atMs, () => trial.host.reboot());
  expectKind(await trial.attempt(hostRun, restarted), 'unknown');
  assert.equal(trial.host.starts.size, 4);
});

test('a command that failed is not run again: its end was seen', async () => {
  const trial = new Trial(always({ durationMs: 10, code: 3 }));
  expectKind(await trial.attempt(hostRun, restarted), 'failed');
  assert.equal(trial.host.starts.size, 1);
});

for (const [code, kind] of [
  [0, 'done'],
  [1, 'unknown'],
] as const)
  test(`a command of which nobody saw the end is ${kind} when its check ends with ${code}`, async () => {
    const program = ({ argv }: { readonly argv: readonly string[] }): Behaviour =>
      argv[0] === 'bin/is-done' ? { durationMs: 10, code } : { durationMs: 5_000, code: 0 };
    const trial = new Trial({ program });
    trial.at(1_000, () => trial.host.reboot());
    const outcome = expectKind(
      await trial.attempt(hostRun, { ...inputs, ifUnknown: { check: ['bin/is-done'] } }),
      kind,
    );
    assert.equal(trial.host.starts.get(remoteIdOf(trial.task, 0)), 1);
    if (outcome.kind === 'unknown') assert.match(outcome.seen, /its check ended with exit status 1/);
  });

test('to cancel a command of which nobody saw the end is to end its check as well', async () => {
  const program = ({ argv }: { readonly argv: readonly string[] }): Behaviour =>
    argv[0] === 'bin/is-done' ? { durationMs: 600_000, code: 0 } : { durationMs: 5_000, code: 0 };
  const trial = new Trial({ program });
  const checking = { ...inputs, ifUnknown: { check: ['bin/is-done'] } };
  trial.at(1_000, () => trial.host.reboot());
  const worker = new AbortController();
  trial.at(3_000, () => worker.abort(new Error('gone')));
  await assert.rejects(trial.attempt(hostRun, checking, { signal: worker.signal }), /gone/);
  assert.equal(trial.host.running().length, 1);
  assert.equal((await trial.cancel(hostRun, checking)).gone, true);
  assert.deepEqual(trial.host.running(), []);
});

function remoteTask(trial: Trial) {
  const id = remoteIdOf(trial.task, 0);
  return { id, argv: inputs.argv, env: {}, secrets: [], outputLimitBytes: 1_000 };
}
