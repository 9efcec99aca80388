import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { bindAction } from '../../src/actions/define.ts';
import { hostRun } from '../../src/actions/host-run.ts';
import { deploymentId, taskId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { sha256 } from '../../src/lib/hash.ts';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import { releaseInstall } from '../../src/platforms/datacenter/release-install.ts';
import type { Action } from '../../src/ports/action.ts';
import { artifactsIn } from '../support/artifacts.ts';
import { realClock } from '../support/clock.ts';
import { openSshWorld, type SshWorld } from '../support/ssh-world.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');

describe('actions on real OpenSSH', { skip }, () => {
  let world: SshWorld;
  let root: string;
  let tasks = 0;

  before(async () => {
    world = await openSshWorld({ sshdPath, network: '127.71.9' });
    root = await mkdtemp(join(tmpdir(), 'edge actions-'));
    await chmod(root, 0o777); // the hosts may be another user's
  });
  after(async () => {
    await world.close();
    await rm(root, { recursive: true, force: true });
  });

  /** One task; each `attempt` is a worker with connections of its own that knows the checkpoint only. */
  function newTask(action: Action, inputs: JsonObject) {
    tasks += 1;
    const key = { deployment: deploymentId(`${basename(root)}-${tasks}`), target: 0, step: 0, group: 0 };
    const task = { id: taskId(key), checkpoint: null as Json | null, output: '' };
    const attempt = (signal: AbortSignal = new AbortController().signal): Promise<Outcome> => {
      const ports = {
        hosts: world.newHosts(),
        balancer: () => Promise.reject(new Error('no balancer here')),
        statistics: () => Promise.reject(new Error('no statistics here')),
        metrics: () => Promise.reject(new Error('no metrics here')),
        probe: { http: () => Promise.reject(new Error()), tcp: () => Promise.reject(new Error()) },
        secrets: { resolve: async () => 's3cret value' },
        artifacts: artifactsIn('/nowhere'),
        clock: realClock,
      };
      return bindAction(action, ports).apply({
        task: task.id,
        deployment: key.deployment,
        target: 'host',
        step: 'step',
        attempt: 1,
        epoch: 1,
        group: 0,
        inputs: { host: JSON.parse(JSON.stringify(world.address)), ...inputs },
        checkpoint: task.checkpoint,
        saveCheckpoint: async (checkpoint) => {
          signal.throwIfAborted();
          task.checkpoint = checkpoint;
        },
        output: async (text, reached) => {
          signal.throwIfAborted();
          task.output += text;
          if (reached !== undefined) task.checkpoint = reached;
        },
        progress: () => undefined,
        signal,
        lost: signal,
        requireLease: () => signal.throwIfAborted(),
        remainingMs: () => 120_000,
      });
    };
    return { task, attempt };
  }

  async function archive(version: string) {
    const content = join(root, `content-${version}`);
    await mkdir(content);
    await writeFile(join(content, 'VERSION'), version);
    const path = join(root, `${version}.tar.gz`);
    execFileSync('tar', ['-czf', path, '-C', content, '.']);
    const artifact = {
      name: 'web.tar.gz',
      path,
      sha256: sha256(await readFile(path)),
      sizeBytes: (await stat(path)).size,
    };
    return {
      id: `${version}-aaaaaaaa`,
      version,
      hash: `hash-${version}`,
      artifacts: [{ ...artifact, unpack: 'tar.gz' }],
    };
  }

  test('releases are installed one after the other, the link always at a whole one', async () => {
    const folder = join(root, 'web');
    for (const version of ['1.0', '2.0']) {
      const release = await archive(version);
      const { task, attempt } = newTask(releaseInstall, { folder, keep: 3, release });
      assert.deepEqual(
        await attempt(),
        {
          kind: 'done',
          outputs: { folder: `${folder}/releases/${release.id}`, release: release.id },
        },
        task.output,
      );
      assert.equal(await readFile(join(folder, 'current/VERSION'), 'utf8'), version);
    }
    assert.equal(await readlink(join(folder, 'previous')), 'releases/1.0-aaaaaaaa');
  });

  test('an artifact that was changed since the release was made is refused, and nothing is linked', async () => {
    const release = await archive('3.0');
    await writeFile(join(root, '3.0.tar.gz'), 'something else');
    const outcome = await newTask(releaseInstall, {
      folder: join(root, 'other'),
      keep: 3,
      release,
    }).attempt();
    assert.equal(outcome.kind === 'failed' && outcome.error.code, 'artifact_mismatch');
    await assert.rejects(readlink(join(root, 'other/current')));
  });

  test('a second worker takes a command over in its middle, and the log is exact', async () => {
    const count = join(root, 'count');
    const script =
      'echo x >> "$0"; i=0; while [ $i -lt 30 ]; do echo "line $i €"; i=$((i + 1)); sleep 0.1; done';
    const { task, attempt } = newTask(hostRun, { argv: ['sh', '-c', script, count] });
    const first = new AbortController();
    const running = attempt(first.signal);
    running.catch(() => undefined);
    while (!task.output.includes('line 5 ')) await new Promise((resolve) => setTimeout(resolve, 20));
    first.abort(new Error('killed'));
    await assert.rejects(running);
    assert.equal((await attempt()).kind, 'done');
    assert.equal(task.output, Array.from({ length: 30 }, (_, n) => `line ${n} €\n`).join(''));
    assert.equal(await readFile(count, 'utf8'), 'x\n');
  });

  test('a secret reaches the command and not the log, and a folder below home is found', async () => {
    const env = { TOKEN: { source: 'env', name: 'TOKEN' } };
    const argv = ['sh', '-c', 'echo "token: $TOKEN"; [ "$(pwd -P)" = "$(cd "$HOME" && pwd -P)" ]'];
    const { task, attempt } = newTask(hostRun, { argv, env, cwd: '~/' });
    assert.equal((await attempt()).kind, 'done', task.output);
    assert.equal(task.output, 'token: ***\n');
  });
});
