import type { BalancerConfig } from '../domain/balancer.ts';
import type { DeploymentId, TaskId } from '../domain/ids.ts';
import type { MetricSourceConfig } from '../domain/metric-source.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { Artifacts } from './artifacts.ts';
import type { Clock } from './clock.ts';
import type { Hosts } from './hosts.ts';
import type { LoadBalancer } from './load-balancer.ts';
import type { MetricsSource } from './metrics.ts';
import type { Probe } from './probe.ts';
import type { Secrets } from './secrets.ts';
import type { TrafficStatistics } from './traffic-statistics.ts';

/** One attempt at a task, as the worker gives it to an action. */
export type TaskRun = {
  readonly task: TaskId;
  readonly deployment: DeploymentId;
  readonly target: string;
  readonly step: string;
  /** From 1. More than 1, or a checkpoint: an earlier attempt may have acted, so look before acting (M3). */
  readonly attempt: number;
  readonly epoch: number;
  /** The attempt group: counts the retries of this target, from 0. */
  readonly group: number;
  readonly inputs: JsonObject;
  /** The last one stored, by whatever attempt. */
  readonly checkpoint: Json | null;
  /**
   * Stores the checkpoint on the board and then resolves: the intent of M1, called before acting. 16 KB at most.
   * Rejects when the lease is lost; waits, acting on nothing, while the board does not answer.
   */
  saveCheckpoint(checkpoint: Json): Promise<void>;
  /**
   * Adds to the task's log, in order; resolves when there is room for more. `reached` is a checkpoint that is stored just
   * after the text was, so that the next owner goes on with the byte after it.
   */
  output(text: string, reached?: Json): Promise<void>;
  /** One line for people: what it is waiting for. Not kept. */
  progress(text: string): void;
  /** Lease lost, cancelled, or the worker stops. What runs on a host goes on; the action ends soon, by rejecting. */
  readonly signal: AbortSignal;
  /**
   * Lease lost, and nothing less: for a write to what cannot fence. Cut off half-way it could arrive after what the next one
   * writes there, so that a cancel waits for its answer.
   */
  readonly lost: AbortSignal;
  /**
   * Throws if the lease is over by this process's own clock: asked in the moment of each write to what cannot fence. A process
   * that was paused wakes up in the middle of what it did, before any signal tells it of its loss.
   */
  readonly requireLease: () => void;
  /** What is left until the task's deadline, by the clock of the store: the measure of time that survives a takeover. */
  remainingMs(): number;
};

/** What actions reach the world with. Secrets are resolved here, in the worker's own pool (contract C11). */
export type ActionPorts = {
  readonly hosts: Hosts;
  /** One per device, shared by all tasks of the worker (contract C10). */
  readonly balancer: (config: BalancerConfig) => Promise<LoadBalancer>;
  /** What a balancer counts of its members; one per device, as `balancer`. */
  readonly statistics: (config: BalancerConfig) => Promise<TrafficStatistics>;
  /** One per configuration, shared by all tasks of the worker, which do not close it. Rejects for one that cannot be used (EdgeError). */
  readonly metrics: (config: MetricSourceConfig) => Promise<MetricsSource>;
  readonly probe: Probe;
  readonly secrets: Secrets;
  readonly artifacts: Pick<Artifacts, 'hold'>;
  readonly clock: Clock;
};

export type ActionContext = TaskRun & { readonly ports: ActionPorts };

/** What an action says once it was asked to end. `gone`: proven, nothing of it runs any more and nothing can start. */
export type Cancelled =
  | { readonly gone: true; readonly note?: string }
  | { readonly gone: false; readonly seen: string };

/** A parser: gives the typed value, or throws an error that says what is wrong. A zod schema is one. */
export type Schema<T> = { parse(value: unknown): T };

/**
 * A kind of work, `name@major` (contracts C4, C5). `apply` has one path only: it looks at checkpoint and world, does what is
 * still missing, and may be called again at any point by another worker. There is no second path for recovery that would run
 * only after a crash. Expected outcomes are returned; it rejects with an EdgeError for what it cannot judge.
 */
export type Action<Inputs = unknown> = {
  readonly name: string;
  readonly major: number;
  readonly inputs: Schema<Inputs>;
  readonly outputs: Schema<JsonObject>;
  /**
   * Whether an old owner that wakes up late can do no harm: the host's claim file fences it, or the action only reads.
   * `false` makes a new owner wait out the quarantine first (contract C9, M6).
   */
  readonly fences: boolean;
  apply(context: ActionContext, inputs: Inputs): Promise<Outcome>;
  /** Called once `apply` has ended, or without it. Left out: with `apply` all of it has ended. */
  cancel?(context: ActionContext, inputs: Inputs): Promise<Cancelled>;
};

/** An action bound to its ports, its inputs and outputs checked: all that the worker knows of actions. */
export type ActionHandler = {
  /** `name@major`. */
  readonly capability: string;
  readonly fences: boolean;
  apply(run: TaskRun): Promise<Outcome>;
  cancel(run: TaskRun): Promise<Cancelled>;
};
