import type { CommandId, DeploymentId, PlanHash, TaskId, WorkerId } from './ids.ts';
import type { Outcome } from './outcome.ts';
import type { Plan } from './plan.ts';
import type { RecordVersion } from './records.ts';

/**
 * What is asked of a deployment; an `inbox` row. `id` makes it idempotent: the same id twice is one command.
 * `by` is the token's name, or `worker:<id>`, or `engine`.
 */
export type Command = { readonly id: CommandId; readonly by: string } & CommandBody;

export type CommandBody =
  | { readonly kind: 'pause' | 'resume' | 'abort'; readonly reason: string }
  | { readonly kind: 'retry' | 'skip'; readonly target: number; readonly reason: string }
  | { readonly kind: 'rollback'; readonly reason: string }
  /** `planHash`: of the plan that the person has read. */
  | { readonly kind: 'approve'; readonly planHash: PlanHash; readonly reason: string }
  /** It starts without the approvals that it waits for. */
  | { readonly kind: 'promote'; readonly reason: string }
  | ResolveTask
  | TaskReport
  /** Made by the driver from a due row: the task's deadline has passed (never sent by a person). */
  | { readonly kind: 'deadline'; readonly task: TaskId }
  /** Made by the driver when a wait of the deployment itself is due (`DeploymentState.wakeAt`). */
  | { readonly kind: 'wake' };

/**
 * A person says how a task ended that failed or is unknown. It names the task that they looked at, so that it is refused once
 * the target was tried again. `ended`: they have seen that nothing of it runs any more.
 */
export type ResolveTask = {
  readonly kind: 'resolve';
  readonly task: TaskId;
  readonly as: 'succeeded' | 'failed';
  readonly ended: boolean;
  readonly reason: string;
};

/** The result of one attempt. `epoch` is that of the claim: a report of an older claim is refused (M5). */
export type TaskReport = {
  readonly kind: 'report';
  readonly task: TaskId;
  readonly epoch: number;
  readonly attempt: number;
  readonly worker: WorkerId;
  readonly startedAt: number;
  readonly outcome: Exclude<Outcome, { kind: 'wait' }>;
};

/** A deployment that is about to exist. It and its lock are made in one transaction. */
export type NewDeployment = {
  readonly id: DeploymentId;
  readonly plan: Plan;
  readonly planHash: PlanHash;
  readonly by: string;
  readonly reason: string;
  /** What its plan was made from, where it is to be the same still when it starts. */
  readonly madeFrom?: readonly RecordVersion[];
  /** Digest of the list of targets that an inventory gave for it, where it is to be the same still when it starts. */
  readonly listed?: string;
  /** Of a look: when the record of what it compares with was read. Not in its plan, which is stored once for all looks that are equal. */
  readonly recordAt?: number;
};
