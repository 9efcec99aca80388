import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remoteTaskId } from '../../../src/domain/ids.ts';
import type { HostKeys } from '../../../src/ports/host-keys.ts';
import type {
  HostIdentity,
  Hosts,
  RemoteScript,
  RemoteStatus,
  RemoteTask,
  RunOptions,
  UploadFile,
} from '../../../src/ports/hosts.ts';
import type { Doing, Step } from './doing.ts';
import { shellHands } from './shell-hands.ts';
import type { Hands, HostsWorld } from './world.ts';

export type Ran = { readonly status: RemoteStatus; readonly output: Buffer };

type Open = {
  readonly world: HostsWorld;
  readonly hosts: Hosts & HostKeys;
  readonly hands: Hands;
  readonly local: string;
};

/** A world that is open while the suite runs, and what its tests do in it again and again. */
export class HostsBench {
  readonly #make: () => Promise<HostsWorld>;
  readonly #used: string[] = [];
  #open: Open | undefined;

  constructor(make: () => Promise<HostsWorld>) {
    this.#make = make;
  }

  async open(): Promise<void> {
    const world = await this.#make();
    const hands = world.hands ?? shellHands((script, ...args) => this.sh(script, ...args));
    const local = await mkdtemp(join(tmpdir(), 'edge-hosts-'));
    this.#open = { world, hosts: world.newHosts(), hands, local };
  }

  async close(): Promise<void> {
    const { world, hands, local } = this.#opened;
    await hands.remove(this.#used);
    await world.close();
    await rm(local, { recursive: true, force: true });
  }

  get world(): HostsWorld {
    return this.#opened.world;
  }

  get hosts(): Hosts & HostKeys {
    return this.#opened.hosts;
  }

  get hands(): Hands {
    return this.#opened.hands;
  }

  /** A place on the host where nothing is; what is there at the end is removed. */
  freshPath(): string {
    const path = `/tmp/edge-contract-${randomBytes(8).toString('hex')}`;
    this.#used.push(path);
    return path;
  }

  /** Runs to the end and checks on the way that the output has neither a gap nor a byte twice. */
  async run(task: RemoteTask, more: Partial<RunOptions> & { on?: Hosts } = {}): Promise<Ran> {
    const { on = this.hosts, fromOffset = 0, ...options } = more;
    const pieces: Uint8Array[] = [];
    let next = fromOffset;
    const status = await on.run(this.world.address, task, {
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

  /** What a script of a shell on the host printed; it must not be killed. */
  async sh(script: string, ...args: string[]): Promise<string> {
    const { status, output } = await this.run(command(['sh', '-c', script, ...args]));
    assert.equal(status.kind, 'exited', JSON.stringify(status));
    return output.toString().trim();
  }

  /** A new task that does this. */
  doing(doing: Doing | readonly Step[], more: Partial<RemoteTask> = {}): RemoteTask {
    return command(this.hands.argvOf('steps' in doing ? doing : { steps: doing }), more);
  }

  /** The same as a script. */
  scripting(doing: Doing | readonly Step[], more: Partial<RemoteTask> = {}): RemoteTask {
    const { argv, content } = this.hands.scriptOf('steps' in doing ? doing : { steps: doing });
    return command(argv, { script: scriptOf(content), ...more });
  }

  status(task: RemoteTask, expect?: HostIdentity): Promise<RemoteStatus> {
    return this.hosts.status(this.world.address, task, expect);
  }

  cancel(task: RemoteTask, graceMs: number) {
    return this.hosts.cancel(this.world.address, task, graceMs);
  }

  upload(file: UploadFile): Promise<string> {
    return this.hosts.upload(this.world.address, file, AbortSignal.timeout(30_000));
  }

  wait(ms: number): Promise<void> {
    return this.world.clock.sleep(ms, new AbortController().signal);
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (let round = 0; round < 600; round++) {
      if (await isSo()) return;
      await this.wait(50);
    }
    assert.fail(`it never came true that ${what}`);
  }

  untilRunning(task: RemoteTask): Promise<void> {
    return this.until('the task runs', async () => (await this.status(task)).kind === 'running');
  }

  untilItHasPrinted(task: RemoteTask): Promise<void> {
    return this.until('it has printed', async () => {
      const seen = await this.status(task);
      return seen.kind === 'running' && seen.outputBytes > 0;
    });
  }

  /** A local file of this content that is to go to `path`. */
  async fileOf(content: Buffer, path: string): Promise<UploadFile> {
    const localPath = join(this.#opened.local, randomBytes(8).toString('hex'));
    await writeFile(localPath, content);
    return { localPath, path, sha256: sha256(content), mode: 0o750 };
  }

  get #opened(): Open {
    if (!this.#open) throw new Error('the world of this suite is not open');
    return this.#open;
  }
}

/** A new task of these words. */
export function command(argv: readonly string[], more: Partial<RemoteTask> = {}): RemoteTask {
  const id = remoteTaskId(randomBytes(16).toString('hex'));
  return { id, argv, env: {}, secrets: [], outputLimitBytes: 4_000_000, ...more };
}

/** For a task, whole and with its true digest. */
export const scriptOf = (content: string): RemoteScript => ({
  content,
  sha256: sha256(Buffer.from(content)),
  outputsLimitBytes: 1_000,
});

export const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
