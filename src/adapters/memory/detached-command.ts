import type { Clock } from '../../ports/clock.ts';
import type { RemoteStatus, RemoteTask } from '../../ports/hosts.ts';
import type { Behaviour } from './behaviour.ts';

/** As a shell says it of a command that died of a signal: 128 and its number. */
const STATUS_OF_TERM = 143;
const STATUS_OF_KILL = 137;

export type CommandOptions = {
  readonly clock: Clock;
  readonly task: RemoteTask;
  readonly behaviour: Behaviour;
  /** Called after each piece of output, and at the end. */
  readonly onChange: () => void;
};

/**
 * A command that was started on a host in memory: its process, and its supervisor, who writes down how it ended. The process
 * lives by the clock, whether somebody looks or not; what its end was is known only if the supervisor saw it.
 */
export class DetachedCommand {
  readonly #clock: Clock;
  readonly #task: RemoteTask;
  readonly #behaviour: Behaviour;
  readonly #onChange: () => void;
  readonly #startMs: number;
  /** Aborted at the end of the process. */
  readonly #life = new AbortController();
  #output: Buffer = Buffer.alloc(0);
  #code: number | undefined;
  /** Why nobody will ever know how it ended. */
  #lost: string | undefined;

  constructor({ clock, task, behaviour, onChange }: CommandOptions) {
    this.#clock = clock;
    this.#task = task;
    this.#behaviour = behaviour;
    this.#onChange = onChange;
    this.#startMs = clock.monotonicMs();
  }

  get id(): string {
    return this.#task.id;
  }

  /** All that it has written, as it wrote it. */
  get output(): Buffer {
    return this.#output;
  }

  /** What it leaves to be read by later steps. */
  get outputs(): string {
    return this.#behaviour.outputs ?? '';
  }

  get isAlive(): boolean {
    return !this.#life.signal.aborted;
  }

  status(): Exclude<RemoteStatus, { kind: 'none' | 'cancelled' }> {
    const outputBytes = this.#output.length;
    if (this.#lost !== undefined) return { kind: 'unknown', seen: this.#lost };
    if (this.#code === undefined) return { kind: 'running', outputBytes };
    const droppedBytes = Math.max(0, outputBytes - this.#task.outputLimitBytes);
    return { kind: 'exited', code: this.#code, outputBytes, droppedBytes };
  }

  /** Starts it; resolves at its end, or at once after its output if it has no end of its own. */
  async live(): Promise<void> {
    const { onStart, output = [], durationMs, code } = this.#behaviour;
    onStart?.();
    for (const { atMs, text } of output.toSorted((a, b) => a.atMs - b.atMs)) {
      if (atMs > durationMs) break;
      if (atMs > 0) await this.#until(atMs);
      if (!this.isAlive) return;
      this.#write(text);
    }
    if (durationMs === Infinity) return;
    await this.#until(durationMs);
    this.#end(code, 'exited');
  }

  /** TERM, and KILL if it is still alive after the grace. */
  async stop(graceMs: number): Promise<void> {
    const { ignoresTerm = false, trapsTerm } = this.#behaviour;
    if (!ignoresTerm) {
      if (trapsTerm && this.isAlive) this.#write(trapsTerm.text);
      this.#end(trapsTerm?.code ?? STATUS_OF_TERM, 'killed');
    }
    if (this.isAlive) await this.#sleep(graceMs);
    this.#end(STATUS_OF_KILL, 'killed');
  }

  /** The supervisor dies, and the command goes on. What had ended by then stays known. */
  lose(why: string): void {
    if (this.#code !== undefined) return;
    this.#lost ??= why;
    this.#onChange();
  }

  /** The host goes down with all that runs on it. */
  kill(why: string): void {
    this.lose(why);
    this.#end(STATUS_OF_KILL, 'killed');
  }

  #write(text: string | Uint8Array): void {
    this.#output = Buffer.concat([this.#output, Buffer.from(text)]);
    this.#onChange();
  }

  #end(code: number, how: 'exited' | 'killed'): void {
    if (!this.isAlive) return;
    this.#code = code;
    this.#life.abort('it has ended');
    this.#onChange();
    this.#behaviour.onEnd?.(how);
  }

  #until(atMs: number): Promise<void> {
    return this.#sleep(Math.max(0, this.#startMs + atMs - this.#clock.monotonicMs()));
  }

  /** Ends early with the process. */
  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#life;
    try {
      await this.#clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
