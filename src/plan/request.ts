import type { MemberRef } from '../domain/balancer.ts';
import type { PlanHash, ReleaseId } from '../domain/ids.ts';
import type { Plan, Verb } from '../domain/plan.ts';
import type { Release } from '../domain/release.ts';
import type { PoolCapacity } from './capacity.ts';
import type { PoolSeen } from './pools.ts';
import type { Documents } from './settings.ts';

/** Everything that a plan is made from. Nothing else is looked at, so equal requests give equal plans. */
export type PlanRequest = Documents & {
  readonly verb: Verb;
  readonly hard: boolean;
  /** What to deploy, or to roll back to; `null` for a restart. */
  readonly release: Release | null;
  /** The project's releases, as far as they are still known: what targets had before is looked up here. */
  readonly releases: readonly Release[];
  /** What is known of targets; one that is not listed was never deployed to. */
  readonly fleet: readonly TargetSeen[];
  /** The pools as the balancers show them now. A pool that is not listed could not be asked. */
  readonly pools: readonly PoolSeen[];
  /** Members that other deployments hold at this moment and are going to return. */
  readonly heldByOthers: readonly MemberRef[];
  readonly options: PlanOptions;
};

export type PlanOptions = {
  /** Also those targets that are on the release already, running and in service. */
  readonly force: boolean;
  /** Only these targets; `null` for all. */
  readonly targets: readonly string[] | null;
};

export type TargetSeen = {
  readonly target: string;
  /** The release that was last verified there. */
  readonly before: ReleaseId | null;
  /** A deployment has worked on it since, without success: `before` may not be what runs there. Left out: no. */
  readonly unproven?: boolean;
  /** Edge took it out of service and could not return it. */
  readonly parked: boolean;
  /** Whether the service was seen running; `null` if nobody looked. */
  readonly running: boolean | null;
};

/** What people should know before they say yes; beside the plan and not in its hash. */
export type Note = { readonly code: NoteCode; readonly message: string };
export type NoteCode =
  | 'unverified'
  | 'no_health_check'
  | 'no_balancer'
  | 'nothing_in_service'
  | 'pool_unseen'
  | 'pool_emptied'
  | 'capacity_short'
  | 'left_alone'
  | 'others_new'
  | 'others_stopped'
  | 'others_running_unknown'
  | 'parked_returned'
  | 'parked_stays'
  | 'release_forgotten';

export type Planned = {
  readonly plan: Plan;
  readonly hash: PlanHash;
  readonly notes: readonly Note[];
  readonly capacity: readonly PoolCapacity[];
  /** A guess from the plan's own waits and usual times of the steps. */
  readonly expectedMs: number;
};
