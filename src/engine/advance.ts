import type { EndStatus, Event } from '../domain/event.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import { isTerminal } from '../domain/status.ts';
import { at } from './chunks.ts';
import { pausedBy, stopped } from './decide-report.ts';
import type { Facts } from './facts.ts';
import { type Model, present } from './model.ts';
import type { DeploymentState } from './state.ts';

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
  if (state.stop) return stopping(model, state);
  if (state.status === 'pending') return { kind: 'deployment.started' };
  if (state.status !== 'running') return undefined;
  if (state.stage < 0) return nextStage(model, state, facts);
  return (
    laneProgress(model, state) ?? (allLanesDone(model, state) ? nextStage(model, state, facts) : undefined)
  );
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

function allLanesDone(model: Model, state: DeploymentState): boolean {
  const lanes = present(model.plan.stages[state.stage], 'stage').lanes;
  return state.lanes.every(
    (lane, index) => !lane.open && lane.batch + 1 >= present(lanes[index], 'lane').batches.length,
  );
}

function nextStage(model: Model, state: DeploymentState, facts: Facts): Event {
  if (state.stage + 1 < model.plan.stages.length) return { kind: 'stage.opened', stage: state.stage + 1 };
  if (model.plan.verb === 'rollback' && state.counts.failed > state.acceptedFailed) {
    return pausedBy(model, facts, 'budget', `${state.counts.failed} targets could not be rolled back`);
  }
  return done(model, state);
}

/** A rollback that left a target behind has failed, also when a person accepted it; anything else may have exceptions. */
function done(model: Model, state: DeploymentState): Event {
  const { succeeded, failed, skipped } = state.counts;
  const status: EndStatus =
    failed > 0 && (succeeded === 0 || model.plan.verb === 'rollback') ? 'failed' : 'succeeded';
  const notes = model.plan.hard ? ['unverified'] : [];
  return { kind: 'deployment.ended', status, reason: '', exceptions: failed + skipped, notes };
}

/** Nothing new starts; what runs now ends its step; then the deployment ends. */
function stopping(model: Model, state: DeploymentState): Event | undefined {
  const waiting = state.lanes.flatMap((lane) => lane.goOn)[0];
  if (waiting !== undefined) return stopped(state, waiting, at(state.targets, waiting).held !== null);
  if (state.counts.active > 0 || state.stop === null) return undefined;
  const { status, reason } = state.stop;
  const exceptions = model.plan.targets.length - state.counts.succeeded;
  return { kind: 'deployment.ended', status, reason, exceptions, notes: [] };
}

/** The plan of the rollback that the end of this deployment causes, if any. */
export function successorOf(model: Model, state: DeploymentState, planRollback: PlanRollback): Plan | null {
  if (state.stop?.next !== 'rollback') return null;
  return planRollback(
    { id: model.id, plan: model.plan, touched: touchedTargets(model, state) },
    state.stop.reason,
  );
}

/** With a hold a target is out of service, even if nothing else was done to it yet. */
function touchedTargets(model: Model, state: DeploymentState): readonly Touched[] {
  return model.plan.targets.flatMap((_, target) => {
    const record = at(state.targets, target);
    const held = record.held !== null;
    return held || record.touched ? [{ target, held }] : [];
  });
}
