import type { EdgeError } from '../domain/errors.ts';
import type { TaskId, WorkerId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ActionHandler } from '../ports/action.ts';
import type { Clock } from '../ports/clock.ts';
import type { TaskBoard } from '../ports/task-board.ts';
import { OUTPUT_LIMITS, type OutputLimits } from './output.ts';

export type WorkerSettings = {
  readonly worker: WorkerId;
  /** Incarnations that were proven to be gone (see adapters/system/incarnation.ts). */
  readonly gone: readonly WorkerId[];
  readonly pool: string;
  /** Tasks at once. */
  readonly slots: number;
  readonly leaseMs: number;
  /** The longest time between two looks at the board. */
  readonly idleMs: number;
  /** At a stop: how long tasks that cannot be left at any moment have to come to an end by themselves. */
  readonly stopMs: number;
  readonly output: OutputLimits;
};

export const WORKER_DEFAULTS = {
  slots: 64,
  leaseMs: 15_000,
  idleMs: 1_000,
  stopMs: 10_000,
  output: OUTPUT_LIMITS,
} as const;

/** What people may want to know of a worker; for its log. */
export type WorkerNotice =
  | { readonly kind: 'board.silent'; readonly error: EdgeError }
  | { readonly kind: 'board.back' }
  | { readonly kind: 'task.lost'; readonly task: TaskId }
  | { readonly kind: 'task.ended'; readonly task: TaskId; readonly outcome: Outcome['kind'] }
  /** The board refused what was sent for this task; its lease is left to run out. */
  | { readonly kind: 'task.refused'; readonly task: TaskId; readonly error: EdgeError };

export type WorkerPorts = {
  readonly board: TaskBoard;
  readonly clock: Clock;
  /** By `name@major`: what this worker can do. */
  readonly handlers: ReadonlyMap<string, ActionHandler>;
  readonly notice: (notice: WorkerNotice) => void;
};
