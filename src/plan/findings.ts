import type { Plan } from '../domain/plan.ts';
import type { PoolCapacity } from './capacity.ts';
import type { Part } from './pools.ts';
import type { PlanRequest } from './request.ts';
import type { Settings } from './settings.ts';
import type { Candidate, Survey, Treatment } from './targets.ts';

/** All that notes are made from. */
export type Findings = {
  readonly request: PlanRequest;
  readonly settings: Settings;
  readonly seen: Survey;
  readonly treated: readonly (readonly [Candidate, Treatment])[];
  readonly plan: Plan;
  /** Somebody judges its canary. */
  readonly isJudged: boolean;
  readonly short: readonly Part[];
  readonly capacity: readonly PoolCapacity[];
};
