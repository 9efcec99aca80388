import { EdgeError } from '../../domain/errors.ts';
import type { ShownKey } from '../../domain/host-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostIdentity, RemoteStatus, RemoteTask, UploadFile } from '../../ports/hosts.ts';
import type { Program } from './behaviour.ts';
import { DetachedCommand } from './detached-command.ts';

export type HostOptions = { readonly name: string; readonly clock: Clock; readonly program: Program };

/** A host: its tasks' claims survive a reboot, nothing survives `wipe`. All is done by the caller's clock. */
export class MemoryHost {
  readonly name: string;
  readonly #clock: Clock;
  readonly #program: Program;
  readonly #claims = new Map<string, DetachedCommand | 'tombstone'>();
  /** Those whose process is alive, whether their claim is still there or not. */
  readonly #alive = new Set<DetachedCommand>();
  readonly #waiting = new Set<() => void>();
  #generation = 0;
  #boots = 0;
  #outages = 0;
  #isReachable = true;
  #cuts = 0;
  /** Uploads and new claims are refused; what runs goes on. */
  isDiskFull = false;
  /** What was uploaded, by path. */
  readonly files = new Map<string, UploadFile>();
  /** How often each task was started, by the host's own count; a wipe does not change it. */
  readonly starts = new Map<string, number>();

  constructor({ name, clock, program }: HostOptions) {
    this.name = name;
    this.#clock = clock;
    this.#program = program;
  }

  get identity(): HostIdentity {
    return { bootId: `boot-${this.#generation}-${this.#boots}`, hostId: `host-${this.#generation}` };
  }

  /** Another one after each installation. */
  get key(): ShownKey {
    const letter = String.fromCharCode('A'.charCodeAt(0) + (this.#generation % 26));
    return { type: 'ssh-ed25519', fingerprint: `SHA256:${letter.repeat(43)}` };
  }

  get reachable(): boolean {
    return this.#isReachable;
  }

  /** `false`: every call rejects with `host_unreachable`, those that wait at this moment too. */
  set reachable(to: boolean) {
    if (this.#isReachable && !to) this.#outages += 1;
    this.#isReachable = to;
    this.#changed();
  }

  /** How often its connections were broken. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Breaks all connections; who was attached comes back at once. */
  cut(): void {
    this.#cuts += 1;
    this.#changed();
  }

  reboot(): void {
    this.#killAll('the host was restarted after the task began');
    this.#boots += 1;
    this.#changed();
  }

  /** As if it had been installed anew. */
  wipe(): void {
    this.#killAll('the host was installed anew after the task began');
    this.#generation += 1;
    this.#claims.clear();
    this.files.clear();
    this.#changed();
  }

  /** The supervisor of a running task dies: nobody will ever know its exit status. The command goes on. */
  killSupervisor(id: string): void {
    this.command(id)?.lose('the supervisor of the task died; its command may still run');
  }

  /** The ids of those commands whose process is alive. */
  running(): readonly string[] {
    return [...this.#alive].map(({ id }) => id);
  }

  /** A connection: what it returns throws `host_unreachable` if the host went out of reach since. */
  connect(): () => void {
    const outages = this.#outages;
    const check = (): void => {
      if (!this.#isReachable || outages !== this.#outages)
        throw new EdgeError('host_unreachable', `${this.name} does not answer`);
    };
    check();
    return check;
  }

  status(id: string, expect: HostIdentity | undefined): RemoteStatus {
    const claim = this.#claims.get(id);
    if (claim === 'tombstone') return { kind: 'cancelled' };
    return claim?.status() ?? differs(expect, this.identity) ?? { kind: 'none' };
  }

  command(id: string): DetachedCommand | undefined {
    const claim = this.#claims.get(id);
    return claim === 'tombstone' ? undefined : claim;
  }

  /** Starts the task unless its claim is taken. */
  start(task: RemoteTask): void {
    if (this.#claims.has(task.id)) return;
    this.needDisk();
    const behaviour = this.#program(task, this.name);
    const onChange = (): void => {
      if (!command.isAlive) this.#alive.delete(command);
      this.#changed();
    };
    const command = new DetachedCommand({ clock: this.#clock, task, behaviour, onChange });
    this.#claims.set(task.id, command);
    this.#alive.add(command);
    this.starts.set(task.id, (this.starts.get(task.id) ?? 0) + 1);
    void command.live();
  }

  tombstone(id: string): void {
    if (this.#claims.has(id)) return;
    this.needDisk();
    this.#claims.set(id, 'tombstone');
  }

  forget(id: string): void {
    this.#claims.delete(id);
  }

  /** Throws `host_unfit` if nothing can be written. */
  needDisk(): void {
    if (this.isDiskFull) throw new EdgeError('host_unfit', `${this.name}: the disk is full`);
  }

  /** Resolves at the next change of the host or of what runs on it; rejects with the reason of the signal. */
  change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', abort);
      };
      const wake = (): void => {
        leave();
        resolve();
      };
      const abort = (): void => {
        leave();
        reject(signal?.reason);
      };
      if (signal?.aborted) return abort();
      this.#waiting.add(wake);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #killAll(why: string): void {
    for (const command of [...this.#alive]) command.kill(why);
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** "Never started" is true only on the very host and boot of the dispatch: else the claim may have been lost with them. */
function differs(expect: HostIdentity | undefined, seen: HostIdentity): RemoteStatus | undefined {
  if (expect && expect.hostId !== seen.hostId)
    return { kind: 'unknown', seen: 'the host has no trace of the task, and is another one' };
  if (expect && expect.bootId !== seen.bootId)
    return { kind: 'unknown', seen: 'the host has no trace of the task, and was restarted' };
  return undefined;
}
