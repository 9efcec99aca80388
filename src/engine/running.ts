import type { Event } from '../domain/event.ts';
import { at } from './chunks.ts';
import { type Model, placeOf } from './model.ts';
import type { DeploymentState, TargetState } from './state.ts';

/** Asks the workers to end whatever runs now: in the open batches, and to prepare the next ones. */
export const cancelling = (model: Model, state: DeploymentState): readonly Event[] =>
  ending(model, state, () => true);

/** Asks the workers to end what they prepare: nobody needs it any more, and what follows on a stop need not wait for it. */
export const cancellingAhead = (model: Model, state: DeploymentState): readonly Event[] =>
  ending(model, state, ({ status }) => status === 'pending');

function ending(
  model: Model,
  state: DeploymentState,
  isMeant: (target: TargetState) => boolean,
): readonly Event[] {
  return state.lanes.flatMap((lane, index) => {
    const batches = model.plan.stages[state.stage]?.lanes[index]?.batches ?? [];
    const targets = batches.filter((_, batch) => batch === lane.batch || batch === lane.batch + 1);
    return targets
      .flatMap((batch) => batch.targets)
      .flatMap((target): Event[] => {
        const record = at(state.targets, target);
        const { granted, step, cancelling: why } = record;
        return granted && why !== 'abort' && isMeant(record)
          ? [{ kind: 'task.cancelling', target, step, why: 'abort' }]
          : [];
      });
  });
}

/** Whether the hooks run that come last: those do begin while a deployment stops, and end it whatever becomes of them. */
export const isAtEnd = ({ plan }: Model, { stage }: DeploymentState): boolean =>
  plan.stages[stage]?.when !== undefined;

/** Whether nothing new begins any more. */
export const isStopping = (model: Model, state: DeploymentState): boolean =>
  state.stop !== null && !isAtEnd(model, state);

/** Whether the turn of a target's batch has not come yet, in the stage that is on its way. */
export function isToCome(model: Model, state: DeploymentState, target: number): boolean {
  const { stage, lane, batch } = placeOf(model, target);
  return stage === state.stage && batch > (state.lanes[lane]?.batch ?? -1);
}

/** Whether a target's batch is the one its lane works on now. */
export function isOpen(model: Model, state: DeploymentState, target: number): boolean {
  const place = placeOf(model, target);
  const lane = state.lanes[place.lane];
  return place.stage === state.stage && lane?.open === true && lane.batch === place.batch;
}
