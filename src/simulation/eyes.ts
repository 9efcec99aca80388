import type { MemoryStore } from '../adapters/memory/store.ts';
import type { MemberRef, MemberState } from '../domain/balancer.ts';
import type { NewDeployment } from '../domain/command.ts';
import type { DeploymentId, TaskId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import type { Fact } from './facts.ts';
import type { FaultPart } from './faults.ts';
import type { Measuring } from './measuring.ts';
import type { Scenario } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import type { World } from './world.ts';

/**
 * What must always hold (FAULTS.md section 5.3), as far as its subject exists; I18 to I21 are ours: Edge meets
 * no fault of its own, what it writes follows from plan and policy, what it drained stays out of service, and a canary is judged
 * by what was measured before anything behind it changes.
 * I3 speaks of groups, which Edge does not have yet.
 */
export const INVARIANTS = [
  ...[
    'I1',
    'I2',
    'I4',
    'I5',
    'I6',
    'I7',
    'I8',
    'I9',
    'I10',
    'I11',
    'I12',
    'I13',
    'I14',
    'I15',
    'I16',
    'I17',
    'I18',
    'I19',
    'I20',
    'I21',
  ],
] as const;

/** A deployment as the observer follows it: from what was committed, never from the memory of a driver. */
export type Watched = {
  readonly id: DeploymentId;
  readonly made: NewDeployment;
  readonly plan: Plan;
  readonly startedAtMs: number;
  /** `null` while it is active. */
  end: { readonly status: string; readonly atMs: number } | null;
  /** Open task rows, by target name. */
  readonly tasks: Map<string, Set<TaskId>>;
  /** When each target that succeeded did. */
  readonly succeeded: Map<string, number>;
  /** Targets of which a person has set a result, with the actions that it was set for. */
  readonly byHand: Map<string, readonly string[]>;
};

export type Violation = { readonly invariant: string; readonly atMs: number; readonly message: string };

/** How Edge found a member. */
export type Found = MemberState['admin'] | 'unsure';

/** What an invariant sees with, and says with. */
export type Eyes = {
  readonly scenario: Scenario;
  readonly schedule: Schedule;
  readonly world: World;
  readonly store: MemoryStore;
  /** What there was to judge canaries by. */
  readonly measuring?: Measuring;
  readonly deployments: ReadonlyMap<DeploymentId, Watched>;
  /** The deployment that is active for the project of the target. */
  readonly activeOf: (target: string) => Watched | undefined;
  /** The same with the commands that people run beside it. */
  readonly allActiveOf: (target: string) => readonly Watched[];
  /** When the world itself last changed something of the target: its service, its host, its members. */
  readonly disturbedAtMs: (target: string) => number;
  /** When a fault last struck one of these parts: since then they are well. */
  readonly struckAtMs: (parts: ReadonlySet<FaultPart>) => number;
  /** How a member was when Edge took it for the first time since it served; what it is to be returned to. */
  readonly foundAs: (member: MemberRef) => Found;
  /** Whether a keeper may write to the member: it is kept out of service, its keeper has not let go of it yet, or the return waits for what one wrote. */
  readonly isKept: (member: MemberRef) => boolean;
  /** How often people asked to try the target again. */
  readonly retriesOf: (deployment: DeploymentId, target: string) => number;
  /** A check that was not empty. */
  readonly checked: (invariant: string) => void;
  readonly violate: (invariant: string, message: string) => void;
};

export type Invariant = {
  readonly see?: (fact: Fact) => void;
  /** When all is over. */
  readonly end?: () => void;
};
export type MakeInvariant = (eyes: Eyes) => Invariant;
