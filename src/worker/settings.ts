import type { BalancerConfig, MemberRef } from '../domain/balancer.ts';
import type { EdgeError } from '../domain/errors.ts';
import type { TaskId, WorkerId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ActionHandler } from '../ports/action.ts';
import type { Clock } from '../ports/clock.ts';
import type { TaskBoard } from '../ports/task-board.ts';
import type { KeepingBalancer } from './keeping-balancer.ts';
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
  readonly keeping: {
    /** How often the board is asked what is to be kept out of service. */
    readonly askMs: number;
    /** How often a pool is looked at on HAProxy, and on a device whose control plane is slow. */
    readonly quickMs: number;
    readonly slowMs: number;
  };
};

export const WORKER_DEFAULTS = {
  slots: 64,
  leaseMs: 15_000,
  idleMs: 1_000,
  stopMs: 10_000,
  output: OUTPUT_LIMITS,
  keeping: { askMs: 1_000, quickMs: 400, slowMs: 5_000 },
} as const;

/** What people may want to know of a worker; for its log. */
export type WorkerNotice =
  | { readonly kind: 'board.silent'; readonly error: EdgeError }
  | { readonly kind: 'board.back' }
  | { readonly kind: 'task.lost'; readonly task: TaskId }
  | { readonly kind: 'task.ended'; readonly task: TaskId; readonly outcome: Outcome['kind'] }
  /** The board refused what was sent for this task; its lease is left to run out. */
  | { readonly kind: 'task.refused'; readonly task: TaskId; readonly error: EdgeError }
  /** Its balancer had put it back into service; it is out again. */
  | { readonly kind: 'member.kept-out'; readonly member: MemberRef }
  /** What is to stay out of service is not known, or cannot be looked at. */
  | { readonly kind: 'keeping.hindered'; readonly error: EdgeError };

export type WorkerPorts = {
  readonly board: TaskBoard;
  readonly clock: Clock;
  /** By `name@major`: what this worker can do. */
  readonly handlers: ReadonlyMap<string, ActionHandler>;
  /** One per device, shared with the actions. */
  readonly balancer: (config: BalancerConfig) => Promise<KeepingBalancer>;
  readonly notice: (notice: WorkerNotice) => void;
};
