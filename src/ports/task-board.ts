import type { MemberRef } from '../domain/balancer.ts';
import type { KeptMember } from '../domain/capacity.ts';
import type { DeploymentId, TaskId, WorkerId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Json, JsonObject } from '../lib/json.ts';

/**
 * All that a worker ever speaks to (contract C1): called directly when embedded, over HTTPS else. A claim is a lease with an
 * epoch; what an older epoch reports is refused. Rejects with `store_unavailable` or `server_unreachable` (EdgeError).
 */
export interface TaskBoard {
  /** Up to `max` tasks of the pool that are due, never claimed or whose lease ran out, and whose action the worker can do. */
  claim(request: Claim): Promise<readonly ClaimedTask[]>;
  /** Prolongs the leases; says which of them are no longer the worker's, and which are to be cancelled. */
  renew(worker: WorkerId, tasks: readonly Held[]): Promise<Renewed>;
  /** Idempotent by task + epoch. A `wait` frees the task until it is due; everything else goes to the engine's inbox. */
  report(worker: WorkerId, reports: readonly Report[]): Promise<void>;
  /**
   * Idempotent by task + epoch + `seq`, kept in its order; at most 64 KB a chunk. What an older epoch sends is dropped: the
   * next owner reads on from the checkpoint, which a chunk may carry, so nothing is missing and nothing is there twice.
   */
  appendOutput(worker: WorkerId, chunks: readonly TaskOutput[]): Promise<void>;
  /**
   * What this worker is to keep out of service from now on, under a lease: members whose drain has ended, until their return
   * begins. A task of a target goes to nobody else while the worker may still write to its members (docs/decisions/0011).
   */
  keepOut(request: Keeping): Promise<Kept>;
  /** Resolves when there may be work or a cancel for the pool, at the latest after `timeoutMs`. Only a doorbell. */
  waitForWork(pool: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export type Claim = {
  readonly worker: WorkerId;
  readonly pool: string;
  /** `name@major` of the actions it has. */
  readonly capabilities: readonly string[];
  readonly max: number;
  readonly leaseMs: number;
  /** Incarnations that this worker has proven to be gone: their leases count as ended (contract C9). */
  readonly gone: readonly WorkerId[];
  /**
   * Given when an answer to an earlier claim did not come: all that the worker knows to be its own. What else the board has as
   * its own was in that answer; nothing of it has begun, so it is given again at once.
   */
  readonly held?: readonly TaskId[];
};

export type ClaimedTask = {
  readonly task: TaskId;
  readonly deployment: DeploymentId;
  readonly target: string;
  readonly step: string;
  readonly action: string;
  readonly inputs: JsonObject;
  /** Grows with each claim by a new owner; fences what older owners write. */
  readonly epoch: number;
  /** From 1; more than 1: an earlier attempt may have acted, so look first (M3). */
  readonly attempt: number;
  readonly checkpoint: Json | null;
  readonly cancel: boolean;
  /**
   * What an earlier owner wrote may still arrive for so long, and writes to systems that cannot fence wait for it: long where it
   * went silent without proof of death, and a moment, for what was on its way, where its death is proven.
   */
  readonly quarantineMs: number;
  /** What is left until the task's deadline. */
  readonly remainingMs: number;
};

/**
 * `no` grows from 1 with each checkpoint that a claim stores, whatever call brings it: the late copy of a call must not put
 * back an older one.
 */
export type Checkpoint = { readonly no: number; readonly value: Json };

/** `checkpoint` is stored before the action goes on: the intent of M1. `progress` is one line for people. */
export type Held = {
  readonly task: TaskId;
  readonly epoch: number;
  readonly checkpoint?: Checkpoint;
  readonly progress?: string;
};
export type Renewed = { readonly lost: readonly TaskId[]; readonly cancel: readonly TaskId[] };

export type Report = {
  readonly task: TaskId;
  readonly epoch: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly outcome: Outcome;
};

export type Keeping = Pick<Claim, 'worker' | 'pool' | 'leaseMs' | 'gone'> & {
  /** Grows from 1 with each call of this worker: the late copy of one must not hand back what a later one was given. */
  readonly no: number;
  /** All that the worker may still write to. What else was its own, and is to be returned, is free from now on. */
  readonly keeping: readonly MemberRef[];
  /** Its lease had run out before these answered a write, and it gave them up: that write may still arrive. */
  readonly unanswered: readonly MemberRef[];
  /** `false`: it stops, and is given nothing more. */
  readonly more: boolean;
};
/** `leaseMs`: what is left of the lease, counted from when the worker asked. */
export type Kept = { readonly members: readonly KeptMember[]; readonly leaseMs: number };

export type TaskOutput = {
  readonly task: TaskId;
  readonly epoch: number;
  readonly seq: number;
  readonly text: string;
  /** Stored with the text, or neither is. */
  readonly checkpoint?: Checkpoint;
};
