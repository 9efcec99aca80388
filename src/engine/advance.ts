import type { EndStatus, Event, StopCause } from '../domain/event.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { deploys, type Plan } from '../domain/plan.ts';
import { isTerminal } from '../domain/status.ts';
import { askedFor, waitsForApprovals } from './approvals.ts';
import { at } from './chunks.ts';
import { endedBetween, pausedBy } from './decide-report.ts';
import type { Facts } from './facts.ts';
import { type Model, present } from './model.ts';
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
  if (state.stop) return stopping(model, state, state.stop);
  if (waitsForApprovals(model, state)) return askedFor(model, state, facts.now);
  if (state.status === 'pending') return { kind: 'deployment.started' };
  if (state.status !== 'running') return undefined;
  if (state.stage < 0) return nextStage(model, state, facts);
  return laneProgress(model, state) ?? (allLanesDone(state) ? nextStage(model, state, facts) : undefined);
}

function laneProgress(model: Model, state: DeploymentState): Event | undefined {
  const lanes = present(model.plan.stages[state.stage], 'stage').lanes;
  for (const [index, lane] of state.lanes.entries()) {
    const batches = present(lanes[index], 'lane').batches;
    if (lane.open && lane.ended === present(batches[lane.batch], 'batch').targets.length) {
      return { kind: 'batch.ended', lane: index, batch: lane.batch };
    }
    if (!lane.open && lane.batch + 1 < batches.length)
      return { kind: 'batch.opened', lane: index, batch: lane.batch + 1 };
  }
  return undefined;
}

/** Where no lane has a next batch to open. */
const allLanesDone = ({ lanes }: DeploymentState): boolean => lanes.every(({ open }) => !open);

function nextStage(model: Model, state: DeploymentState, facts: Facts): Event {
  if (state.stage + 1 < model.plan.stages.length) return { kind: 'stage.opened', stage: state.stage + 1 };
  if (model.plan.verb === 'rollback' && state.counts.failed > state.acceptedFailed) {
    return pausedBy(model, facts, 'budget', `${state.counts.failed} targets could not be rolled back`);
  }
  return done(model, state);
}

function done(model: Model, state: DeploymentState): Event {
  const { failed, skipped } = state.counts;
  const status: EndStatus = hasFailed(model, state) ? 'failed' : 'succeeded';
  const unverified = unverifiedTargets(model, state);
  const notes = model.plan.hard || unverified > 0 ? ['unverified'] : [];
  const exceptions = failed + skipped + unverified;
  return { kind: 'deployment.ended', status, reason: '', exceptions, notes };
}

/**
 * A rollback that left a target behind has failed, also when a person accepted it; so has a command that did not end well everywhere.
 * Anything else may have exceptions.
 */
function hasFailed({ plan }: Model, { counts: { succeeded, failed, skipped } }: DeploymentState): boolean {
  if (!deploys(plan.verb)) return failed + skipped > 0;
  return failed > 0 && (succeeded === 0 || plan.verb === 'rollback');
}

/** Targets that are done on the word of a person alone: nobody has seen that they are well. */
function unverifiedTargets(model: Model, state: DeploymentState): number {
  const isUnverified = ({ status, unverified }: TargetState) => status === 'succeeded' && unverified;
  return model.plan.targets.filter((_, target) => isUnverified(at(state.targets, target))).length;
}

/** Nothing new starts; what runs now ends its step; then the deployment ends. */
function stopping(model: Model, state: DeploymentState, { status, reason }: StopCause): Event | undefined {
  const waiting = state.lanes.flatMap((lane) => lane.goOn)[0];
  if (waiting !== undefined) return endedBetween(state, waiting, at(state.targets, waiting).held !== null);
  if (state.counts.active > 0 || state.lanes.some(({ ahead }) => ahead > 0)) return undefined;
  const exceptions = model.plan.targets.length - state.counts.succeeded + unverifiedTargets(model, state);
  return { kind: 'deployment.ended', status, reason, exceptions, notes: [] };
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
    return held || record.touched ? [{ target, held }] : [];
  });
}
