import type { JsonObject } from '../lib/json.ts';
import type { HeldMember } from './capacity.ts';
import type { DeploymentId, PlanHash, WorkerId } from './ids.ts';
import type { Failure } from './outcome.ts';
import type { PlanVerb } from './plan.ts';
import type { RecordVersion } from './records.ts';

/**
 * A fact of one deployment, in the order of `version` (from 1, without gaps). `at` is the store's time at the commit.
 * Targets, steps, lanes and batches are indexes into the plan.
 */
export type StoredEvent = {
  readonly deployment: DeploymentId;
  readonly version: number;
  readonly at: number;
  readonly event: Event;
};

type Attempt = {
  readonly target: number;
  readonly step: number;
  readonly group: number;
  readonly attempt: number;
  /** `null` when the engine itself ended it: no worker said anything in time. */
  readonly worker: WorkerId | null;
  readonly startedAt: number | null;
};

export type ByPerson = { readonly by: string; readonly reason: string };

export type EndStatus = 'succeeded' | 'failed' | 'aborted';
export type PauseCause = 'operator' | 'budget' | 'unknown' | 'capacity';
/** What made the deployment stop before its plan was done, and what is to follow. */
export type StopCause = {
  readonly reason: string;
  readonly next: 'rollback' | 'nothing';
  readonly status: 'failed' | 'aborted';
};

export type Event =
  | {
      readonly kind: 'deployment.created';
      readonly planHash: PlanHash;
      readonly project: string;
      readonly environment: string;
      readonly verb: PlanVerb;
      readonly by: string;
      readonly reason: string;
      readonly causedBy?: DeploymentId;
      readonly madeFrom?: readonly RecordVersion[];
      readonly listed?: string;
      readonly recordAt?: number;
    }
  /** It waits for so many approvals; without them it aborts. */
  | { readonly kind: 'approvals.asked'; readonly count: number; readonly abortAt: number }
  | ({ readonly kind: 'deployment.approved'; readonly planHash: PlanHash } & ByPerson)
  /** A person has let it start without the approvals that were missing. */
  | ({ readonly kind: 'deployment.promoted' } & ByPerson)
  | { readonly kind: 'deployment.started' }
  /** `at`, of stages and batches: left out in the logs of before it was noted. */
  | { readonly kind: 'stage.opened'; readonly stage: number; readonly at?: number }
  | { readonly kind: 'batch.opened'; readonly lane: number; readonly batch: number; readonly at?: number }
  | { readonly kind: 'batch.ended'; readonly lane: number; readonly batch: number }
  /** Task rows were made for these steps; the n-th of `targets` is to do the n-th of `steps`. */
  | { readonly kind: 'tasks.granted'; readonly targets: readonly number[]; readonly steps: readonly number[] }
  | ({ readonly kind: 'task.succeeded'; readonly outputs: JsonObject } & Attempt)
  | ({ readonly kind: 'task.failed'; readonly error: Failure } & Attempt)
  /** The engine tries the same step again, as the plan's `retries` say. */
  | ({
      readonly kind: 'task.retried';
      readonly error: Failure;
      readonly retries: number;
      readonly wakeAt: number;
    } & Attempt)
  | ({ readonly kind: 'task.unknown'; readonly seen: string } & Attempt)
  | {
      readonly kind: 'task.cancelling';
      readonly target: number;
      readonly step: number;
      readonly why: 'deadline' | 'abort';
    }
  /** A person leaves the target out while its step runs: it ends, and then the target is skipped. */
  | ({
      readonly kind: 'task.cancelling';
      readonly target: number;
      readonly step: number;
      readonly why: 'skip';
    } & ByPerson)
  /** Its result was set by a person. `succeeded`: the target goes on with the next step. */
  | ({
      readonly kind: 'task.resolved';
      readonly target: number;
      readonly step: number;
      readonly group: number;
      readonly as: 'succeeded' | 'failed';
    } & ByPerson)
  | { readonly kind: 'capacity.taken'; readonly target: number; readonly members: readonly HeldMember[] }
  | {
      readonly kind: 'capacity.refused';
      readonly target: number;
      readonly pool: string;
      /** Of the members of this zone in the pool; left out: of the whole pool. */
      readonly zone?: string;
      readonly inService: number;
      readonly floor: number;
      readonly since: number;
      readonly wakeAt: number;
    }
  | { readonly kind: 'capacity.given'; readonly target: number }
  | { readonly kind: 'target.succeeded'; readonly target: number }
  /** Ended without success; `parked` when its members stay out of service. */
  | {
      readonly kind: 'target.failed';
      readonly target: number;
      readonly status: 'failed' | 'unknown' | 'aborted';
      readonly reason: string;
      readonly parked: boolean;
    }
  | {
      readonly kind: 'target.skipped';
      readonly target: number;
      readonly by: string;
      readonly reason: string;
      readonly parked: boolean;
    }
  | {
      readonly kind: 'target.retried';
      readonly target: number;
      readonly by: string;
      readonly reason: string;
      readonly group: number;
    }
  | {
      readonly kind: 'deployment.paused';
      readonly cause: PauseCause;
      readonly by: string;
      readonly reason: string;
      readonly abortAt: number;
    }
  | { readonly kind: 'deployment.resumed'; readonly by: string; readonly reason: string; readonly at: number }
  /** Nothing new is started; `abort` also ends the commands that run. */
  | ({ readonly kind: 'deployment.stopping'; readonly by: string; readonly abort: boolean } & StopCause)
  | {
      readonly kind: 'deployment.ended';
      readonly status: EndStatus;
      readonly reason: string;
      /** Targets that are not on the release, or not verified there, although the deployment succeeded. */
      readonly exceptions: number;
      readonly notes: readonly string[];
      /** The rollback that this one caused, made in the same transaction. */
      readonly rollback?: DeploymentId;
    }
  /** A command that could not be obeyed; nothing changed by it. */
  | { readonly kind: 'command.refused'; readonly command: string; readonly by: string; readonly why: string };
