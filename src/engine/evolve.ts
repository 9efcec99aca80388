import type { Event } from '../domain/event.ts';
import { touches } from '../domain/plan.ts';
import { cursorsOf } from './ahead.ts';
import { afterApproval } from './approvals.ts';
import { at, replaced } from './chunks.ts';
import { resolved, retried } from './go-on.ts';
import { isHook, type Model, placeOf, present, stepOf, stepsOf } from './model.ts';
import { isOpen } from './running.ts';
import { CLOSED_LANE, type DeploymentState, type LaneState, type TargetState } from './state.ts';

/** The state after an event. It trusts the event: whether it may happen was decided before it was written. O(1). */
export function evolve(model: Model, state: DeploymentState, event: Event): DeploymentState {
  switch (event.kind) {
    case 'deployment.created':
      return {
        ...state,
        planHash: event.planHash,
        requestedBy: event.by,
        madeFrom: event.madeFrom ?? [],
      };
    case 'approvals.asked':
    case 'deployment.approved':
      return afterApproval(model, state, event);
    case 'deployment.started':
      return { ...state, status: 'running', reason: '', abortAt: null, madeFrom: [] };
    case 'stage.opened': {
      const lanes = present(model.plan.stages[event.stage], `stage ${event.stage}`).lanes;
      return {
        ...state,
        stage: event.stage,
        openedAt: event.at ?? null,
        lanes: lanes.map(() => CLOSED_LANE),
      };
    }
    case 'batch.opened':
      return withLane(state, event.lane, (lane) => openedBatch(model, state, lane, event));
    case 'batch.ended':
      return withLane(state, event.lane, (lane) => ({ ...lane, open: false }));
    case 'tasks.granted':
      return granted(model, state, event.targets);
    case 'task.succeeded':
      return stepDone(model, state, event);
    case 'task.retried':
      return withTarget(state, event.target, (target) => ({ ...target, retries: event.retries }));
    case 'task.failed':
      return withTarget(withoutAhead(model, state, event.target), event.target, (target) => ({
        ...target,
        ...CLOSED_TASK,
      }));
    case 'task.unknown':
      return withTarget(withoutAhead(model, state, event.target), event.target, (target) => ({
        ...target,
        ...CLOSED_TASK,
        mayRun: event.worker === null ? 'at-worker' : 'on-target',
      }));
    case 'task.cancelling':
      return withTarget(state, event.target, (target) => ({
        ...target,
        cancelling: event.why,
        skip: event.why === 'skip' ? { by: event.by, reason: event.reason } : target.skip,
      }));
    case 'task.resolved':
      return resolved(model, state, event);
    case 'capacity.taken':
      return withTarget(state, event.target, (target) => ({
        ...target,
        held: event.members,
        refusedSince: null,
      }));
    case 'capacity.refused':
      return withTarget(state, event.target, (target) => ({
        ...target,
        refusedSince: target.refusedSince ?? event.since,
        cancelling: null,
      }));
    case 'capacity.given':
      return withTarget(state, event.target, (target) => ({ ...target, held: null }));
    case 'target.succeeded':
    case 'target.failed':
    case 'target.skipped':
      return ended(model, state, event);
    case 'target.retried':
      return retried(model, state, event);
    case 'deployment.paused':
      return { ...state, status: 'paused', reason: event.reason, abortAt: event.abortAt };
    case 'deployment.resumed':
      return resumed(state, event.at);
    case 'deployment.stopping':
      return { ...state, status: 'running', reason: event.reason, abortAt: null, stop: event };
    case 'deployment.ended':
      return {
        ...state,
        status: event.status,
        reason: event.reason,
        abortAt: null,
        exceptions: event.exceptions,
      };
    case 'deployment.promoted':
    case 'command.refused':
      return state;
    default:
      return event satisfies never;
  }
}

const CLOSED_TASK = { granted: false, cancelling: null } as const;

function withTarget(
  state: DeploymentState,
  target: number,
  change: (target: TargetState) => TargetState,
): DeploymentState {
  return { ...state, targets: replaced(state.targets, target, change(at(state.targets, target))) };
}

function withLane(
  state: DeploymentState,
  lane: number,
  change: (lane: LaneState) => LaneState,
): DeploymentState {
  return { ...state, lanes: state.lanes.with(lane, change(present(state.lanes[lane], `lane ${lane}`))) };
}

type Opened = { readonly lane: number; readonly batch: number; readonly at?: number };

/** The task of a target that was being prepared, if it was, is closed. With more to prepare it is looked for again. */
function withoutAhead(model: Model, state: DeploymentState, target: number, more = false): DeploymentState {
  if (at(state.targets, target).status !== 'pending') return state;
  return withLane(state, placeOf(model, target).lane, (lane) => ({
    ...lane,
    ahead: lane.ahead - 1,
    aheadCursor: more ? 0 : lane.aheadCursor,
  }));
}

/** Targets that were skipped, or could not be prepared, before their batch opened have ended already. */
function openedBatch(
  model: Model,
  state: DeploymentState,
  lane: LaneState,
  { lane: index, batch, at: openedAt }: Opened,
): LaneState {
  const of = present(model.plan.stages[state.stage]?.lanes[index]?.batches[batch], `batch ${batch}`);
  const ended = of.targets.filter((target) => at(state.targets, target).status !== 'pending').length;
  const { ahead, aheadFailures: batchFailures, zoneFailures } = lane;
  return {
    ...CLOSED_LANE,
    ahead,
    zoneFailures,
    batchFailures,
    open: true,
    openedAt: openedAt ?? null,
    batch,
    ended,
  };
}

/** A grant takes all that could go on, then fresh targets, then those to prepare, from the cursors (`pending`). */
function granted(model: Model, state: DeploymentState, targets: readonly number[]): DeploymentState {
  const lanes = state.lanes.map((lane) => ({ ...lane, goOn: [] as readonly number[] }));
  let records = state.targets;
  let active = state.counts.active;
  for (const target of targets) {
    const before = at(records, target);
    const step = stepOf(model, target, before.step);
    const isFresh = before.status === 'pending';
    const isAhead = isFresh && step.ahead === true;
    const touched = before.touched || touches(step);
    const status = isAhead ? 'pending' : 'running';
    records = replaced(records, target, { ...before, status, granted: true, touched });
    if (!isFresh) continue;
    const lane = placeOf(model, target).lane;
    const worked = present(lanes[lane], `lane ${lane}`);
    if (isAhead) worked.ahead += 1;
    else worked.active += 1;
    if (!isAhead && !isHook(model, target)) active += 1;
  }
  const after = { ...state, lanes, targets: records, counts: { ...state.counts, active } };
  return { ...after, lanes: lanes.map((lane, index) => ({ ...lane, ...cursorsOf(model, after, index) })) };
}

function stepDone(
  model: Model,
  state: DeploymentState,
  event: Extract<Event, { kind: 'task.succeeded' }>,
): DeploymentState {
  const place = placeOf(model, event.target);
  const steps = stepsOf(model, event.target);
  const id = present(steps[event.step], 'step').id;
  const before = at(state.targets, event.target);
  const keep = model.kept[place.of.sequence]?.has(id) === true;
  const outputs = keep ? { ...before.outputs, [id]: event.outputs } : before.outputs;
  const after: TargetState = {
    ...before,
    step: event.step + 1,
    granted: false,
    cancelling: null,
    retries: 0,
    refusedSince: null,
    outputs,
  };
  const targets = replaced(state.targets, event.target, after);
  if (before.status === 'pending')
    return { ...withoutAhead(model, state, event.target, steps[after.step]?.ahead), targets };
  if (after.step === steps.length) return { ...state, targets };
  const lane = present(state.lanes[place.lane], 'lane');
  const goOn = [...lane.goOn, event.target];
  return { ...state, targets, lanes: state.lanes.with(place.lane, { ...lane, goOn }) };
}

type Ended = Extract<Event, { kind: 'target.succeeded' | 'target.failed' | 'target.skipped' }>;

function ended(model: Model, state: DeploymentState, event: Ended): DeploymentState {
  const before = at(state.targets, event.target);
  const status =
    event.kind === 'target.failed' ? event.status : event.kind === 'target.skipped' ? 'skipped' : 'succeeded';
  const records = replaced(state.targets, event.target, {
    ...before,
    status,
    granted: false,
    cancelling: null,
    skip: null,
    // A person may still say that the step which failed has succeeded: the next ones go on with what is known.
    outputs: event.kind === 'target.failed' ? before.outputs : {},
  });
  return { ...countEnded(model, state, event, before), targets: records };
}

function countEnded(
  model: Model,
  state: DeploymentState,
  event: Ended,
  before: TargetState,
): DeploymentState {
  const place = placeOf(model, event.target);
  const wasActive = before.status === 'running';
  const wasEnded = !wasActive && before.status !== 'pending';
  const failed = event.kind === 'target.failed';
  const one = isHook(model, event.target) ? 0 : 1;
  const counted = failed && event.status !== 'aborted' && counts(model, event.target) ? 1 : 0;
  const lane = place.stage === state.stage ? state.lanes[place.lane] : undefined;
  const counters = {
    succeeded: state.counts.succeeded + (event.kind === 'target.succeeded' ? one : 0),
    failed: state.counts.failed + (failed ? one : 0) - (wasEnded ? one : 0),
    skipped: state.counts.skipped + (event.kind === 'target.skipped' ? one : 0),
    active: state.counts.active - (wasActive ? one : 0),
  };
  const changed = { ...state, counts: counters, failures: state.failures + counted };
  if (lane === undefined) return changed;
  if (!isOpen(model, state, event.target)) {
    const aheadFailures = lane.aheadFailures + counted;
    const counting = { ...lane, aheadFailures, zoneFailures: lane.zoneFailures + counted };
    return { ...changed, lanes: state.lanes.with(place.lane, counting) };
  }
  const closed: LaneState = {
    ...lane,
    active: lane.active - (wasActive ? 1 : 0),
    ended: lane.ended + (wasEnded ? 0 : 1),
    goOn:
      event.kind === 'target.succeeded' ? lane.goOn : lane.goOn.filter((target) => target !== event.target),
    batchFailures: lane.batchFailures + counted,
    zoneFailures: lane.zoneFailures + counted,
  };
  return { ...changed, lanes: state.lanes.with(place.lane, closed) };
}

/** Whether a failure of this target spends budget (DESIGN.md section 5, "others" and rollback). */
export function counts(model: Model, target: number): boolean {
  return placeOf(model, target).of.countsFailures;
}

/** Whoever resumes accepts the failures so far: budgets begin anew. */
function resumed(state: DeploymentState, resumedAt: number): DeploymentState {
  const lanes = state.lanes.map((lane) => ({
    ...lane,
    ...{ batchFailures: 0, zoneFailures: 0, aheadFailures: 0 },
  }));
  return {
    ...state,
    status: 'running',
    reason: '',
    abortAt: null,
    failures: 0,
    resumedAt,
    acceptedFailed: state.counts.failed,
    lanes,
  };
}
