import { asEdgeError } from '../domain/errors.ts';
import type { TaskId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import { cutBy } from '../lib/cut.ts';
import type { ActionHandler } from '../ports/action.ts';
import type { ClaimedTask, Report, TaskOutput } from '../ports/task-board.ts';
import { type Batcher, backoffMs } from './batcher.ts';
import { BoardLink } from './board-link.ts';
import { HeldTask, orAborted } from './held-task.ts';
import { Keeper } from './keeper.ts';
import { Leases } from './leases.ts';
import { numbering } from './numbering.ts';
import { OutputLog } from './output.ts';
import { reported, runTask } from './run-task.ts';
import type { WorkerPorts, WorkerSettings } from './settings.ts';
import { Wake } from './wake.ts';

/** What was aborted has this long to return. */
const UNWIND_MS = 1_000;

/**
 * The worker's role (contract C1): claims tasks up to its slots, runs each under its lease, and reports. It keeps nothing:
 * killed at any moment, another one goes on from what is on the board and on the hosts.
 */
export class Worker {
  readonly #settings: WorkerSettings;
  readonly #ports: WorkerPorts;
  readonly #over = new AbortController();
  readonly #link: BoardLink;
  readonly #leases: Leases;
  readonly #keeper: Keeper;
  readonly #running = new Set<Promise<void>>();
  readonly #slotFree = new Wake();
  /** Tasks that it worked on and left without a report, and until when their leases may last. */
  readonly #leftMs = new Map<TaskId, number>();
  #isAnswerLost = false;
  readonly #reports: Batcher<Report, undefined>;
  readonly #outputs: Batcher<TaskOutput, undefined>;

  constructor(settings: WorkerSettings, ports: WorkerPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#link = new BoardLink(ports, this.#over.signal);
    this.#leases = new Leases(settings, ports, this.#link);
    this.#keeper = new Keeper(settings, ports);
    this.#reports = this.#link.batcher(256, async (reports) => {
      await ports.board.report(settings.worker, reports);
      return () => undefined;
    });
    this.#outputs = this.#link.batcher(32, async (chunks) => {
      await ports.board.appendOutput(settings.worker, chunks);
      return () => undefined;
    });
  }

  /**
   * Works until `stop` is aborted, then lets go: commands on hosts go on, their tasks are handed back for any other worker
   * to attach to; the rest comes to its end within `stopMs`.
   */
  async run(stop: AbortSignal): Promise<void> {
    const over = this.#over.signal;
    const leases = [this.#leases.keepRenewing(over), this.#leases.watch(over)];
    const keeping = this.#keeper.run(stop);
    await this.#keepClaiming(stop);
    await Promise.all([this.#letGo(), keeping]);
    this.#over.abort();
    await Promise.all(leases);
  }

  async #keepClaiming(stop: AbortSignal): Promise<void> {
    for (let failures = 0; !stop.aborted; ) {
      try {
        const claimed = await this.#claim();
        failures = 0;
        for (const task of claimed) this.#start(task);
        if (claimed.length === 0) await this.#waitForWork(stop);
      } catch (thrown) {
        this.#link.failed(asEdgeError(thrown));
        this.#isAnswerLost = true;
        failures += 1;
        await this.#ports.clock.sleep(backoffMs(failures), stop).catch(() => undefined);
      }
    }
  }

  async #claim(): Promise<readonly ClaimedTask[]> {
    const { worker, pool, leaseMs, gone, slots } = this.#settings;
    const max = slots - this.#leases.size;
    if (max <= 0) return [];
    if (this.#link.isSilent) await this.#leases.renewAll(); // first what is ours already, if it still is
    const capabilities = [...this.#ports.handlers.keys()];
    const held = this.#isAnswerLost ? { held: this.#known() } : {};
    const claimed = await this.#ports.board.claim({
      worker,
      pool,
      capabilities,
      max,
      leaseMs,
      gone,
      ...held,
    });
    this.#isAnswerLost = false;
    this.#link.answered();
    return claimed;
  }

  /** All that it began, and that the board may still have as its own. */
  #known(): readonly TaskId[] {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const [task, untilMs] of this.#leftMs) if (untilMs <= nowMs) this.#leftMs.delete(task);
    return [...this.#leases.all().map(({ claimed }) => claimed.task), ...this.#leftMs.keys()];
  }

  /** Until the bell of the pool rings, a slot becomes free, or it is time for a look. A ring may mean a cancel too. */
  async #waitForWork(stop: AbortSignal): Promise<void> {
    const { clock, board } = this.#ports;
    const { pool, idleMs } = this.#settings;
    const { signal, cut } = cutBy(stop);
    const bell = board.waitForWork(pool, idleMs, signal).catch((thrown: unknown) => {
      if (!signal.aborted) throw thrown;
    });
    const slot = this.#slotFree.pause(idleMs, clock, signal);
    try {
      await Promise.race([bell, slot]);
    } finally {
      cut();
      await Promise.allSettled([bell, slot]);
    }
    this.#leases.renewSoon();
    this.#keeper.askSoon();
  }

  #start(claimed: ClaimedTask): void {
    const handler = this.#ports.handlers.get(claimed.action);
    const held = this.#hold(claimed, handler?.fences ?? true);
    const work = this.#work(held, handler).finally(() => {
      this.#running.delete(work);
      this.#leases.remove(held);
      this.#slotFree.wake();
    });
    this.#running.add(work);
  }

  #hold(claimed: ClaimedTask, fences: boolean): HeldTask {
    const { clock } = this.#ports;
    const { task, epoch } = claimed;
    const numbered = numbering();
    const output = new OutputLog({
      task,
      epoch,
      numbered,
      append: async (chunk) => {
        await this.#outputs.add(chunk);
        if (chunk.checkpoint !== undefined) held.stored(chunk.checkpoint.value);
      },
      clock,
      limits: this.#settings.output,
    });
    const held = new HeldTask({
      claimed,
      fences,
      output,
      monotonicMs: () => clock.monotonicMs(),
      save: (checkpoint) => this.#leases.save({ task, epoch }, numbered(checkpoint)),
    });
    this.#leases.add(held);
    return held;
  }

  /** Runs a task to its report. The output is on the board before the report is; the lease is renewed until it is. */
  async #work(held: HeldTask, handler: ActionHandler | undefined): Promise<void> {
    const { clock, notice } = this.#ports;
    const { task, epoch, attempt } = held.claimed;
    const startedAt = clock.now();
    try {
      const end = handler ? await runTask(held, handler, clock) : noHandler(held.claimed);
      if (end === null) return this.#leave(held);
      await orAborted(held.output.close(), held.lostSignal);
      const outcome = reported(end, held);
      const report = { task, epoch, attempt, startedAt, outcome };
      await orAborted(this.#reports.add(report), held.lostSignal);
      notice({ kind: 'task.ended', task, outcome: outcome.kind });
    } catch (thrown) {
      this.#leave(held, thrown);
    }
  }

  #leave(held: HeldTask, thrown?: unknown): void {
    const { clock, notice } = this.#ports;
    const { task } = held.claimed;
    this.#leftMs.set(task, clock.monotonicMs() + this.#settings.leaseMs);
    if (held.isLost) notice({ kind: 'task.lost', task });
    else notice({ kind: 'task.refused', task, error: asEdgeError(thrown) });
  }

  async #letGo(): Promise<void> {
    for (const held of this.#leases.all()) if (held.fences) held.end('stopping');
    await this.#endedWithin(this.#settings.stopMs);
    for (const held of this.#leases.all()) held.end('lost');
    await this.#endedWithin(UNWIND_MS);
  }

  async #endedWithin(ms: number): Promise<void> {
    const ended = new AbortController();
    const limit = this.#ports.clock.sleep(ms, ended.signal).catch(() => undefined);
    await Promise.race([Promise.all(this.#running), limit]);
    ended.abort();
  }
}

function noHandler(claimed: ClaimedTask): Outcome {
  const message = `This worker was given ${claimed.action}, which it cannot do.`;
  return { kind: 'failed', error: { code: 'internal', message }, retryable: false };
}
