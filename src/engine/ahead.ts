import { at } from './chunks.ts';
import { type Model, stepOf } from './model.ts';
import type { DeploymentState } from './state.ts';

/** Whether a target is still to be prepared before its turn comes: its next step is one of those, and nobody is at it. */
export function isToPrepare(model: Model, state: DeploymentState, target: number): boolean {
  const { status, granted, step } = at(state.targets, target);
  return status === 'pending' && !granted && stepOf(model, target, step).ahead === true;
}

/** The n-th target of a lane's open batch and the one after it: those may be prepared. */
export function nthAhead(
  model: Model,
  state: DeploymentState,
  lane: number,
  position: number,
): number | undefined {
  const batches = model.plan.stages[state.stage]?.lanes[lane]?.batches ?? [];
  const { batch } = state.lanes[lane] ?? { batch: -1 };
  const open = batches[batch]?.targets ?? [];
  return open[position] ?? batches[batch + 1]?.targets[position - open.length];
}

/** Where the cursors of a lane are once they have passed what is taken. Each passes a target once. */
export function cursorsOf(
  model: Model,
  state: DeploymentState,
  index: number,
): { readonly cursor: number; readonly aheadCursor: number } {
  const lane = state.lanes[index];
  let { cursor, aheadCursor } = lane ?? { cursor: 0, aheadCursor: 0 };
  const isTaken = (target: number | undefined): boolean =>
    target !== undefined && at(state.targets, target).status !== 'pending';
  const isPrepared = (target: number | undefined): boolean =>
    target !== undefined && !isToPrepare(model, state, target);
  const open = model.plan.stages[state.stage]?.lanes[index]?.batches[lane?.batch ?? -1]?.targets ?? [];
  while (isTaken(open[cursor])) cursor += 1;
  while (isPrepared(nthAhead(model, state, index, aheadCursor))) aheadCursor += 1;
  return { cursor, aheadCursor };
}
