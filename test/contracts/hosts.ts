import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { remoteTaskId } from '../../src/domain/ids.ts';
import type { HostAddress, HostIdentity, Hosts, RemoteStatus, RemoteTask } from '../../src/ports/hosts.ts';

/** One host and ways to break what lies between. */
export type HostsWorld = {
  readonly address: HostAddress;
  /** Another account that the log-in user may become; asked for if the contract is to be held `withSudo`. */
  readonly sudoUser: string | undefined;
  /** A `Hosts` with connections of its own, as another worker has. The suite closes none: `close` ends them all. */
  newHosts(): Hosts;
  /** Breaks every open connection, without a word to either side's program. */
  cut(): void;
  close(): Promise<void>;
};

type Ran = { readonly status: RemoteStatus; readonly output: Buffer };

const COUNT_UP = 'echo x >>"$0"';

/**
 * What every adapter of `Hosts` must do. The host is looked at through tasks of its own only, so the suite knows nothing of
 * the server: a host needs a POSIX shell and the helpers that `facts` asks for.
 */
export function hostsContract(
  name: string,
  open: () => Promise<HostsWorld>,
  { withSudo = false } = {},
): void {
  // One at a time: some of these tests break the connections of all.
  describe(`hosts: ${name}`, { concurrency: 1 }, () => {
    let world: HostsWorld;
    let hosts: Hosts;
    let local: string;

    before(async () => {
      world = await open();
      hosts = world.newHosts();
      local = await mkdtemp(join(tmpdir(), 'edge-hosts-'));
    });
    after(async () => {
      await world.close();
      await rm(local, { recursive: true, force: true });
    });

    /** Runs to the end and checks on the way that the output has neither a gap nor a byte twice. */
    async function run(
      task: RemoteTask,
      more: Partial<Parameters<Hosts['run']>[2]> & { on?: Hosts } = {},
    ): Promise<Ran> {
      const { on = hosts, fromOffset = 0, ...options } = more;
      const pieces: Uint8Array[] = [];
      let next = fromOffset;
      const status = await on.run(world.address, task, {
        fromOffset,
        onDispatch: async () => undefined,
        onOutput: async ({ offset, data }) => {
          assert.equal(offset, next);
          next += data.length;
          pieces.push(Buffer.from(data));
        },
        signal: AbortSignal.timeout(60_000),
        ...options,
      });
      return { status, output: Buffer.concat(pieces) };
    }

    async function sh(script: string, ...args: string[]): Promise<string> {
      const { status, output } = await run(command(['sh', '-c', script, ...args]));
      assert.equal(status.kind, 'exited', JSON.stringify(status));
      return output.toString().trim();
    }

    const status = (task: RemoteTask, expect?: HostIdentity) => hosts.status(world.address, task, expect);

    async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
      for (let round = 0; round < 600; round++) {
        if (await isSo()) return;
        await wait(50);
      }
      assert.fail(`it never came true that ${what}`);
    }

    const untilRunning = (task: RemoteTask) =>
      until('the task runs', async () => (await status(task)).kind === 'running');
    const linesOf = async (path: string) => Number(await sh('cat "$0" 2>/dev/null | wc -l', path));
    const freshPath = () => `/tmp/edge-contract-${randomBytes(8).toString('hex')}`;
    /** A zombie is dead: where nobody buries orphans, one stays in the table. */
    const isAlive = async (pid: string) =>
      (await sh('grep -q "^State:.[^XZ]" "/proc/$0/status" 2>/dev/null && echo yes || echo no', pid)) ===
      'yes';

    test('a command gives its output and its exit status', async () => {
      const { status, output } = await run(command(['sh', '-c', 'echo out; echo err >&2; exit 7']));
      assert.deepEqual(status, { kind: 'exited', code: 7, outputBytes: 8, droppedBytes: 0 });
      assert.equal(output.toString(), 'out\nerr\n');
    });

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
      const { output } = await run(command(['printf', '%s\\0', ...words]));
      assert.deepEqual(output.toString().split('\0').slice(0, -1), words);
    });

    test('variables and the folder reach the command', async () => {
      const task = command(['sh', '-c', 'printf "%s|" "$A" "$PATH_LIKE"; pwd'], {
        env: { A: "x 'y'\n$z", PATH_LIKE: '' },
        cwd: '/tmp',
      });
      assert.equal((await run(task)).output.toString(), "x 'y'\n$z||/tmp\n");
    });

    test('a variable never shows in the list of processes', async () => {
      const value = randomBytes(12).toString('hex');
      const task = command(['sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "'], {
        env: { HIDDEN: value },
      });
      const { output } = await run(task);
      assert.ok(output.length > 0 && !output.includes(value));
    });

    test('a folder that does not exist is a failure of the command', async () => {
      const { status } = await run(command(['true'], { cwd: '/nonexistent/folder' }));
      assert.equal(status.kind === 'exited' && status.code, 126);
    });

    test('a program that does not exist is a failure of the command', async () => {
      const { status } = await run(command(['no-such-program']));
      assert.equal(status.kind === 'exited' && status.code, 127);
    });

    test('a command that dies of a signal has 128 and its number as status', async () => {
      const { status } = await run(command(['sh', '-c', 'kill -KILL $$']));
      assert.equal(status.kind === 'exited' && status.code, 137);
    });

    test('a command may trap the signals that a background shell would ignore', async () => {
      const { output } = await run(command(['sh', '-c', 'trap "echo trapped" INT; kill -INT $$; echo end']));
      assert.equal(output.toString(), 'trapped\nend\n');
    });

    test('input is empty, so a command that reads does not hang', async () => {
      assert.equal((await run(command(['cat']))).status.kind, 'exited');
    });

    test('binary output is exact', async () => {
      const task = command([
        'sh',
        '-c',
        'head -c 700000 /dev/urandom >"$0"; cat "$0"; sha256sum <"$0"; rm "$0"',
        freshPath(),
      ]);
      const { output } = await run(task);
      const shown = output.subarray(700_000).toString().slice(0, 64);
      assert.equal(sha256(output.subarray(0, 700_000)), shown);
    });

    test('the same task never runs twice, and answers the same again', async () => {
      const path = freshPath();
      const task = command(['sh', '-c', `${COUNT_UP}; echo done; exit 3`, path]);
      const first = await run(task);
      const again = await run(task, { on: world.newHosts() });
      assert.deepEqual(again, first);
      assert.equal(await linesOf(path), 1);
    });

    test('of starts at the same moment one runs, and all see its output', async () => {
      const path = freshPath();
      const task = command(['sh', '-c', `${COUNT_UP}; sleep 0.3; echo done`, path]);
      const workers = [hosts, world.newHosts(), world.newHosts()];
      const seen = await Promise.all(workers.map((on) => run(task, { on })));
      assert.deepEqual(
        seen.map(({ output }) => output.toString()),
        ['done\n', 'done\n', 'done\n'],
      );
      assert.equal(await linesOf(path), 1);
    });

    test('who holds a part of the output gets the rest', async () => {
      const task = command(['printf', '0123456789']);
      await run(task);
      assert.equal((await run(task, { fromOffset: 4 })).output.toString(), '456789');
      assert.equal((await run(task, { fromOffset: 10 })).output.toString(), '');
    });

    test('a broken connection changes neither output nor status', async () => {
      const path = freshPath();
      const task = command([
        'sh',
        '-c',
        `${COUNT_UP}; for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.15; done; exit 4`,
        path,
      ]);
      const running = run(task);
      for (let cuts = 0; cuts < 4; cuts++) {
        await wait(250);
        world.cut();
      }
      const { status, output } = await running;
      assert.equal(status.kind === 'exited' && status.code, 4);
      assert.equal(output.toString(), [1, 2, 3, 4, 5, 6, 7, 8].map((i) => `line ${i}\n`).join(''));
      assert.equal(await linesOf(path), 1);
    });

    test('another worker goes on where the first one stopped', async () => {
      const path = freshPath();
      const script = 'echo first; until [ -e "$0" ]; do sleep 0.1; done; rm "$0"; echo second';
      const task = command(['sh', '-c', script, path]);
      const gone = new AbortController();
      let held = 0;
      const first = run(task, {
        signal: gone.signal,
        onOutput: async ({ data }) => {
          held += data.length;
          gone.abort(new Error('this worker died'));
        },
      });
      await assert.rejects(first, /this worker died/);
      const second = run(task, { on: world.newHosts(), fromOffset: held });
      await sh(': >"$0"', path);
      assert.equal((await second).output.toString(), 'second\n');
    });

    test('the signal ends the wait and not the task', async () => {
      const path = freshPath();
      const task = command(['sh', '-c', `sleep 0.5; ${COUNT_UP}`, path]);
      const impatient = new AbortController();
      const waiting = run(task, { signal: impatient.signal });
      await untilRunning(task);
      impatient.abort(new Error('enough'));
      await assert.rejects(waiting, /enough/);
      await until('the task has ended', async () => (await status(task)).kind === 'exited');
      assert.equal(await linesOf(path), 1);
    });

    test('a consumer that is slow gets everything in order', async () => {
      const task = command(['sh', '-c', 'head -c 400000 /dev/zero | tr "\\0" a']);
      let bytes = 0;
      await run(task, {
        onOutput: async ({ offset, data }) => {
          assert.equal(offset, bytes);
          bytes += data.length;
          await wait(2);
        },
      });
      assert.equal(bytes, 400_000);
    });

    test('a consumer that fails ends the wait with its error', async () => {
      const failing = run(command(['echo', 'x']), {
        onOutput: async () => Promise.reject(new Error('no room')),
      });
      await assert.rejects(failing, /no room/);
    });

    test('the host is named before anything starts', async () => {
      const path = freshPath();
      const task = command(['sh', '-c', COUNT_UP, path]);
      const refused = run(task, { onDispatch: async () => Promise.reject(new Error('not stored')) });
      await assert.rejects(refused, /not stored/);
      assert.deepEqual(await status(task), { kind: 'none' });
      let stored: HostIdentity | undefined;
      await run(task, {
        onDispatch: async (identity) => {
          stored = identity;
        },
      });
      assert.deepEqual(stored, (await hosts.facts(world.address)).identity);
      assert.equal(await linesOf(path), 1);
    });

    test('a task that never started is `none` on the host of its dispatch', async () => {
      const { identity } = await hosts.facts(world.address);
      assert.deepEqual(await status(command(['true']), identity), { kind: 'none' });
    });

    test('"never started" is not believed after a reboot or on another machine', async () => {
      const { identity } = await hosts.facts(world.address);
      for (const expect of [
        { ...identity, bootId: 'another' },
        { ...identity, hostId: 'another' },
      ]) {
        const task = command(['true']);
        assert.equal((await status(task, expect)).kind, 'unknown');
        assert.equal((await run(task, { expect })).status.kind, 'unknown');
        assert.deepEqual(await status(task), { kind: 'none' });
      }
    });

    test('the status tells how much a running task has written', async () => {
      const task = command(['sh', '-c', 'printf 12345; sleep 30']);
      const running = run(task);
      await until('five bytes are there', async () => {
        const seen = await status(task);
        return seen.kind === 'running' && seen.outputBytes === 5;
      });
      assert.deepEqual(await hosts.cancel(world.address, task, 100), {
        gone: true,
        before: { kind: 'running', outputBytes: 5 },
      });
      await running;
    });

    test('a supervisor that was killed makes the task unknown, never a success', async () => {
      const task = command(['sh', '-c', 'kill -KILL $PPID; sleep 0.3; exit 0']);
      assert.equal((await run(task)).status.kind, 'unknown');
      await wait(400);
      assert.equal((await status(task)).kind, 'unknown');
    });

    test('a task that was cancelled before it started can never start', async () => {
      const path = freshPath();
      const task = command(['sh', '-c', COUNT_UP, path]);
      assert.deepEqual(await hosts.cancel(world.address, task, 100), {
        gone: true,
        before: { kind: 'none' },
      });
      assert.deepEqual((await run(task)).status, { kind: 'cancelled' });
      assert.deepEqual(await status(task), { kind: 'cancelled' });
      assert.equal(await linesOf(path), 0);
    });

    test('cancel asks a command to end before it kills it', async () => {
      const task = command([
        'sh',
        '-c',
        'trap "echo asked; exit 9" TERM; echo up; while :; do sleep 0.1; done',
      ]);
      const running = run(task);
      await until('the trap is set', async () => hasOutput(await status(task)));
      assert.equal((await hosts.cancel(world.address, task, 20_000)).gone, true);
      const { status: end, output } = await running;
      assert.match(output.toString(), /^up\n(Terminated\n)?asked\n$/);
      assert.equal(end.kind === 'exited' && end.code, 9);
    });

    test('cancel ends a whole tree that ignores TERM, and those who left its session', async () => {
      const script =
        'trap "" TERM; (trap "" TERM; echo $$; sleep 60; sleep 60) & setsid sh -c "trap \'\' TERM; echo \\$\\$; sleep 60" & ' +
        'sh -c "echo \\$\\$; exec env -i sleep 61" & wait';
      const task = command(['sh', '-c', script]);
      let text = '';
      const running = run(task, {
        onOutput: async ({ data }) => {
          text += Buffer.from(data).toString();
        },
      });
      await until('all three run', async () => text.split('\n').length === 4);
      assert.equal((await hosts.cancel(world.address, task, 300)).gone, true);
      for (const pid of text.trim().split('\n')) assert.equal(await isAlive(pid), false);
      assert.equal((await running).status.kind, 'exited');
    });

    test('cancel finds the command of a supervisor that was killed', async () => {
      const task = command(['sh', '-c', 'echo $$; kill -KILL $PPID; exec env -i sleep 60']);
      const { status: seen, output } = await run(task);
      assert.equal(seen.kind, 'unknown');
      const pid = output.toString().trim();
      assert.equal(await isAlive(pid), true);
      assert.equal((await hosts.cancel(world.address, task, 100)).gone, true);
      assert.equal(await isAlive(pid), false);
    });

    test('cancel survives a broken connection', async () => {
      const task = command(['sh', '-c', 'trap "" TERM; echo up; sleep 60; sleep 60']);
      const running = run(task, { on: world.newHosts() });
      await until('it runs', async () => hasOutput(await status(task)));
      const cancelling = hosts.cancel(world.address, task, 1_000);
      await wait(500);
      world.cut();
      assert.equal((await cancelling).gone, true);
      await running;
    });

    test('a service that a task left behind does not hold it up, and outlives a late cancel', async () => {
      const task = command(['sh', '-c', 'sleep 30 & echo $!']);
      const { status: end, output } = await run(task);
      assert.equal(end.kind, 'exited');
      assert.equal((await hosts.cancel(world.address, task, 100)).gone, true);
      const pid = output.toString().trim();
      assert.equal(await isAlive(pid), true);
      await sh('kill "$0"', pid);
    });

    test('of an output over the limit the first and the last half are kept, and the rest is counted', async () => {
      const task = command(
        ['sh', '-c', 'head -c 1000 /dev/zero | tr "\\0" a; head -c 5000 /dev/zero | tr "\\0" b; printf end'],
        {
          outputLimitBytes: 1_001,
        },
      );
      const { status: end, output } = await run(task);
      assert.deepEqual(end, { kind: 'exited', code: 0, outputBytes: 6_003, droppedBytes: 5_002 });
      const gap = '\n[edge: 5002 bytes of output were not kept]\n';
      assert.equal(output.toString(), `${'a'.repeat(500)}${gap}${'b'.repeat(498)}end`);
      const from = 500 + 10;
      assert.equal(
        (await run(task, { fromOffset: from })).output.toString(),
        output.subarray(from).toString(),
      );
    });

    test('an output between half the limit and the limit is whole', async () => {
      const task = command(['sh', '-c', 'head -c 900 /dev/zero | tr "\\0" a; sleep 0.2; printf end'], {
        outputLimitBytes: 1_000,
      });
      assert.equal((await run(task)).output.toString(), `${'a'.repeat(900)}end`);
    });

    test('secrets are masked, over broken connections and from any offset', async () => {
      const secret = 'correct-horse';
      const task = command(
        ['sh', '-c', 'printf "a correct-"; sleep 0.4; echo "horse b"; echo "$S" | base64; printf correct-'],
        {
          env: { S: secret },
          secrets: [secret],
        },
      );
      const running = run(task);
      await wait(250);
      world.cut();
      const { output } = await running;
      assert.equal(output.toString(), 'a *** b\n***o=\ncorrect-');
      for (const from of [1, 3, 9]) {
        assert.equal(
          (await run(task, { fromOffset: from })).output.toString(),
          output.subarray(from).toString(),
        );
      }
    });

    test('a file arrives whole, with its mode, at a path whose folders did not exist', async () => {
      const folder = freshPath();
      const content = randomBytes(3_000_000);
      const path = `${folder}/a b/it's.bin`;
      await hosts.upload(world.address, await fileOf(content, path), AbortSignal.timeout(30_000));
      assert.equal(
        await sh('sha256sum <"$0" | cut -c1-64; ls -l "$0" | cut -c1-10', path),
        `${sha256(content)}\n-rwxr-x---`,
      );
      await hosts.upload(world.address, await fileOf(content, path), AbortSignal.timeout(30_000));
      assert.equal(await sh('ls -A "$0/a b" | wc -l; rm -r "$0"', folder), '1');
    });

    test('a file that is not what was promised is not put in place', async () => {
      const folder = freshPath();
      const file = {
        ...(await fileOf(randomBytes(1_000), `${folder}/x`)),
        sha256: sha256(Buffer.from('another')),
      };
      const refused = hosts.upload(world.address, file, AbortSignal.timeout(30_000));
      await assert.rejects(refused, { code: 'artifact_mismatch' });
      await until('nothing is left', async () => (await sh('ls -A "$0" | wc -l', folder)) === '0');
    });

    test('an upload that is broken off leaves the whole file or nothing', async () => {
      const folder = freshPath();
      const content = randomBytes(20_000_000);
      const uploading = hosts.upload(
        world.address,
        await fileOf(content, `${folder}/x`),
        AbortSignal.timeout(30_000),
      );
      const broken = assert.rejects(uploading, { code: 'host_unreachable' });
      await until('it has begun', async () => (await sh('ls -A "$0" 2>/dev/null | wc -l', folder)) !== '0');
      world.cut();
      // The last word of the host may be lost after the file is in place, and all may be done before the cut.
      await broken.catch(() => uploading);
      await until('no part is left', async () => /^x?$/.test(await sh('ls -A "$0"', folder)));
      const left = await sh('if [ -e "$0" ]; then sha256sum <"$0" | cut -c1-64; fi', `${folder}/x`);
      assert.ok(left === '' || left === sha256(content), left);
    });

    test('a place that cannot be written is named', async () => {
      const file = await fileOf(randomBytes(10), '/proc/edge/x');
      await assert.rejects(hosts.upload(world.address, file, AbortSignal.timeout(30_000)), {
        code: 'host_unfit',
      });
    });

    test('a task that was forgotten has left no trace', async () => {
      const task = command(['echo', 'x']);
      await run(task);
      await hosts.forget(world.address, [task, command(['never'])]);
      assert.deepEqual(await status(task), { kind: 'none' });
    });

    test('the facts name the system and what is free', async () => {
      const facts = await hosts.facts(world.address);
      assert.match(facts.system, /^Linux /);
      assert.ok(facts.freeBytes > 0);
    });

    test('a command that no shell can be given is refused', async () => {
      await assert.rejects(run(command(['printf', 'a\0b'])), { code: 'request_invalid' });
      await assert.rejects(run(command(['env'], { env: { 'A B': '1' } })), { code: 'request_invalid' });
      await assert.rejects(run(command([])), { code: 'request_invalid' });
    });

    if (withSudo)
      describe('as another account', () => {
        const as = (more: Partial<RemoteTask> = {}) => ({
          ...more,
          ...(world.sudoUser === undefined ? {} : { sudoUser: world.sudoUser }),
        });
        test('a command runs and is not run twice', async () => {
          const task = command(
            ['sh', '-c', 'id -un; printf "%s\\n" "$A"; exit 5'],
            as({ env: { A: 'b c' } }),
          );
          const first = await run(task);
          assert.deepEqual(first.output.toString(), `${world.sudoUser}\nb c\n`);
          assert.equal(first.status.kind === 'exited' && first.status.code, 5);
          assert.deepEqual(await run(task), first);
          await hosts.forget(world.address, [task]);
        });

        test('a broken connection changes nothing', async () => {
          const task = command(['sh', '-c', 'for i in 1 2 3 4 5; do echo $i; sleep 0.2; done'], as());
          const running = run(task);
          await wait(400);
          world.cut();
          await wait(300);
          world.cut();
          const { status: end, output } = await running;
          assert.equal(output.toString(), '1\n2\n3\n4\n5\n');
          assert.equal(end.kind === 'exited' && end.code, 0);
          await hosts.forget(world.address, [task]);
        });

        test('cancel reaches what the log-in user could not signal', async () => {
          const task = command(['sh', '-c', 'trap "" TERM; echo $$; sleep 60; sleep 60'], as());
          const running = run(task);
          await until('it runs', async () => hasOutput(await status(task)));
          assert.equal((await hosts.cancel(world.address, task, 200)).gone, true);
          const { output } = await running;
          assert.equal(await isAlive(output.toString().trim()), false);
          await hosts.forget(world.address, [task]);
        });

        test('a file belongs to that account', async () => {
          const path = freshPath();
          const file = { ...(await fileOf(Buffer.from('x'), path)), ...as() };
          await hosts.upload(world.address, { ...file, mode: 0o644 }, AbortSignal.timeout(30_000));
          assert.equal(
            await sh('ls -l "$0" | { read -r mode links owner rest; echo $owner; }', path),
            world.sudoUser,
          );
        });

        test('an account that sudo refuses is named, with what to put into sudoers', async () => {
          const task = command(['true'], { sudoUser: 'edge-nobody-knows' });
          await assert.rejects(run(task), (error: { code: string; body: { hint: string } }) => {
            return error.code === 'host_unfit' && /NOPASSWD/.test(error.body.hint);
          });
        });
      });

    async function fileOf(content: Buffer, path: string) {
      const localPath = join(local, randomBytes(8).toString('hex'));
      await writeFile(localPath, content);
      return { localPath, path, sha256: sha256(content), mode: 0o750 };
    }
  });
}

function command(argv: readonly string[], more: Partial<RemoteTask> = {}): RemoteTask {
  const id = remoteTaskId(randomBytes(16).toString('hex'));
  return { id, argv, env: {}, secrets: [], outputLimitBytes: 4_000_000, ...more };
}

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hasOutput = (status: RemoteStatus): boolean => status.kind === 'running' && status.outputBytes > 0;
