import type { FailureCause } from '../../domain/outcome.ts';
import type { Policy } from '../../domain/plan.ts';
import type { Recount } from '../recount.ts';

/** What I19 says of how a deployment reacts to a failure (see policy.ts). */

type Reacts = 'rollback' | 'pause' | 'abort' | 'nothing';

/** A reaction that is not the one of its policy for what has failed, or does not say why a judge has stopped it. */
export function wrongReaction(
  { plan, lastFailure }: Recount,
  how: Reacts,
  { reason }: { readonly reason: string },
): string | undefined {
  const cause = lastFailure?.cause;
  const wanted = reactionOf(plan.policy.onFailure, cause);
  if (how !== wanted) return `its policy has ${wanted} for ${cause ?? 'any other failure'}, not ${how}`;
  const isJudged = cause === 'canary' || cause === 'unsure' || cause === 'no-data';
  return isJudged && !reason.includes(lastFailure?.message ?? '')
    ? `its reason is not that of its judge: ${reason}`
    : undefined;
}

/** Left out of a policy are those of verdicts only where nobody judges, or where they pass. */
function reactionOf(
  onFailure: Policy['onFailure'],
  cause: FailureCause | undefined,
): Reacts | 'nothing of it' {
  switch (cause) {
    case 'health':
      return onFailure.health;
    case 'canary':
      return onFailure.canary ?? 'nothing of it';
    case 'unsure':
      return onFailure.unsure ?? 'nothing of it';
    case 'no-data':
      return onFailure.noData ?? 'nothing of it';
    default:
      return onFailure.other;
  }
}
