import { EdgeError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
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

/** What a command does on a host of this world: it writes `output` piece by piece, and ends after `durationMs`. */
export type Behaviour = {
  readonly durationMs: number;
  readonly code: number;
  readonly output?: readonly { readonly atMs: number; readonly text: string }[];
  readonly ignoresTerm?: boolean;
};
export type Program = (task: RemoteTask) => Behaviour;

type Claim =
  | { readonly kind: 'tombstone' }
  | {
      readonly kind: 'started';
      readonly task: RemoteTask;
      readonly bootId: string;
      readonly atMs: number;
      readonly behaviour: Behaviour;
      /** When it was killed, its group or its supervisor; the output stops there. */
      readonly ended?: { readonly atMs: number; readonly code: number | undefined };
    };

const STEP_MS = 50;
const CHUNK_BYTES = 32 * 1024;

/** A host: its tasks' claims survive a reboot, nothing survives `wipe`. All is done by the caller's clock. */
export class MemoryHost {
  readonly #clock: Clock;
  readonly #program: Program;
  readonly #claims = new Map<string, Claim>();
  #generation = 0;
  #boots = 0;
  /** What was uploaded, by path. */
  readonly files = new Map<string, UploadFile>();
  /** How often each task was started, by the host's own count. */
  readonly starts = new Map<string, number>();
  reachable = true;

  constructor(clock: Clock, program: Program) {
    this.#clock = clock;
    this.#program = program;
  }

  get identity(): HostIdentity {
    return { bootId: `boot-${this.#generation}-${this.#boots}`, hostId: `host-${this.#generation}` };
  }

  reboot(): void {
    this.#boots += 1;
  }

  /** As if it had been installed anew. */
  wipe(): void {
    this.#generation += 1;
    this.#claims.clear();
    this.files.clear();
  }

  /** The supervisor of a running task dies: nobody will ever know its exit status. */
  killSupervisor(id: string): void {
    this.#end(id, undefined);
  }

  start(task: RemoteTask): void {
    if (this.#claims.has(task.id)) return;
    this.starts.set(task.id, (this.starts.get(task.id) ?? 0) + 1);
    const { bootId } = this.identity;
    const atMs = this.#clock.monotonicMs();
    this.#claims.set(task.id, { kind: 'started', task, bootId, atMs, behaviour: this.#program(task) });
  }

  tombstone(id: string): void {
    if (!this.#claims.has(id)) this.#claims.set(id, { kind: 'tombstone' });
  }

  forget(id: string): void {
    this.#claims.delete(id);
  }

  kill(id: string): void {
    this.#end(id, 137);
  }

  ignoresTerm(id: string): boolean {
    const claim = this.#claims.get(id);
    return claim?.kind === 'started' && claim.behaviour.ignoresTerm === true;
  }

  #end(id: string, code: number | undefined): void {
    const claim = this.#claims.get(id);
    if (claim?.kind !== 'started' || claim.ended || this.#elapsed(claim) >= claim.behaviour.durationMs)
      return;
    this.#claims.set(id, { ...claim, ended: { atMs: this.#clock.monotonicMs(), code } });
  }

  #elapsed(claim: Claim & { readonly kind: 'started' }): number {
    return (claim.ended?.atMs ?? this.#clock.monotonicMs()) - claim.atMs;
  }

  output(id: string): Buffer {
    const claim = this.#claims.get(id);
    if (claim?.kind !== 'started') return Buffer.alloc(0);
    const elapsed = this.#elapsed(claim);
    const pieces = (claim.behaviour.output ?? []).filter(({ atMs }) => atMs <= elapsed);
    const text = pieces.map((piece) => piece.text).join('');
    return Buffer.from(claim.task.secrets.reduce((all, secret) => all.replaceAll(secret, '***'), text));
  }

  status(id: string, expect: HostIdentity | undefined): RemoteStatus {
    if (expect && expect.hostId !== this.identity.hostId)
      return { kind: 'unknown', seen: 'it is another host, or was wiped' };
    const claim = this.#claims.get(id);
    if (!claim) {
      if (expect && expect.bootId !== this.identity.bootId)
        return { kind: 'unknown', seen: 'the host rebooted' };
      return { kind: 'none' };
    }
    if (claim.kind === 'tombstone') return { kind: 'cancelled' };
    const outputBytes = this.output(id).length;
    const { behaviour, ended } = claim;
    if (ended) {
      if (ended.code === undefined) return { kind: 'unknown', seen: 'the supervisor died' };
      return { kind: 'exited', code: ended.code, outputBytes, droppedBytes: 0 };
    }
    if (this.#elapsed(claim) >= behaviour.durationMs) {
      return { kind: 'exited', code: behaviour.code, outputBytes, droppedBytes: 0 };
    }
    if (claim.bootId !== this.identity.bootId) return { kind: 'unknown', seen: 'the host rebooted' };
    return { kind: 'running', outputBytes };
  }
}

/** Hosts by name, in memory: a detached task behaves as `program` says, for as long as the clock says. */
export class MemoryHosts implements Hosts {
  readonly #clock: Clock;
  readonly #program: Program;
  readonly #hosts = new Map<string, MemoryHost>();

  constructor(clock: Clock, program: Program) {
    this.#clock = clock;
    this.#program = program;
  }

  host(name: string): MemoryHost {
    const known = this.#hosts.get(name);
    if (known) return known;
    const host = new MemoryHost(this.#clock, this.#program);
    this.#hosts.set(name, host);
    return host;
  }

  async run(address: HostAddress, task: RemoteTask, options: RunOptions): Promise<RemoteStatus> {
    const { expect, signal } = options;
    const host = this.#reach(address);
    signal.throwIfAborted();
    await options.onDispatch(host.identity);
    signal.throwIfAborted();
    this.#reach(address);
    if (host.status(task.id, expect).kind === 'none') host.start(task);
    let offset = options.fromOffset;
    for (;;) {
      this.#reach(address);
      const status = host.status(task.id, expect);
      offset = await deliver(host.output(task.id), offset, options);
      if (status.kind !== 'running') return status;
      await this.#clock.sleep(STEP_MS, signal);
    }
  }

  async status(
    address: HostAddress,
    task: RemoteTask,
    expect: HostIdentity | undefined,
  ): Promise<RemoteStatus> {
    return this.#reach(address).status(task.id, expect);
  }

  async cancel(address: HostAddress, task: RemoteTask, graceMs: number): Promise<CancelProof> {
    const host = this.#reach(address);
    const before = host.status(task.id, undefined);
    host.tombstone(task.id);
    if (before.kind !== 'running') return { gone: true, before };
    if (host.ignoresTerm(task.id)) await this.#clock.sleep(graceMs, new AbortController().signal);
    this.#reach(address).kill(task.id);
    return { gone: true, before };
  }

  async upload(address: HostAddress, file: UploadFile, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#reach(address).files.set(file.path, file);
  }

  async forget(address: HostAddress, tasks: readonly RemoteTask[]): Promise<void> {
    const host = this.#reach(address);
    for (const task of tasks) host.forget(task.id);
  }

  async facts(address: HostAddress): Promise<HostFacts> {
    const { identity } = this.#reach(address);
    return { identity, system: 'memory', missing: [], freeBytes: 1_000_000_000 };
  }

  #reach({ name }: HostAddress): MemoryHost {
    const host = this.host(name);
    if (!host.reachable) throw new EdgeError('host_unreachable', `${name} does not answer`);
    return host;
  }
}

async function deliver(output: Buffer, from: number, { onOutput }: RunOptions): Promise<number> {
  let offset = from;
  while (offset < output.length) {
    const data = output.subarray(offset, offset + CHUNK_BYTES);
    await onOutput({ offset, data });
    offset += data.length;
  }
  return offset;
}
