import type { Json, JsonObject } from '../lib/json.ts';
import type { Approvals } from './approval.ts';
import type { PlannedArtifact } from './artifact.ts';
import type { MemberRef } from './balancer.ts';
import type { Floor } from './capacity.ts';
import type { DeploymentId, ReleaseId } from './ids.ts';
import type { TargetConfig } from './project-environment.ts';
import type { FilePlace, PropertyFile } from './property-file.ts';
import type { Variable } from './variable.ts';

export const PLAN_SCHEMA = 1;
export const VERBS = ['deploy', 'restart', 'rollback'] as const;
export type Verb = (typeof VERBS)[number];
/** What a plan may be of: a deployment, or what puts nothing there: a command on targets (`edge exec`), a look at them (`edge drift`). */
export const PLAN_VERBS = [...VERBS, 'exec', 'drift'] as const;
export type PlanVerb = (typeof PLAN_VERBS)[number];

/** Whether it changes what is deployed: then it takes the lock of its project and environment, and its failures leave targets unproven. */
export const deploys = (verb: PlanVerb): verb is Verb => VERBS.some((one) => one === verb);

/**
 * Everything a deployment will do, as data, frozen before it starts. Its hash covers all of it (`planHash` in plan/hash.ts).
 * Targets, steps and batches refer to each other by index, so that a plan of 10,000 targets stays small.
 */
export type Plan = {
  readonly planSchema: typeof PLAN_SCHEMA;
  readonly verb: PlanVerb;
  readonly hard: boolean;
  /** What is there whole is put there anew where it is not as it was (`--force`); left out: no. */
  readonly force?: true;
  readonly project: string;
  readonly environment: string;
  readonly platform: string;
  /** What is put there: of a rollback the release most targets return to; `null` for what puts none there. */
  readonly release: ReleaseId | null;
  /** Every release that a target gets, or had before. */
  readonly releases: Readonly<Record<ReleaseId, PlannedRelease>>;
  readonly targets: readonly PlanTarget[];
  /** A named, ordered list of steps; each batch runs one of them on each of its targets. */
  readonly sequences: Readonly<Record<string, readonly Step[]>>;
  /** What the scripts of its steps say, once each, by SHA-256. Left out where there are none. */
  readonly scripts?: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
  readonly floors: readonly PoolFloor[];
  readonly policy: Policy;
  /** It starts once so many people have approved it; left out: by itself. */
  readonly approvals?: Approvals;
  /** Only of a look, and left out of those of before it was noted. */
  readonly look?: LookScope;
  readonly causedBy?: { readonly deployment: DeploymentId; readonly why: string };
};

export type LookScope = {
  /** Targets of the project environment that it was not asked to look at. */
  readonly notAsked: readonly string[];
  /** Targets that there was nothing to compare with. */
  readonly leftOut: readonly string[];
};

/** As much of a release as the actions need. */
export type PlannedRelease = {
  readonly id: ReleaseId;
  readonly version: string;
  /** What its health page shows as its version; left out: `version`. */
  readonly reports?: string;
  readonly hash: string;
  readonly artifacts: readonly PlannedArtifact[];
  readonly properties?: ReleaseProperties;
};
/** Property files, and the variables that may hold in the plan's environment. Left out where a release has no files. */
export type ReleaseProperties = {
  readonly files: readonly PropertyFile[];
  readonly variables: readonly Variable[];
};
/**
 * What the files of one target are made of, and the digest of what has to come out (`filesDigest`); `null`: they cannot be made there any
 * more, as where a zone of then is gone, so that only a release that is there whole can be returned to.
 */
export type PlannedFiles = ReleaseProperties & { readonly place: FilePlace; readonly digest: string | null };

export type PlanTarget = {
  readonly name: string;
  readonly zone: string;
  /** The worker pool whose workers can reach it. */
  readonly pool: string;
  readonly members: readonly MemberRef[];
  /** In service, or parked by Edge, when the plan was made. Only such a target counts in budgets and is returned. */
  readonly inServiceBefore: boolean;
  /** The release it gets, or, of a look, the one that it is compared with; `null` for a restart, and for a command. */
  readonly release: ReleaseId | null;
  /** What it ran before, as far as Edge knows; a rollback returns to it. */
  readonly before: ReleaseId | null;
  /** Values that differ per target, for `{ target: key }` inputs: address, port, URL of the health check, … */
  readonly facts: JsonObject;
  /** Where its files are made for, if a release of the plan has any. */
  readonly filesFor?: FilesFor;
  /** What an inventory said of it: by this it is returned if it is parked, and has left the inventory since. */
  readonly config?: TargetConfig;
  /** It is no target, but what the strategy runs around them, on the host of one (docs/decisions/0028): no count has it. */
  readonly hook?: true;
};

/** The target whose host is worked on: a hook runs on that of another. What judges a canary works on none, and so on itself. */
export function hostTargetOf({ name, hook, facts }: Pick<PlanTarget, 'name' | 'hook' | 'facts'>): string {
  return hook && facts.host ? (facts.host as { readonly name: string }).name : name;
}

/** How many targets a plan works on, without what it runs around them. */
export const targetCount = ({ targets }: Pick<Plan, 'targets'>): number =>
  targets.reduce((sum, { hook }) => sum + (hook ? 0 : 1), 0);

/** `digests`: of its files as they have to be, by release; one that cannot be made there any more has none. */
export type FilesFor = {
  readonly address: string;
  readonly port: number | null;
  readonly digests: Readonly<Record<ReleaseId, string>>;
};

/**
 * One kind of work at one place of a sequence. `action` is `name@major`. `hold: 'take'` marks the step whose result asks
 * for capacity (its outputs carry `observed` and `asFound`), `hold: 'keep'` the one after which what was taken is kept out of
 * service (its outputs say how, `members`, and its input `balancers` how they are reached), `hold: 'give'` the one after which
 * the target serves again. `ahead` marks the first steps, those that prepare a target and leave alone what serves on it: they
 * are done before its turn comes, while those before it are worked on.
 */
export type Step = {
  readonly id: string;
  readonly action: string;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly timeoutMs: number;
  readonly hold?: 'take' | 'keep' | 'give';
  readonly ahead?: true;
  /** Retries by the engine itself, of outcomes that the action calls retryable. */
  readonly retries: Retries;
  readonly onUnknown: 'ask' | 'retry';
  /** How long its command may take to end by itself once it is asked to, before it is killed. */
  readonly graceMs?: number;
};

/** The n-th pause is `backoffMs * factor ** n`, from 0; left out, the factor is 2. No pause is longer than `MOST_BACKOFF_MS`. */
export type Retries = { readonly max: number; readonly backoffMs: number; readonly factor?: number };

export const MOST_BACKOFF_MS = 600_000;

/** The pause before the next try, after so many. */
export function pauseMs({ backoffMs, factor = 2 }: Retries, done: number): number {
  return Math.min(Math.round(backoffMs * factor ** done), MOST_BACKOFF_MS);
}

/** The steps of a target, in order; none if it is in no batch. Looks through all batches: not for what is done for every event. */
export function stepsOfTarget({ stages, sequences }: Plan, target: number): readonly Step[] {
  const batches = stages.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.batches));
  return sequences[batches.find(({ targets }) => targets.includes(target))?.sequence ?? ''] ?? [];
}

/** Of the next batch a quarter as many are prepared at once: those whose turn it is need the network, and the worker, more. */
export const NEXT_SHARE = 4;

/** Whether a target may be other than it was once the step has begun. */
export const touches = ({ hold, ahead }: Pick<Step, 'hold' | 'ahead'>): boolean => hold !== 'take' && !ahead;

/** Its success is what says that a target is well; without it nobody has seen that. */
export const verifies = ({ action }: Pick<Step, 'action'>): boolean => action.startsWith('health.verify@');

/**
 * Contract C5: a literal, an output of an earlier step of the same target, a fact of the target, its members (`MemberRef[]`),
 * the release it gets (`PlannedRelease | null`, without its properties; `shown`: with the version that its health page shows),
 * the content of a script by its SHA-256, an object of such inputs (`fields`),
 * how the deployment ends (`outcome`; left out before its end), when its stage was opened, or its batch (`opened`; ms since the epoch), whether it was forced (`force`; left out if not),
 * what its property files are made of (`PlannedFiles`; left out where it has none), the secrets in them (`SecretRef[]`; of what it ran
 * before too), or the settings its members were found with (`HeldMember[]`).
 */
export type Input =
  | { readonly value: Json }
  | { readonly from: string; readonly output: string }
  | { readonly target: string }
  | { readonly members: true }
  | { readonly release: true | 'shown' }
  | { readonly script: string }
  | { readonly fields: Readonly<Record<string, Input>> }
  | { readonly outcome: true }
  | { readonly opened: true | 'batch' }
  | { readonly force: true }
  | { readonly files: true }
  | { readonly secrets: true }
  | { readonly asFound: true };

/** The steps whose outputs an input reads. */
export function readsOf(input: Input): readonly string[] {
  if ('fields' in input) return Object.values(input.fields).flatMap(readsOf);
  return 'from' in input ? [input.from] : [];
}

/**
 * `when`: it is of hooks that come last, whatever became of the stages before: `failed`, if the deployment stops before its plan is
 * done; `always`, in any case. Where a rollback follows it does them, since the end is its.
 */
export type Stage = {
  readonly name: string;
  readonly lanes: readonly Lane[];
  readonly when?: 'failed' | 'always';
};
/** One zone of a stage; lanes of a stage run side by side, batches of a lane in order. */
export type Lane = { readonly zone: string; readonly batches: readonly Batch[] };
export type Batch = {
  readonly name: string;
  readonly sequence: string;
  readonly targets: readonly number[];
  /** How many of its targets may be worked on at once. */
  readonly parallel: number;
  /** `false` for "others" and for a rollback's targets: failures spend no budget and cause no reaction. */
  readonly countsFailures: boolean;
};

/** Of a whole pool, or of those members of it that the targets of one zone are. */
export type PoolFloor = {
  readonly balancer: string;
  readonly pool: string;
  readonly floor: Floor;
  /** `members`: all that the configuration names; of those in reserve the guard tells. */
  readonly zone?: { readonly name: string; readonly members: readonly string[] };
};

/** `count` failures, or `percent` of the targets (rounded up), whichever is reached first, stop the deployment. */
export type Budget = { readonly count?: number; readonly percent?: number };
export type Reaction = 'rollback' | 'pause' | 'abort';

export type Policy = {
  readonly maxFailures: { readonly batch: Budget; readonly zone: Budget; readonly deployment: Budget };
  /** What to do when a budget is spent, by the cause of the failure that spent it. */
  readonly onFailure: {
    readonly health: Reaction;
    readonly other: Reaction;
    /** Of a canary that is judged; what its team lets pass is no failure. */
    readonly canary?: Reaction;
    readonly unsure?: Reaction;
    readonly noData?: Reaction;
  };
  readonly onUnknown: 'pause';
  /** How long to wait before asking for capacity again, and in all before the deployment holds. */
  readonly capacity: { readonly retryMs: number; readonly holdAfterMs: number };
  /** A paused deployment aborts after this. */
  readonly holdLimitMs: number;
  /** How many targets may be worked on at once, over all lanes. */
  readonly parallel: number;
};
