import type { MemberRef } from '../domain/balancer.ts';
import type { DeploymentId, PlanHash, ReleaseId } from '../domain/ids.ts';
import type { Plan, PlanVerb, Verb } from '../domain/plan.ts';
import type { Release } from '../domain/release.ts';
import type { Status } from '../domain/status.ts';
import type { PoolCapacity } from './capacity.ts';
import type { Forecast } from './forecast.ts';
import type { PoolSeen } from './pools.ts';
import type { Documents } from './settings.ts';
import type { History } from './step-times.ts';

/** Everything that a plan is made from. Nothing else is looked at, so equal requests give equal plans. */
export type PlanRequest = Documents & {
  readonly verb: Verb;
  readonly hard: boolean;
  /** Targets in service only read their property files again: nothing is drained or stopped. Left out: no. */
  readonly reload?: boolean;
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
  /** Why it needs no approval, whatever the policy says; left out: as the policy says. */
  readonly unapproved?: 'returns' | 'goes-back';
  /** What earlier deployments tell, for what stands beside the plan; left out: nothing is known. */
  readonly past?: Past;
};

export type Past = {
  readonly history: History;
  /** The deployment that ended last here, if one did. */
  readonly last: LastDeployment | null;
  /** Left out: nobody looked. */
  readonly leftRunning?: readonly LeftRunning[];
};

/** The last step that was begun on a target, and may run there still: nobody has seen its end. */
export type LeftRunning = {
  readonly target: string;
  readonly step: string;
  readonly deployment: DeploymentId;
};

export type LastDeployment = {
  readonly id: DeploymentId;
  readonly verb: PlanVerb;
  readonly version: string | null;
  readonly status: Status;
  /** The deployment whose failure caused it. */
  readonly causedBy: DeploymentId | null;
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
/** docs/guides/reading-a-plan.md says what each of them means. */
export const NOTE_CODES = [
  'unverified',
  'no_approval_needed',
  'no_health_check',
  'protection_left_out',
  'no_balancer',
  'nothing_in_service',
  'pool_unseen',
  'pool_emptied',
  'pool_of_one',
  'capacity_short',
  'pool_reserve',
  'left_alone',
  'others_new',
  'others_stopped',
  'others_running_unknown',
  'parked_returned',
  'parked_stays',
  'parked_left',
  'inventory_read',
  'inventory_unread',
  'release_forgotten',
  'release_bad',
  'no_rollback_release',
  'rollback_to_bad',
  'version_unverified',
  'no_canary',
  'canary_unjudged',
  'large_batch',
  'budget_unspendable',
  'no_spare',
  'zone_emptied',
  'drain_cuts',
  'may_still_run',
  'last_failed',
  'last_rolled_back',
] as const;
export type NoteCode = (typeof NOTE_CODES)[number];

export type Planned = {
  readonly plan: Plan;
  readonly hash: PlanHash;
  readonly notes: readonly Note[];
  readonly capacity: readonly PoolCapacity[];
  readonly forecast: Forecast;
};
