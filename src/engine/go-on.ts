import type { Event } from '../domain/event.ts';
import { verifies } from '../domain/plan.ts';
import { at, replaced } from './chunks.ts';
import { isHook, type Model, placeOf, present, stepOf, stepsOf } from './model.ts';
import { isOpen } from './running.ts';
import type { DeploymentState, TargetState } from './state.ts';

type Of<Kind> = Extract<Event, { kind: Kind }>;

/** A new attempt group begins at the first step; what is held stays held. Before its turn it waits for that again. */
export function retried(model: Model, state: DeploymentState, event: Of<'target.retried'>): DeploymentState {
  const before = at(state.targets, event.target);
  const again: TargetState = { ...before, group: event.group, step: 0, unverified: false, outputs: {} };
  return isOpen(model, state, event.target)
    ? goesOn(model, state, event.target, again)
    : waitsAgain(model, state, event.target, again);
}

/** It could not be prepared, which is tried again once its batch is open. */
function waitsAgain(
  model: Model,
  state: DeploymentState,
  index: number,
  record: TargetState,
): DeploymentState {
  return {
    ...state,
    targets: replaced(state.targets, index, { ...record, ...WAITING, status: 'pending' }),
    counts: { ...state.counts, failed: state.counts.failed - (isHook(model, index) ? 0 : 1) },
  };
}

const WAITING = { granted: false, retries: 0, refusedSince: null, mayRun: null } as const;

/** Behind a step that has succeeded, as a person says, the target goes on; one that has failed stays where it is. */
export function resolved(model: Model, state: DeploymentState, event: Of<'task.resolved'>): DeploymentState {
  const before = at(state.targets, event.target);
  if (event.as === 'failed')
    return { ...state, targets: replaced(state.targets, event.target, { ...before, status: 'failed' }) };
  return goesOn(model, state, event.target, {
    ...before,
    step: event.step + 1,
    unverified: before.unverified || verifies(stepOf(model, event.target, event.step)),
  });
}

/** A target of the open batch that had ended without success is worked on again. */
function goesOn(model: Model, state: DeploymentState, index: number, record: TargetState): DeploymentState {
  const place = placeOf(model, index);
  const lane = present(state.lanes[place.lane], 'lane');
  const target: TargetState = { ...record, ...WAITING, status: 'running' };
  const one = isHook(model, index) ? 0 : 1;
  const isDone = target.step === stepsOf(model, index).length;
  return {
    ...state,
    targets: replaced(state.targets, index, target),
    counts: { ...state.counts, failed: state.counts.failed - one, active: state.counts.active + one },
    lanes: state.lanes.with(place.lane, {
      ...lane,
      active: lane.active + 1,
      ended: lane.ended - 1,
      goOn: isDone ? lane.goOn : [...lane.goOn, index],
    }),
  };
}
