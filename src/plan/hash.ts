import { planHash as branded, type PlanHash } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import { hashOf } from '../lib/hash.ts';

/**
 * SHA-256 over the whole plan: what an approval is bound to. The order of keys does not matter; the order of targets,
 * batches and steps does, since it is the order of the work.
 */
export function planHash(plan: Plan): PlanHash {
  return branded(hashOf(plan));
}
