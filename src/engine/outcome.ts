import type { EndStatus } from '../domain/event.ts';
import { deploys } from '../domain/plan.ts';
import type { Model } from './model.ts';
import { isAtEnd } from './running.ts';
import type { DeploymentState } from './state.ts';

/**
 * A rollback that left a target behind has failed, also when a person accepted it; so has a command that did not end well everywhere.
 * Anything else may have exceptions.
 */
export function hasFailed(
  { plan }: Model,
  { counts: { succeeded, failed, skipped } }: DeploymentState,
): boolean {
  if (!deploys(plan.verb)) return failed + skipped > 0;
  return failed > 0 && (succeeded === 0 || plan.verb === 'rollback');
}

/** How it is going to end, which nothing changes once the hooks run that come last. */
export function outcomeOf(model: Model, state: DeploymentState): EndStatus | undefined {
  if (!isAtEnd(model, state)) return undefined;
  return state.stop?.status ?? (hasFailed(model, state) ? 'failed' : 'succeeded');
}
