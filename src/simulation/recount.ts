import type { Event, StopCause } from '../domain/event.ts';
import type { FailureCause } from '../domain/outcome.ts';
import type { Batch, Budget, Plan, Step } from '../domain/plan.ts';

/** A target as the log tells of it. */
export type TargetCount = {
  status: 'pending' | 'running' | 'succeeded' | 'failed' | 'unknown' | 'aborted' | 'skipped';
  step: number;
  group: number;
  isOpen: boolean;
  /** `untilMs`: when it is given up if nobody proves it. */
  cancelling: { readonly why: 'deadline' | 'abort' | 'skip'; readonly untilMs: number } | null;
  /** A person has left it out while its step ran. */
  isLeftOut: boolean;
  /** Nobody has seen the end of its last task; `lost`: nor has any worker said anything of it. */
  mayRun: 'no' | 'maybe' | 'lost';
  /** A person has set the result of a check. */
  isUnverified: boolean;
  retries: number;
  isHeld: boolean;
  isTouched: boolean;
  /** It is no target, but runs around them. */
  readonly isHook: boolean;
  readonly place: Place;
};

/** A step that ended badly last, and of what. */
export type LastFailure = { readonly cause: FailureCause | undefined; readonly message: string };
export type Place = {
  readonly stage: number;
  readonly lane: number;
  readonly batch: number;
  readonly of: Batch;
};
/** `nextFailures`: of targets that could not be prepared, in the batch after the last one that began. */
type LaneCount = {
  batch: number;
  isOpen: boolean;
  batchFailures: number;
  nextFailures: number;
  zoneFailures: number;
};

/** A deployment as its log alone tells of it: counted anew, in another way than the engine counts. */
export type Recount = {
  readonly plan: Plan;
  /** Who asked for it, for which plan. */
  asked: { readonly by: string; readonly planHash: string };
  readonly approvedBy: Set<string>;
  isPromoted: boolean;
  /** Whether what its plan was made from has changed by now; `perhaps`: in this very moment. */
  outdated: 'no' | 'perhaps' | 'yes';
  status: 'pending' | 'running' | 'paused' | 'ended';
  stop: (StopCause & { readonly abort: boolean }) | null;
  /** The stage in which it was stopped first. */
  stopStage: number;
  stage: number;
  lanes: LaneCount[];
  readonly targets: readonly TargetCount[];
  lastFailure: LastFailure | null;
  failures: number;
  /** Of hooks, since the last resume. */
  hookFailures: number;
  accepted: number;
  abortAtMs: number;
  resumedAtMs: number;
  /** The last time that a target was refused capacity. */
  refused: Extract<Event, { kind: 'capacity.refused' }> | null;
};

export function recountOf(plan: Plan): Recount {
  const places = new Map<number, Place>();
  for (const [stage, { lanes }] of plan.stages.entries())
    for (const [lane, { batches }] of lanes.entries())
      for (const [batch, of] of batches.entries())
        for (const target of of.targets) places.set(target, { stage, lane, batch, of });
  const fresh = { step: 0, group: 0, isOpen: false, cancelling: null, retries: 0 };
  const byHand = { isLeftOut: false, mayRun: 'no', isUnverified: false } as const;
  return {
    plan,
    ...{ asked: { by: '', planHash: '' }, approvedBy: new Set(), isPromoted: false, outdated: 'no' },
    ...{ status: 'pending', stop: null, stopStage: -1, stage: -1, lanes: [], failures: 0, hookFailures: 0 },
    ...{ accepted: 0, abortAtMs: 0, resumedAtMs: 0, refused: null, lastFailure: null },
    targets: plan.targets.map(({ hook: isHook = false }, index): TargetCount => {
      const place = places.get(index);
      if (!place) throw new RangeError(`target ${index} is in no batch`);
      return { status: 'pending', ...fresh, ...byHand, isHeld: false, isTouched: false, isHook, place };
    }),
  };
}

export function targetAt({ targets }: Recount, index: number): TargetCount {
  const target = targets[index];
  if (!target) throw new RangeError(`no target ${index}`);
  return target;
}

export function stepAt({ plan }: Recount, { place }: TargetCount, step: number): Step | undefined {
  return plan.sequences[place.of.sequence]?.[step];
}

export const hasEnded = ({ status }: TargetCount): boolean => status !== 'pending' && status !== 'running';

/** Whether the target's batch is the one that its lane works on now. */
export function isInOpenBatch({ stage, lanes }: Recount, { place }: TargetCount): boolean {
  const lane = lanes[place.lane];
  return place.stage === stage && lane?.isOpen === true && lane.batch === place.batch;
}

/** Whether the turn of the target's batch is next, in the stage that is on its way. */
export function isInNextBatch({ stage, lanes }: Recount, { place }: TargetCount): boolean {
  return place.stage === stage && lanes[place.lane]?.batch === place.batch - 1;
}

/** Whether the hooks run that come last. */
export const isAtEnd = ({ plan, stage }: Recount): boolean => plan.stages[stage]?.when !== undefined;

/** Whether its next step prepares it only, before its turn or in it. */
export const isPreparing = (story: Recount, target: TargetCount): boolean =>
  target.status === 'pending' && stepAt(story, target, target.step)?.ahead === true;

/** It has not begun, and may not before people approve it. */
export const waitsForPeople = ({ plan, status, stop }: Recount): boolean =>
  plan.approvals !== undefined && status === 'pending' && stop === null;

/** Whether targets of the deployment itself are out of what was short, and are going to be back. A floor of 0 is another's hold. */
export function isShrunk(
  story: Recount,
  { pool, zone, floor }: Extract<Event, { kind: 'capacity.refused' }>,
): boolean {
  return story.targets.some((target, index) => {
    const planned = story.plan.targets[index];
    const isInIt =
      planned?.members.some((ref) => ref.pool === pool) && (zone === undefined || planned.zone === zone);
    const steps = story.plan.sequences[target.place.of.sequence]?.slice(0, target.step) ?? [];
    const isOut = target.isHeld && target.status === 'running' && steps.some(({ hold }) => hold === 'take');
    return floor > 0 && isInIt === true && isOut;
  });
}

/** Whether a hook has failed, or one of the budgets of failures is spent, in the open batches or over all. */
export function isSpent({ plan, stage, lanes, failures, hookFailures }: Recount): boolean {
  if (hookFailures > 0) return true;
  const { batch, zone, deployment } = plan.policy.maxFailures;
  const all = plan.stages.flatMap((one) => one.lanes);
  if (exceeds(deployment, failures, counted(all.flatMap(({ batches }) => batches)))) return true;
  return lanes.some((lane, index) => {
    const batches = plan.stages[stage]?.lanes[index]?.batches ?? [];
    const size = (of: number): number => batches[of]?.targets.length ?? 0;
    return (
      exceeds(batch, lane.batchFailures, size(lane.batch)) ||
      exceeds(batch, lane.nextFailures, size(lane.batch + 1)) ||
      exceeds(zone, lane.zoneFailures, counted(batches))
    );
  });
}

const counted = (batches: readonly Batch[]): number =>
  batches.reduce((sum, batch) => sum + (batch.countsFailures ? batch.targets.length : 0), 0);

function exceeds({ count, percent }: Budget, failures: number, size: number): boolean {
  if (failures === 0) return false;
  const most = Math.min(
    count ?? Infinity,
    percent === undefined ? Infinity : Math.ceil((size * percent) / 100),
  );
  return failures >= Math.max(1, most);
}

/** Counts an event in. */
export function count(story: Recount, event: Event): void {
  switch (event.kind) {
    case 'approvals.asked':
      story.abortAtMs = event.abortAt;
      return;
    case 'deployment.approved':
      story.approvedBy.add(event.by);
      return;
    case 'deployment.promoted':
      story.isPromoted = true;
      return;
    case 'deployment.started':
      story.status = 'running';
      return;
    case 'stage.opened':
      story.stage = event.stage;
      story.lanes = (story.plan.stages[event.stage]?.lanes ?? []).map(() => {
        return { batch: -1, isOpen: false, batchFailures: 0, nextFailures: 0, zoneFailures: 0 };
      });
      return;
    case 'batch.opened':
      openBatch(story.lanes[event.lane], event.batch);
      return;
    case 'batch.ended':
      Object.assign(story.lanes[event.lane] ?? {}, { isOpen: false });
      return;
    case 'deployment.paused':
      Object.assign(story, { status: 'paused', abortAtMs: event.abortAt });
      return;
    case 'deployment.resumed':
      resume(story, event.at);
      return;
    case 'deployment.stopping':
      if (story.stop === null) story.stopStage = story.stage;
      Object.assign(story, { status: 'running', stop: event });
      return;
    case 'deployment.ended':
      story.status = 'ended';
      return;
    case 'tasks.granted':
      for (const index of event.targets) grant(story, targetAt(story, index));
      return;
    case 'deployment.created':
      story.asked = event;
      return;
    case 'command.refused':
      return;
    default:
      countTarget(story, event);
  }
}

function openBatch(lane: LaneCount | undefined, batch: number): void {
  const batchFailures = lane?.nextFailures ?? 0;
  Object.assign(lane ?? {}, { batch, isOpen: true, batchFailures, nextFailures: 0 });
}

function resume(story: Recount, atMs: number): void {
  const accepted = story.targets.filter(({ status, isHook }) => !isHook && FAILED.has(status)).length;
  Object.assign(story, { status: 'running', failures: 0, hookFailures: 0, accepted, resumedAtMs: atMs });
  for (const lane of story.lanes) Object.assign(lane, { batchFailures: 0, nextFailures: 0, zoneFailures: 0 });
}

export const FAILED: ReadonlySet<string> = new Set(['failed', 'unknown', 'aborted']);

function grant(story: Recount, target: TargetCount): void {
  const step = stepAt(story, target, target.step);
  target.isTouched ||= step?.hold !== 'take' && step?.ahead !== true;
  Object.assign(target, { status: isPreparing(story, target) ? 'pending' : 'running', isOpen: true });
}

type OfTarget = Extract<Event, { readonly target: number }>;

function countTarget(story: Recount, event: OfTarget): void {
  const target = targetAt(story, event.target);
  const closed = { isOpen: false, cancelling: null };
  switch (event.kind) {
    case 'task.succeeded':
      Object.assign(target, { ...closed, step: target.step + 1, retries: 0 });
      return;
    case 'task.failed': {
      const isLate = target.cancelling?.why === 'deadline';
      story.lastFailure = { cause: isLate ? 'timeout' : event.error.cause, message: event.error.message };
      Object.assign(target, closed);
      return;
    }
    case 'task.unknown':
      story.lastFailure = { cause: undefined, message: event.seen };
      Object.assign(target, { ...closed, mayRun: event.worker === null ? 'lost' : 'maybe' });
      return;
    case 'task.resolved':
      resolve(story, target, event.as);
      return;
    case 'task.retried':
      target.retries += 1;
      return;
    case 'task.cancelling':
      target.cancelling = { why: event.why, untilMs: 0 };
      target.isLeftOut ||= event.why === 'skip';
      return;
    case 'capacity.taken':
      target.isHeld = true;
      return;
    case 'capacity.given':
      target.isHeld = false;
      return;
    case 'capacity.refused':
      target.cancelling = null;
      story.refused = event;
      return;
    case 'target.retried':
      Object.assign(target, { status: isInOpenBatch(story, target) ? 'running' : 'pending' });
      Object.assign(target, { group: event.group, step: 0, retries: 0 });
      Object.assign(target, { mayRun: 'no', isUnverified: false });
      return;
    case 'target.succeeded':
    case 'target.skipped':
      target.status = event.kind === 'target.skipped' ? 'skipped' : 'succeeded';
      return;
    case 'target.failed':
      target.status = event.status;
      target.isLeftOut = false;
      if (event.status !== 'aborted' && target.place.of.countsFailures) countFailure(story, target);
      if (event.status === 'failed' && target.isHook) countHook(story);
      return;
    default:
      event satisfies never;
  }
}

function resolve(story: Recount, target: TargetCount, as: 'succeeded' | 'failed'): void {
  if (as === 'failed') {
    target.status = 'failed';
    return;
  }
  const isCheck = stepAt(story, target, target.step)?.action.startsWith('health.verify@') === true;
  Object.assign(target, { status: 'running', step: target.step + 1, retries: 0, mayRun: 'no' });
  target.isUnverified ||= isCheck;
}

/** At the end nothing is left to stop, and a rollback brings back what it can. */
function countHook(story: Recount): void {
  if (story.plan.verb !== 'rollback' && !isAtEnd(story)) story.hookFailures += 1;
}

function countFailure(story: Recount, target: TargetCount): void {
  story.failures += 1;
  const lane = story.lanes[target.place.lane];
  if (!lane) return;
  if (isInOpenBatch(story, target)) lane.batchFailures += 1;
  else lane.nextFailures += 1;
  lane.zoneFailures += 1;
}
