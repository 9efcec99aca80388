import type { Hold, KeptMember } from '../domain/capacity.ts';
import type { Command, NewDeployment } from '../domain/command.ts';
import type { Event, StoredEvent } from '../domain/event.ts';
import type { CommandId, DeploymentId, PlanHash, ReleaseId, TaskId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import type { RecordVersion } from '../domain/records.ts';
import type { Status } from '../domain/status.ts';
import type { Json, JsonObject } from '../lib/json.ts';

/**
 * The event logs of deployments and all that is committed with them (contracts C2, C3). One driver owns a deployment by
 * lease + epoch; every write of an older epoch is refused (M5). All methods are idempotent or say `lost`; they reject with
 * `store_unavailable` (EdgeError) when the store does not answer, and then nothing is known of the write: look again.
 */
export interface Journal {
  /** Makes deployments with their plan, first event, lock and holds; all or none. */
  create(deployment: NewDeployment): Promise<Created>;
  /** Insert-only and idempotent by `command.id`. Rejects with `deployment_unknown`. Wakes the doorbell. */
  submit(rows: readonly Submitted[]): Promise<void>;
  /**
   * Takes or renews the lease on up to `limit` deployments that have something to do: inbox rows, a due `wakeAt`, a task past
   * its deadline, or a lease that ran out, or whose owner is gone, while not ended. Each takeover raises the epoch. What `read`
   * would give next comes with each: whoever knows the state already need not ask twice.
   */
  acquire(wanted: Acquire): Promise<readonly Acquired[]>;
  /** What is needed to drive: the snapshot and the events after it. */
  load(deployment: DeploymentId): Promise<Loaded>;
  /** The next lot: up to `limit` inbox rows in order, tasks past their deadline, holds and the store's time. */
  read(lease: Lease, limit: number): Promise<Lot>;
  /** One transaction, or nothing. `lost`: the lease or the version is not ours any more. */
  commit(lease: Lease, commit: Commit): Promise<Committed>;
  /** Ends all leases of an owner that stops, so that another driver need not wait for them. Wakes the doorbell. */
  release(owner: string): Promise<void>;
}

export type Acquire = {
  readonly owner: string;
  readonly leaseMs: number;
  readonly limit: number;
  /** Owners that are proven to be gone: their leases count as ended (contract C9). */
  readonly gone: readonly string[];
  /** Up to so many inbox rows in the lot of each. */
  readonly lot: number;
};

export type Submitted = { readonly deployment: DeploymentId; readonly command: Command };
export type Created =
  | { readonly kind: 'created' }
  /** Another deployment holds the lock of this project and environment. */
  | { readonly kind: 'locked'; readonly holder: DeploymentId };
export type Lease = {
  readonly deployment: DeploymentId;
  readonly owner: string;
  readonly epoch: number;
  readonly leaseMs: number;
};

export type Acquired = { readonly lease: Lease; readonly lot: Lot };

export type Loaded = {
  readonly plan: Plan;
  readonly planHash: PlanHash;
  /** `state` is what the engine gave as snapshot, at `version`. */
  readonly snapshot: { readonly version: number; readonly state: Json } | null;
  readonly events: readonly StoredEvent[];
};

export type Lot = {
  /** The store's time, ms since the epoch (contract C13). */
  readonly now: number;
  readonly commands: readonly Command[];
  /** The inbox rows that they came in, which a commit names as handled. One row has all that a worker reported in one call. */
  readonly rows: readonly CommandId[];
  /** More rows wait than were asked for. */
  readonly more: boolean;
  /** Open tasks of this deployment whose deadline has passed. */
  readonly overdue: readonly TaskId[];
  /** All holds on the pools that the plan's targets are in, of every deployment, with the version of each pool's row. */
  readonly holds: readonly Hold[];
  readonly poolVersions: Readonly<Record<string, number>>;
};

export type Commit = {
  readonly expectedVersion: number;
  readonly events: readonly Event[];
  /** Inbox rows that are dealt with: those of the lot. */
  readonly handled: readonly CommandId[];
  readonly open: readonly NewTask[];
  /** Rows of tasks that ended. */
  readonly close: readonly TaskId[];
  /** Same task, later: retries and refused capacity. The lease is cleared. A new deadline takes back a cancel; else both stay. */
  readonly rearm: readonly { readonly task: TaskId; readonly wakeAt: number; readonly deadlineAt?: number }[];
  /** Ask the worker that has it, or any other, to end it and prove it; must be done by `deadlineAt`. */
  readonly cancel: readonly { readonly task: TaskId; readonly deadlineAt: number }[];
  /** Compare-and-set: fails as `stale` if a pool's row has another version than `poolVersions` said. */
  readonly takeHolds: readonly Hold[];
  readonly parkHolds: readonly { readonly target: string; readonly reason: string }[];
  readonly giveHolds: readonly { readonly target: string }[];
  /** What of a target's holds is kept out of service from now on, by workers of `pool`; none: its return begins. In this order. */
  readonly keepOut: readonly KeepOut[];
  readonly poolVersions: Readonly<Record<string, number>>;
  /** Targets that verifiably run this release now. */
  readonly placed: readonly { readonly target: string; readonly release: ReleaseId }[];
  /** Targets that were worked on without success: what was placed there last is not known to run there any more. */
  readonly unproven: readonly string[];
  readonly summary: Summary;
  /** When the driver wants to be woken without a command; absolute, store's time. */
  readonly wakeAt: number | null;
  readonly snapshot?: Json;
  /** Compare-and-set: fails as `outdated` if one of these records has another version by now. */
  readonly madeFrom?: readonly RecordVersion[];
  /** Made in the same transaction; takes over the lock of the parent and its holds (contract C7). */
  readonly successor?: NewDeployment;
};

export type KeepOut = {
  readonly target: string;
  readonly pool: string;
  readonly members: readonly KeptMember[];
};

export type Committed =
  | { readonly kind: 'committed'; readonly version: number; readonly now: number }
  | { readonly kind: 'lost' }
  /** Another deployment changed the holds of a pool since the lot was read: read again and decide again. */
  | { readonly kind: 'stale' }
  /** Of the records that `madeFrom` names, these have been changed: decide again, knowing that. */
  | { readonly kind: 'outdated'; readonly changed: readonly RecordVersion[] };

/** The row that lists show; written with every commit. `ended` frees the lock. */
export type Summary = {
  readonly status: Status;
  readonly reason: string;
  readonly counts: {
    readonly total: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly skipped: number;
    readonly active: number;
  };
  readonly ended: boolean;
  readonly exceptions: number;
};

export type NewTask = {
  readonly id: TaskId;
  readonly target: string;
  readonly step: string;
  readonly action: string;
  readonly pool: string;
  readonly inputs: JsonObject;
  readonly wakeAt: number;
  readonly deadlineAt: number;
};
