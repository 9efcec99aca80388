import { asEdgeError } from '../domain/errors.ts';
import type { TaskId } from '../domain/ids.ts';
import type { Checkpoint, Held, Renewed } from '../ports/task-board.ts';
import { type Batcher, backoffMs } from './batcher.ts';
import type { BoardLink } from './board-link.ts';
import type { HeldTask } from './held-task.ts';
import type { WorkerPorts, WorkerSettings } from './settings.ts';
import { Wake } from './wake.ts';

/** Leases are renewed this often within their time. */
const RENEWALS_PER_LEASE = 3;
/** Each has up to 16 KB; a call stays below 1 MB. */
const CHECKPOINTS_PER_CALL = 32;
/** Bells may ring often; the board is asked at most this often. */
const RENEW_GAP_MS = 250;

/** The tasks that this worker holds, and their leases: renewed together, checkpoints stored, losses and cancels passed on. */
export class Leases {
  readonly #settings: WorkerSettings;
  readonly #ports: WorkerPorts;
  readonly #link: BoardLink;
  readonly #held = new Map<TaskId, HeldTask>();
  readonly #soon = new Wake();
  readonly #checkpoints: Batcher<Held, boolean>;

  constructor(settings: WorkerSettings, ports: WorkerPorts, link: BoardLink) {
    this.#settings = settings;
    this.#ports = ports;
    this.#link = link;
    this.#checkpoints = link.batcher(CHECKPOINTS_PER_CALL, async (tasks) => {
      const { lost } = await this.#renew(tasks);
      return ({ task }) => !lost.includes(task);
    });
  }

  get size(): number {
    return this.#held.size;
  }

  all(): readonly HeldTask[] {
    return [...this.#held.values()];
  }

  add(held: HeldTask): void {
    const { task } = held.claimed;
    this.#held.get(task)?.end('lost'); // an older claim of ours, whose lease ran out
    this.#held.set(task, held);
    held.leaseEndsAtMs = this.#ports.clock.monotonicMs() + this.#settings.leaseMs;
  }

  remove(held: HeldTask): void {
    if (this.#held.get(held.claimed.task) === held) this.#held.delete(held.claimed.task);
  }

  /** Resolves when the board has the checkpoint: `false` when the lease is lost. */
  save(task: Pick<Held, 'task' | 'epoch'>, checkpoint: Checkpoint): Promise<boolean> {
    return this.#checkpoints.add({ ...task, checkpoint });
  }

  /** Asks for cancels before the next renewal is due. */
  renewSoon(): void {
    this.#soon.wake();
  }

  async keepRenewing(over: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const everyMs = this.#settings.leaseMs / RENEWALS_PER_LEASE;
    for (let failures = 0; !over.aborted; ) {
      const pauseMs = failures > 0 ? Math.min(everyMs, backoffMs(failures)) : everyMs;
      const gapMs = Math.min(RENEW_GAP_MS, pauseMs);
      await clock.sleep(gapMs, over).catch(() => undefined);
      await this.#soon.pause(pauseMs - gapMs, clock, over);
      if (over.aborted) continue;
      try {
        await this.renewAll();
        failures = 0;
      } catch (thrown) {
        this.#link.failed(asEdgeError(thrown));
        failures += 1;
      }
    }
  }

  /** Rejects as the board does. */
  async renewAll(): Promise<void> {
    if (this.#held.size === 0) return;
    await this.#renew(this.all().map(heldOf));
    this.#link.answered();
  }

  async #renew(tasks: readonly Held[]): Promise<Renewed> {
    const askedAtMs = this.#ports.clock.monotonicMs();
    const renewed = await this.#ports.board.renew(this.#settings.worker, tasks);
    for (const { task, epoch } of tasks) {
      const held = this.#held.get(task);
      if (held?.claimed.epoch !== epoch) continue;
      if (renewed.lost.includes(task)) held.end('lost');
      else held.leaseEndsAtMs = Math.max(held.leaseEndsAtMs, askedAtMs + this.#settings.leaseMs);
      if (renewed.cancel.includes(task)) held.end('cancelled');
    }
    return renewed;
  }

  /**
   * A lease that could not be renewed in time may be another's by now. What hosts fence goes on; what nothing fences is
   * ended at once, by this process's own clock.
   */
  async watch(over: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!over.aborted) {
      await clock.sleep(this.#settings.leaseMs / RENEWALS_PER_LEASE / 2, over).catch(() => undefined);
      const nowMs = clock.monotonicMs();
      for (const held of this.#held.values()) {
        if (!held.fences && nowMs >= held.leaseEndsAtMs) held.end('lost');
      }
    }
  }
}

function heldOf(held: HeldTask): Held {
  const { task, epoch } = held.claimed;
  const progress = held.takeProgress();
  return progress === undefined ? { task, epoch } : { task, epoch, progress };
}
