import { parseTaskId } from '../domain/ids.ts';
import type { Json } from '../lib/json.ts';
import type { TaskRun } from '../ports/action.ts';
import type { ClaimedTask } from '../ports/task-board.ts';
import type { OutputLog } from './output.ts';

/** Why work on a task ended before its action was done. */
export type EndReason = 'lost' | 'cancelled' | 'stopping';

/** What an aborted action rejects with; never reported. */
export class TaskEnded extends Error {
  override readonly name = 'TaskEnded';
  readonly why: EndReason;
  constructor(why: EndReason) {
    super(`the work was ended: ${why}`);
    this.why = why;
  }
}

type Setting = {
  readonly claimed: ClaimedTask;
  readonly fences: boolean;
  readonly output: OutputLog;
  /** Monotonic time, ms. */
  readonly monotonicMs: () => number;
  /** Resolves `false` when the lease is lost. */
  readonly save: (checkpoint: Json) => Promise<boolean>;
};

/** A task under this worker's lease: its latest checkpoint, and the two ways in which its work is ended. */
export class HeldTask {
  readonly claimed: ClaimedTask;
  readonly fences: boolean;
  readonly output: OutputLog;
  readonly #setting: Setting;
  readonly #claimedAtMs: number;
  readonly #work = new AbortController();
  readonly #lease = new AbortController();
  #checkpoint: Json | null;
  #progress: string | undefined;
  #toldProgress: string | undefined;
  #ended: EndReason | undefined;
  #cancelAsked = false;
  /** Monotonic time up to which the board is known to keep the lease. */
  leaseEndsAtMs = Number.POSITIVE_INFINITY;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.claimed = setting.claimed;
    this.fences = setting.fences;
    this.output = setting.output;
    this.#claimedAtMs = setting.monotonicMs();
    this.#checkpoint = setting.claimed.checkpoint;
    this.#cancelAsked = setting.claimed.cancel;
  }

  get ended(): EndReason | undefined {
    return this.#ended;
  }
  get isLost(): boolean {
    return this.#ended === 'lost';
  }
  get cancelAsked(): boolean {
    return this.#cancelAsked;
  }
  get checkpoint(): Json | null {
    return this.#checkpoint;
  }
  get progress(): string | undefined {
    return this.#progress;
  }
  /** The line for people, once each time it changed. */
  takeProgress(): string | undefined {
    const text = this.#progress === this.#toldProgress ? undefined : this.#progress;
    this.#toldProgress = this.#progress;
    return text;
  }
  get lostSignal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Ends the action. `lost` goes before all else: then not even a cancel may go on. */
  end(why: EndReason): void {
    if (why === 'cancelled') this.#cancelAsked = true;
    if (why === 'lost' && !this.isLost) {
      this.#ended = 'lost';
      this.#lease.abort(new TaskEnded('lost'));
    }
    this.#ended ??= why;
    this.#work.abort(new TaskEnded(why));
  }

  remainingMs(): number {
    return this.claimed.remainingMs - (this.#setting.monotonicMs() - this.#claimedAtMs);
  }

  /** The task as its action sees it now. While it is being cancelled only the loss of the lease aborts. */
  run(cancelling = false): TaskRun {
    const { task, deployment, target, step, attempt, epoch, inputs } = this.claimed;
    const signal = cancelling ? this.#lease.signal : this.#work.signal;
    return {
      task,
      deployment,
      target,
      step,
      attempt,
      epoch,
      group: parseTaskId(task).group,
      inputs,
      checkpoint: this.#checkpoint,
      saveCheckpoint: (checkpoint) => this.#save(checkpoint, signal),
      output: (text, reached) => this.#write(text, reached, signal),
      progress: (text) => {
        this.#progress = text;
      },
      signal,
      lost: this.#lease.signal,
      requireLease: () => this.#requireLease(),
      remainingMs: () => this.remainingMs(),
    };
  }

  #requireLease(): void {
    if (this.#setting.monotonicMs() >= this.leaseEndsAtMs) this.end('lost');
    this.#lease.signal.throwIfAborted();
  }

  /** The board has this checkpoint now. */
  stored(checkpoint: Json): void {
    this.#checkpoint = checkpoint;
  }

  async #store(checkpoint: Json): Promise<void> {
    if (!(await this.#setting.save(checkpoint))) this.end('lost');
    if (this.isLost) throw new TaskEnded('lost');
    this.stored(checkpoint);
  }

  async #save(checkpoint: Json, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await orAborted(this.output.flush(), signal);
    await orAborted(this.#store(checkpoint), signal);
  }

  async #write(text: string, reached: Json | undefined, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await orAborted(this.output.write(text, reached), signal);
  }
}

/** The result of the promise, unless the signal is aborted first or meanwhile. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
