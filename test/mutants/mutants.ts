import { ACTION_MUTANTS } from './actions.ts';
import { APPROVAL_MUTANTS } from './approvals.ts';
import { CANARY_MUTANTS } from './canaries.ts';
import { DRIVER_MUTANTS } from './driver.ts';
import { ENGINE_MUTANTS } from './engine.ts';
import { KEEPING_MUTANTS } from './keeping.ts';
import type { Mutant } from './mutant.ts';
import { PLAN_MUTANTS } from './plan.ts';
import { STORE_MUTANTS } from './store.ts';
import { WORKER_MUTANTS } from './worker.ts';

/** All planted bugs. Production code carries none of it: `plant.ts` patches a source as it is loaded. */
export const MUTANTS: readonly Mutant[] = [
  ...ENGINE_MUTANTS,
  ...APPROVAL_MUTANTS,
  ...DRIVER_MUTANTS,
  ...WORKER_MUTANTS,
  ...ACTION_MUTANTS,
  ...CANARY_MUTANTS,
  ...KEEPING_MUTANTS,
  ...STORE_MUTANTS,
  ...PLAN_MUTANTS,
];
