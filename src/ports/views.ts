import type { Hold } from '../domain/capacity.ts';
import type { StoredEvent } from '../domain/event.ts';
import type { DeploymentId, PlanHash, ReleaseId, TaskId } from '../domain/ids.ts';
import type { Plan, PlanVerb } from '../domain/plan.ts';
import type { StepRecord } from '../domain/step-record.ts';
import type { Summary } from './journal.ts';

/** What people look at; read-only, on a connection of its own (contract C3). Rejects with `store_unavailable` (EdgeError). */
export interface Views {
  deployments(filter: DeploymentFilter): Promise<readonly DeploymentRow[]>;
  plan(deployment: DeploymentId): Promise<Plan | null>;
  /** Events with a version above `after`, in order. */
  events(deployment: DeploymentId, after: number, limit: number): Promise<readonly StoredEvent[]>;
  /** Open tasks of a deployment, with who works on them. */
  tasks(deployment: DeploymentId): Promise<readonly TaskRow[]>;
  output(query: OutputQuery): Promise<readonly OutputRow[]>;
  /** What is known of the fleet: holds, and which release each target last got. */
  fleet(query: { readonly project?: string; readonly environment?: string }): Promise<Fleet>;
  /** How the steps of the newest deployments went, newest first; one that has no event but its first is left out. */
  steps(query: StepQuery): Promise<readonly StepRecord[]>;
}

/** Of what deploys. Both bounds together say what it may cost: so many deployments, and of each no more than so many of its first events. */
export type StepQuery = {
  readonly project?: string;
  readonly environment?: string;
  readonly deployments: number;
  readonly events: number;
};

export type DeploymentFilter = {
  readonly id?: DeploymentId;
  readonly project?: string;
  readonly environment?: string;
  /** Only those that put this release there. */
  readonly release?: ReleaseId;
  /** Only those that have, or have not, ended. */
  readonly ended?: boolean;
  /** Only those that deploy, or only those that do not, such as `exec`. */
  readonly deploys?: boolean;
  /** Only those of this verb; all but those of this one. */
  readonly verb?: PlanVerb;
  readonly besides?: PlanVerb;
  /** Only those that this name has asked for. */
  readonly by?: string;
  /** Only those that were created at this time or before. */
  readonly until?: number;
  /** Newest first. */
  readonly limit: number;
};

export type DeploymentRow = Summary & {
  readonly id: DeploymentId;
  readonly project: string;
  readonly environment: string;
  readonly verb: PlanVerb;
  readonly hard: boolean;
  readonly release: ReleaseId | null;
  readonly version: string | null;
  readonly planHash: PlanHash;
  readonly by: string;
  readonly causedBy: DeploymentId | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly streamVersion: number;
};

export type TaskRow = {
  readonly task: TaskId;
  readonly target: string;
  readonly step: string;
  readonly action: string;
  readonly pool: string;
  readonly status: 'ready' | 'claimed' | 'waiting';
  readonly worker: string | null;
  readonly attempt: number;
  readonly wakeAt: number;
  readonly deadlineAt: number;
  readonly progress: string | null;
};

export type OutputQuery = {
  readonly deployment: DeploymentId;
  readonly task?: TaskId;
  readonly target?: string;
  /** Rows after this id. */
  readonly after: number;
  readonly limit: number;
};
export type OutputRow = {
  readonly id: number;
  readonly task: TaskId;
  readonly target: string;
  readonly step: string;
  readonly at: number;
  readonly text: string;
};

export type Fleet = {
  readonly holds: readonly Hold[];
  readonly targets: readonly PlacedRelease[];
};
export type PlacedRelease = {
  readonly project: string;
  readonly environment: string;
  readonly target: string;
  /** The last one that was verified there. */
  readonly release: ReleaseId;
  /** A deployment has worked on the target since, without success. */
  readonly unproven: boolean;
  readonly at: number;
  readonly deployment: DeploymentId;
};
