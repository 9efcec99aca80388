import type { FailureCause } from '../domain/outcome.ts';
import type { Budget, Lane, Reaction } from '../domain/plan.ts';
import { batchOf, type Model, placeOf, present } from './model.ts';
import { isOpen } from './running.ts';
import type { DeploymentState } from './state.ts';

/**
 * Which budget is spent after the failure of `target` was counted, if any. A budget of 1 means that the first failure stops;
 * percentages are of the targets that count, rounded up (DESIGN.md section 5, "Failure budget").
 */
export function spentBudget(model: Model, state: DeploymentState, target: number): string | undefined {
  const place = placeOf(model, target);
  const lane = present(state.lanes[place.lane], 'lane');
  const { batch, zone, deployment } = model.plan.policy.maxFailures;
  const batchSize = batchOf(model, place).targets.length;
  const inBatch = isOpen(model, state, target) ? lane.batchFailures : lane.aheadFailures;
  if (isSpent(batch, inBatch, () => batchSize)) return `the batch's budget of failures is spent (${inBatch})`;
  if (isSpent(zone, lane.zoneFailures, () => laneSize(model, place)))
    return `the zone's budget of failures is spent (${lane.zoneFailures})`;
  if (isSpent(deployment, state.failures, () => planSize(model)))
    return `the deployment's budget of failures is spent (${state.failures})`;
  return undefined;
}

/** A budget is at least 1, so that without a failure none is spent. */
function isSpent({ count = Infinity, percent }: Budget, failures: number, size: () => number): boolean {
  const share = percent === undefined ? Infinity : Math.max(1, Math.ceil((size() * percent) / 100));
  return failures >= Math.min(count, share);
}

function planSize(model: Model): number {
  const lanes = model.plan.stages.flatMap((stage) => stage.lanes);
  return lanes.reduce((sum, lane) => sum + countedIn(lane), 0);
}

function laneSize(model: Model, place: { stage: number; lane: number }): number {
  return countedIn(present(model.plan.stages[place.stage]?.lanes[place.lane], 'lane'));
}

function countedIn({ batches }: Lane): number {
  return batches
    .filter((batch) => batch.countsFailures)
    .reduce((sum, batch) => sum + batch.targets.length, 0);
}

export function reactionTo(model: Model, cause: FailureCause | undefined): Reaction {
  const {
    health,
    other,
    canary = 'rollback',
    unsure = 'pause',
    noData = 'pause',
  } = model.plan.policy.onFailure;
  switch (cause) {
    case 'health':
      return health;
    case 'canary':
      return canary;
    case 'unsure':
      return unsure;
    case 'no-data':
      return noData;
    default:
      return other;
  }
}
