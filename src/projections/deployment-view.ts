import type { Approvals } from '../domain/approval.ts';
import type { ByPerson } from '../domain/event.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { type Plan, targetCount } from '../domain/plan.ts';
import type { Status } from '../domain/status.ts';

/** What people see of a deployment, made from its plan and its events alone: the same events give the same view. */
export type DeploymentView = {
  readonly overall: Overall;
  /** In the order of the plan. */
  readonly batches: readonly BatchView[];
  /** By index into the plan. */
  readonly targets: readonly TargetView[];
  /** Step ids of each sequence, in order. */
  readonly sequences: Readonly<Record<string, readonly string[]>>;
  /** How many of the first steps of each sequence prepare a target before its turn. */
  readonly ahead: Readonly<Record<string, number>>;
};

export type Counts = {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly active: number;
};

export type Overall = {
  readonly status: Status;
  readonly reason: string;
  readonly counts: Counts;
  readonly stage: number;
  readonly paused: { readonly cause: string; readonly by: string; readonly abortAt: number } | null;
  readonly stopping: {
    readonly next: 'rollback' | 'nothing';
    readonly abort: boolean;
    readonly by: string;
  } | null;
  /** `null`: nobody has to approve it. */
  readonly approvals: ApprovalsView | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly rollback: DeploymentId | null;
  readonly exceptions: number;
  readonly notes: readonly string[];
  /** Version of the last event that is in the view. */
  readonly version: number;
};

export type ApprovalsView = Pick<Approvals, 'count'> & {
  readonly given: readonly ByPersonAt[];
  /** Who let it start without those that were missing. */
  readonly promoted: ByPersonAt | null;
  /** It has not begun, and waits for them. */
  readonly waits: boolean;
  /** When it aborts without them, ms since the epoch; `null` until that is settled. */
  readonly abortAt: number | null;
};
type ByPersonAt = ByPerson & { readonly at: number };

export type Place = { readonly stage: number; readonly lane: number; readonly batch: number };

export type BatchView = Place & {
  readonly stageName: string;
  readonly zone: string;
  readonly name: string;
  readonly sequence: string;
  readonly status: Status;
  readonly counts: Counts;
};

export type TargetView = Place & {
  readonly index: number;
  readonly name: string;
  /** It is what runs around targets: no count of the deployment has it. */
  readonly hook: boolean;
  readonly zone: string;
  readonly status: Status;
  readonly step: string | null;
  readonly attempt: number;
  /** Counts how often people had it tried again. */
  readonly group: number;
  /** When it got this status or step. */
  readonly since: number | null;
  readonly reason: string | null;
  readonly parked: boolean;
  /** It is being prepared, before its turn. */
  readonly ahead: boolean;
  readonly progress: string | null;
  readonly worker: string | null;
  /** Nobody has seen the end of its last step: something of it may still run. */
  readonly mayRun: boolean;
  /** The step whose result a person has set last, who, and why. */
  readonly byHand: string | null;
};

const none = (total: number): Counts => ({ total, succeeded: 0, failed: 0, skipped: 0, active: 0 });

const approvalsOf = ({ approvals }: Plan): ApprovalsView | null =>
  approvals ? { count: approvals.count, given: [], promoted: null, waits: true, abortAt: null } : null;

export function initialView(plan: Plan): DeploymentView {
  const batches = plan.stages.flatMap(({ name: stageName, lanes }, stage) =>
    lanes.flatMap(({ zone, batches: ofLane }, lane) =>
      ofLane.map(
        ({ name, sequence, targets }, batch): BatchView => ({
          ...{ stage, lane, batch, stageName, zone, name, sequence, status: 'pending' },
          counts: none(targets.length),
        }),
      ),
    ),
  );
  return {
    overall: {
      ...{ status: 'pending', reason: '', counts: none(targetCount(plan)), stage: -1 },
      ...{
        approvals: approvalsOf(plan),
        paused: null,
        stopping: null,
        startedAt: null,
        endedAt: null,
        rollback: null,
      },
      ...{ exceptions: 0, notes: [], version: 0 },
    },
    batches,
    targets: targetsOf(plan),
    sequences: Object.fromEntries(
      Object.entries(plan.sequences).map(([name, steps]) => [name, steps.map(({ id }) => id)]),
    ),
    ahead: Object.fromEntries(
      Object.entries(plan.sequences).map(([name, steps]) => [
        name,
        steps.filter(({ ahead }) => ahead).length,
      ]),
    ),
  };
}

function targetsOf(plan: Plan): readonly TargetView[] {
  const places = new Map<number, Place>();
  for (const [stage, { lanes }] of plan.stages.entries())
    for (const [lane, { batches }] of lanes.entries())
      for (const [batch, { targets }] of batches.entries())
        for (const target of targets) places.set(target, { stage, lane, batch });
  return plan.targets.map(({ name, zone, hook = false }, index) => ({
    ...{ index, name, hook, zone, status: 'pending', step: null, attempt: 0, group: 0, since: null },
    ...{ reason: null, parked: false, ahead: false, progress: null, worker: null },
    ...{ mayRun: false, byHand: null },
    ...(places.get(index) ?? { stage: -1, lane: -1, batch: -1 }),
  }));
}
