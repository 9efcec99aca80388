import type { EndStatus, Event, StopCause } from '../domain/event.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { type Plan, targetCount } from '../domain/plan.ts';
import { isTerminal } from '../domain/status.ts';
import { askedFor, waitsForApprovals } from './approvals.ts';
import { at } from './chunks.ts';
import { endedBetween, pausedBy } from './decide-report.ts';
import type { Facts } from './facts.ts';
import { isHook, type Model, placeOf, present, targetOf } from './model.ts';
import { hasFailed } from './outcome.ts';
import { isAtEnd } from './running.ts';
import type { DeploymentState, TargetState } from './state.ts';

/** A target that a rollback must look after, and whether its members are out of service now. */
export type Touched = { readonly target: number; readonly held: boolean };
/** Pure; made by `plan`, handed in by `compose.ts` (contract C7). `null`: there is nothing to return to. */
export type PlanRollback = (
  parent: { id: DeploymentId; plan: Plan; touched: readonly Touched[] },
  why: string,
) => Plan | null;

/**
 * The next thing that follows from the state alone, without a command: batches, stages and the deployment begin and end.
 * `undefined` when nothing does. Costs O(lanes).
 */
export function advance(model: Model, state: DeploymentState, facts: Facts): Event | undefined {
  if (isTerminal(state.status)) return undefined;
  if (state.stop) return stopping(model, state, facts, state.stop);
  if (waitsForApprovals(model, state)) return askedFor(model, state, facts.now);
  if (state.status === 'pending') return { kind: 'deployment.started' };
  if (state.status !== 'running') return undefined;
  if (state.stage < 0) return nextStage(model, state, facts);
  return (
    laneProgress(model, state, facts) ?? (allLanesDone(state) ? nextStage(model, state, facts) : undefined)
  );
}

function laneProgress(model: Model, state: DeploymentState, { now }: Facts): Event | undefined {
  const lanes = present(model.plan.stages[state.stage], 'stage').lanes;
  for (const [index, lane] of state.lanes.entries()) {
    const batches = present(lanes[index], 'lane').batches;
    if (lane.open && lane.ended === present(batches[lane.batch], 'batch').targets.length) {
      return { kind: 'batch.ended', lane: index, batch: lane.batch };
    }
    if (!lane.open && lane.batch + 1 < batches.length)
      return { kind: 'batch.opened', lane: index, batch: lane.batch + 1, at: now };
  }
  return undefined;
}

/** Where no lane has a next batch to open. */
const allLanesDone = ({ lanes }: DeploymentState): boolean => lanes.every(({ open }) => !open);

function nextStage(model: Model, state: DeploymentState, facts: Facts): Event {
  const next = state.stage + 1;
  if (next < model.plan.stages.length && !model.plan.stages[next]?.when)
    return { kind: 'stage.opened', stage: next, at: facts.now };
  if (model.plan.verb === 'rollback' && state.counts.failed > state.acceptedFailed) {
    return pausedBy(model, facts, 'budget', `${state.counts.failed} targets could not be rolled back`);
  }
  return lastHooks(model, state, facts) ?? done(model, state);
}

/** The next of the stages that come last and have not begun; those of a failure only if it stops, and none of what never began. */
function lastHooks({ plan }: Model, { stage, stop }: DeploymentState, { now }: Facts): Event | undefined {
  if (stage < 0) return undefined;
  const next = plan.stages.findIndex(
    ({ when }, index) => index > stage && (when === 'always' || (when === 'failed' && stop !== null)),
  );
  return next < 0 ? undefined : { kind: 'stage.opened', stage: next, at: now };
}

function done(model: Model, state: DeploymentState): Event {
  const { failed, skipped } = state.counts;
  const status: EndStatus = hasFailed(model, state) ? 'failed' : 'succeeded';
  const unverified = unverifiedTargets(model, state);
  const notes = [...(model.plan.hard || unverified > 0 ? ['unverified'] : []), ...notesOnHooks(model, state)];
  const exceptions =
    failed + skipped + unverified + hooksLeft(model, state).filter((hook) => !isLast(model, hook)).length;
  return { kind: 'deployment.ended', status, reason: '', exceptions, notes };
}

/** Targets that are done on the word of a person alone: nobody has seen that they are well. */
function unverifiedTargets(model: Model, state: DeploymentState): number {
  const isUnverified = ({ status, unverified }: TargetState) => status === 'succeeded' && unverified;
  return model.plan.targets.filter((_, target) => isUnverified(at(state.targets, target))).length;
}

/** Hooks that have ended without success: what they were to see to, somebody else has to. */
function hooksLeft(model: Model, state: DeploymentState): readonly number[] {
  const isLeft = (target: number) =>
    ['failed', 'unknown', 'aborted', 'skipped'].includes(at(state.targets, target).status);
  return model.plan.targets.flatMap(({ hook }, target) => (hook && isLeft(target) ? [target] : []));
}

/** Of those that come last: what becomes of them says nothing of the release. */
const isLast = (model: Model, hook: number): boolean =>
  model.plan.stages[placeOf(model, hook).stage]?.when !== undefined;

function notesOnHooks(model: Model, state: DeploymentState): readonly string[] {
  const names = hooksLeft(model, state).map((hook) => targetOf(model, hook).name);
  return names.length > 0 ? [`not done: ${names.join(', ')}`] : [];
}

/** Nothing new starts; what runs now ends its step; then the hooks that come last, unless a rollback does them; then it ends. */
function stopping(model: Model, state: DeploymentState, facts: Facts, stop: StopCause): Event | undefined {
  const goesBack = () => stop.next === 'rollback' && canReturn(model, state);
  if (!isAtEnd(model, state)) {
    const waiting = state.lanes.flatMap((lane) => lane.goOn)[0];
    if (waiting !== undefined) return endedBetween(state, waiting, at(state.targets, waiting).held !== null);
  } else if (!goesBack()) {
    const next = laneProgress(model, state, facts);
    if (next || !allLanesDone(state)) return next;
  }
  if (state.lanes.some(({ active, ahead }) => active + ahead > 0)) return undefined;
  return (goesBack() ? undefined : lastHooks(model, state, facts)) ?? stopped(model, state, stop);
}

/** Whether there is anything to return to (`planRollback`). */
const canReturn = (model: Model, state: DeploymentState): boolean =>
  model.plan.verb !== 'rollback' &&
  touchedTargets(model, state).some(({ target }) => targetOf(model, target).before !== null);

function stopped(model: Model, state: DeploymentState, { status, reason }: StopCause): Event {
  const exceptions = targetCount(model.plan) - state.counts.succeeded + unverifiedTargets(model, state);
  return { kind: 'deployment.ended', status, reason, exceptions, notes: notesOnHooks(model, state) };
}

/** The plan of the rollback that the end of this deployment causes, if there is anything to return to. */
export function successorOf(
  model: Model,
  state: DeploymentState,
  why: string,
  planRollback: PlanRollback,
): Plan | null {
  return planRollback({ id: model.id, plan: model.plan, touched: touchedTargets(model, state) }, why);
}

/** With a hold a target is out of service, even if nothing else was done to it yet. */
function touchedTargets(model: Model, state: DeploymentState): readonly Touched[] {
  return model.plan.targets.flatMap((_, target) => {
    const record = at(state.targets, target);
    const held = record.held !== null;
    return !isHook(model, target) && (held || record.touched) ? [{ target, held }] : [];
  });
}
