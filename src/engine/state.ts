import type { HeldMember } from '../domain/capacity.ts';
import type { ByPerson, StopCause } from '../domain/event.ts';
import type { PlanHash } from '../domain/ids.ts';
import type { RecordVersion } from '../domain/records.ts';
import type { Status } from '../domain/status.ts';
import type { JsonObject } from '../lib/json.ts';
import { type Chunks, chunksOf } from './chunks.ts';
import type { Model } from './model.ts';

/**
 * Where a deployment stands. It is plain JSON (a snapshot is this value) and holds only what later decisions need: the
 * history stays in the log (contract C12). Everything that does not change is in the `Model`.
 */
export type DeploymentState = {
  readonly planHash: PlanHash | null;
  readonly requestedBy: string;
  /** Who has approved that it starts, each once. */
  readonly approvedBy: readonly string[];
  /** What its plan was made from; nothing once it has started. */
  readonly madeFrom: readonly RecordVersion[];
  readonly status: Status;
  /** One sentence for people: why it is paused, stopping or ended. */
  readonly reason: string;
  readonly stage: number;
  /** When the stage was opened; ms since the epoch. */
  readonly openedAt: number | null;
  readonly lanes: readonly LaneState[];
  readonly targets: Chunks<TargetState>;
  readonly counts: Counts;
  /** Failures that count against the deployment's budget, since the last resume. */
  readonly failures: number;
  readonly stop: (StopCause & { readonly abort: boolean }) | null;
  /** When one that is paused, or waits for approvals, aborts; ms since the epoch. */
  readonly abortAt: number | null;
  readonly resumedAt: number;
  /** How many failed targets the last resume has accepted. */
  readonly acceptedFailed: number;
  readonly exceptions: number;
};

export type Counts = {
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly active: number;
};

/**
 * One lane of the open stage. `cursor` passes the targets of the open batch once; `goOn` are those with a next step. `ahead` is how
 * many are being prepared, `aheadCursor` passes those of the open batch and then of the next one for that, `aheadFailures` counts
 * those of the next one.
 */
export type LaneState = {
  readonly batch: number;
  readonly open: boolean;
  /** When its batch was opened; ms since the epoch. */
  readonly openedAt: number | null;
  readonly cursor: number;
  readonly active: number;
  readonly ended: number;
  readonly goOn: readonly number[];
  readonly ahead: number;
  readonly aheadCursor: number;
  readonly aheadFailures: number;
  readonly batchFailures: number;
  readonly zoneFailures: number;
};

/** A target that is being prepared is `pending` and `granted`: its turn has not come. */
export type TargetState = {
  readonly status: Status;
  readonly step: number;
  readonly group: number;
  /** A task row exists for the step. */
  readonly granted: boolean;
  /** The engine has asked the worker to end the task, and why. */
  readonly cancelling: 'deadline' | 'abort' | 'skip' | null;
  /** Who leaves it out once its step has ended, and why. */
  readonly skip: ByPerson | null;
  /** Where something of its last task may still run, since nobody has seen its end. */
  readonly mayRun: 'on-target' | 'at-worker' | null;
  /** A person has set the result of a step that verifies. */
  readonly unverified: boolean;
  /** It may be other than it was before: a step was granted that does more than to look at the pools, or to prepare. */
  readonly touched: boolean;
  readonly retries: number;
  readonly refusedSince: number | null;
  /** What was taken out of service for this target, with the settings to restore. */
  readonly held: readonly HeldMember[] | null;
  /** Outputs that later steps read, by step id. */
  readonly outputs: Readonly<Record<string, JsonObject>>;
};

const FRESH: TargetState = {
  status: 'pending',
  step: 0,
  group: 0,
  granted: false,
  cancelling: null,
  skip: null,
  mayRun: null,
  unverified: false,
  touched: false,
  retries: 0,
  refusedSince: null,
  held: null,
  outputs: {},
};

const NO_APPROVAL = { requestedBy: '', approvedBy: [], madeFrom: [] } as const;

export function initialState(model: Model): DeploymentState {
  return {
    planHash: null,
    ...NO_APPROVAL,
    status: 'pending',
    reason: '',
    stage: -1,
    openedAt: null,
    lanes: [],
    targets: chunksOf(model.plan.targets.length, FRESH),
    counts: { succeeded: 0, failed: 0, skipped: 0, active: 0 },
    failures: 0,
    stop: null,
    abortAt: null,
    resumedAt: 0,
    acceptedFailed: 0,
    exceptions: 0,
  };
}

/**
 * From a snapshot; one of an earlier Edge knows nothing of approvals and of what is prepared, and its plan has nothing to prepare
 * and waits for nobody.
 */
export function restoredState(snapshot: unknown): DeploymentState {
  const state = snapshot as DeploymentState;
  return {
    ...NO_APPROVAL,
    ...state,
    openedAt: state.openedAt ?? null,
    lanes: state.lanes.map((lane) => ({ ...CLOSED_LANE, ...lane })),
  };
}

export const CLOSED_LANE: LaneState = {
  batch: -1,
  open: false,
  openedAt: null,
  cursor: 0,
  active: 0,
  ended: 0,
  goOn: [],
  ahead: 0,
  aheadCursor: 0,
  aheadFailures: 0,
  batchFailures: 0,
  zoneFailures: 0,
};
