import { EdgeError } from '../../domain/errors.ts';
import type { ShownKey } from '../../domain/host-key.ts';
import { commandFault } from '../../lib/command-fault.ts';
import { sha256 } from '../../lib/hash.ts';
import { KeptOutput, type RawRange } from '../../lib/kept-output.ts';
import { createMask } from '../../lib/mask.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostKeys, LookedAtKey, UnprovenHost } from '../../ports/host-keys.ts';
import type {
  CancelProof,
  HostAddress,
  HostFacts,
  HostIdentity,
  Hosts,
  RemoteStatus,
  RemoteTask,
  RunOptions,
  UploadFile,
} from '../../ports/hosts.ts';
import type { Program } from './behaviour.ts';
import type { DetachedCommand } from './detached-command.ts';
import { MemoryHost } from './host.ts';

const CHUNK_BYTES = 32 * 1024;
const FREE_BYTES = 1_000_000_000;

export type MemoryHostsOptions = {
  /** The SHA-256 of a local file; rejects if there is none. Without it each file is what its upload says. */
  readonly digestOf?: (localPath: string) => Promise<string>;
  /** Whether a file is on a host that no upload put there: what commands do to files is not known here. */
  readonly made?: (host: string, file: FileOnHost) => boolean;
};
type FileOnHost = NonNullable<UploadFile['unless']>;

/**
 * Hosts by name, in memory: a detached task behaves as `program` says, for as long as the clock says. Files of keys know them
 * all; no other key of an address keeps anybody out.
 */
export class MemoryHosts implements Hosts, HostKeys {
  readonly #clock: Clock;
  readonly #program: Program;
  readonly #digestOf: MemoryHostsOptions['digestOf'];
  readonly #made: MemoryHostsOptions['made'];
  readonly #hosts = new Map<string, MemoryHost>();

  constructor(clock: Clock, program: Program, { digestOf, made }: MemoryHostsOptions = {}) {
    this.#clock = clock;
    this.#program = program;
    this.#digestOf = digestOf;
    this.#made = made;
  }

  host(name: string): MemoryHost {
    const known = this.#hosts.get(name);
    if (known) return known;
    const host = new MemoryHost({ name, clock: this.#clock, program: this.#program });
    this.#hosts.set(name, host);
    return host;
  }

  async run(address: HostAddress, task: RemoteTask, options: RunOptions): Promise<RemoteStatus> {
    const host = this.host(refuseFaulty(address, task).name);
    const connected = host.connect();
    const check = (): void => {
      options.signal.throwIfAborted();
      connected();
    };
    check();
    let { expect } = options;
    if (host.status(task.id, expect).kind === 'none') {
      expect = host.identity;
      await options.onDispatch(expect);
      check();
      const isNew = host.status(task.id, expect).kind === 'none';
      if (isNew && isChanged(task)) return { kind: 'changed' };
      if (isNew && host.isDiskFull && !options.expect) return { kind: 'refused', why: 'the disk is full' };
      if (isNew) host.start(task);
    }
    const command = host.command(task.id);
    if (!command) return host.status(task.id, expect);
    return follow({ host, command, task, options, check });
  }

  async status(
    address: HostAddress,
    task: RemoteTask,
    expect: HostIdentity | undefined,
  ): Promise<RemoteStatus> {
    return this.#reach(refuseFaulty(address, task)).status(task.id, expect);
  }

  async cancel(address: HostAddress, task: RemoteTask, graceMs: number): Promise<CancelProof> {
    const host = this.host(refuseFaulty(address, task).name);
    const check = host.connect();
    const before = host.status(task.id, undefined);
    if (before.kind === 'none') host.tombstone(task.id);
    const command = host.command(task.id);
    // On the host, where it goes on whoever loses sight of it.
    void command?.stop(graceMs);
    while (command?.isAlive) {
      await host.change();
      check();
    }
    return { gone: true, before };
  }

  async upload(address: HostAddress, file: UploadFile, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (!/^(~\/|\/)/.test(file.path))
      throw new EdgeError('request_invalid', `The path ${file.path} on a host must begin with / or ~/`);
    const path = placeOf(file.path);
    const host = this.host(address.name);
    const check = host.connect();
    if (file.unless && this.#holds(host, file.unless)) return path;
    const { bring, ...sent } = file;
    if (bring && this.#holds(host, file)) return path;
    if (bring) return bring((brought) => this.upload(address, { ...sent, ...brought }, signal));
    const digest = await this.#digest(file);
    signal.throwIfAborted();
    check();
    host.needDisk();
    if (digest !== file.sha256)
      throw new EdgeError('artifact_mismatch', `${file.localPath} has the digest ${digest}`);
    host.files.set(path, { ...file, path });
    return path;
  }

  async #digest({ localPath, content, sha256: expected }: UploadFile): Promise<string> {
    if (content) return sha256(content);
    return (await this.#digestOf?.(localPath).catch(unreadable)) ?? expected;
  }

  #holds(host: MemoryHost, file: FileOnHost): boolean {
    const path = placeOf(file.path);
    return (
      host.files.get(path)?.sha256 === file.sha256 || this.#made?.(host.name, { ...file, path }) === true
    );
  }

  async forget(address: HostAddress, tasks: readonly RemoteTask[]): Promise<void> {
    const host = this.#reach(address);
    for (const task of tasks) host.forget(task.id);
  }

  async facts(address: HostAddress): Promise<HostFacts> {
    const { identity, isDiskFull } = this.#reach(address);
    return { identity, system: 'Linux in memory', missing: [], freeBytes: isDiskFull ? 0 : FREE_BYTES };
  }

  async shownKey(host: UnprovenHost): Promise<LookedAtKey> {
    const { key } = this.#reach(host);
    return { ...key, refused: refusedBy(host, key)?.body ?? null };
  }

  #reach({ name }: UnprovenHost): MemoryHost {
    const host = this.host(name);
    host.connect();
    return host;
  }
}

const isChanged = ({ script }: RemoteTask): boolean =>
  script !== undefined && sha256(script.content) !== script.sha256;

/** Of a script that has ended: what it wrote for later steps. */
function withOutputs(status: RemoteStatus, command: DetachedCommand, task: RemoteTask): RemoteStatus {
  if (status.kind !== 'exited' || !task.script) return status;
  const mask = createMask(task.secrets);
  const given = Buffer.from(command.outputs).subarray(0, task.script.outputsLimitBytes + 1);
  return { ...status, outputs: Buffer.concat([mask.write(given), mask.end()]).toString() };
}

const placeOf = (path: string): string => path.replace(/^~(?=\/)/, '/home');

function refuseFaulty(address: HostAddress, task: RemoteTask): HostAddress {
  const fault = commandFault(task);
  if (fault === undefined) return address;
  throw new EdgeError('request_invalid', `${address.name}: the command cannot be run: ${fault}`);
}

function refusedBy({ name, hostKey }: UnprovenHost, { fingerprint }: ShownKey): EdgeError | undefined {
  const shown = `${name} showed the key ${fingerprint}`;
  if (hostKey === undefined) return new EdgeError('host_key_unknown', `${shown}, which nobody knows`);
  if (!('fingerprint' in hostKey) || hostKey.fingerprint === fingerprint) return undefined;
  return new EdgeError('host_key_mismatch', `${shown}; pinned is ${hostKey.fingerprint}`);
}

function unreadable(cause: unknown): never {
  throw new EdgeError('artifact_unreadable', 'The artifact cannot be read', { cause });
}

type Attached = {
  readonly host: MemoryHost;
  readonly command: DetachedCommand;
  readonly task: RemoteTask;
  readonly options: RunOptions;
  /** Throws when nobody can be attached any more. */
  readonly check: () => void;
};

/** Passes on what the command writes until it has ended, or its end cannot be known any more. */
async function follow({ host, command, task, options, check }: Attached): Promise<RemoteStatus> {
  let fromOffset = options.fromOffset;
  const onOutput: RunOptions['onOutput'] = async (chunk) => {
    await options.onOutput(chunk);
    fromOffset = chunk.offset + chunk.data.length;
  };
  const attach = (): KeptOutput =>
    new KeptOutput({ limitBytes: task.outputLimitBytes, secrets: task.secrets, fromOffset, onOutput });
  let kept = attach();
  for (let { cuts } = host; ; ) {
    check();
    if (cuts !== host.cuts) [cuts, kept] = [host.cuts, attach()];
    const status = command.status();
    if (status.kind === 'running') {
      const piece = command.output.subarray(kept.next, kept.next + CHUNK_BYTES);
      // Between this look and the wait nothing else runs, so no change is missed.
      if (kept.headIsFull || piece.length === 0) await host.change(options.signal);
      else await kept.pushHead(piece);
      continue;
    }
    const range = await restOf(kept, command, status);
    if (!range) {
      await kept.end();
      return withOutputs(status, command, task);
    }
    await kept.push(command.output.subarray(range.start, range.start + Math.min(range.count, CHUNK_BYTES)));
  }
}

/** What is still to be passed on of a command that has ended; of one whose end is unknown nobody knows where a tail begins. */
async function restOf(
  kept: KeptOutput,
  command: DetachedCommand,
  status: RemoteStatus,
): Promise<RawRange | undefined> {
  return status.kind === 'exited'
    ? await kept.remaining(status.outputBytes)
    : kept.remainingOfHead(command.output.length);
}
