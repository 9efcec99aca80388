import { type Changes, changesOf } from '../domain/changes.ts';
import { EdgeError, together } from '../domain/errors.ts';
import type { PlanHash } from '../domain/ids.ts';
import type { Plan, Verb } from '../domain/plan.ts';
import type { RecordVersion } from '../domain/records.ts';
import type { Release } from '../domain/release.ts';
import { buildPlan } from '../plan/build-plan.ts';
import { type Explained, explain } from '../plan/explain.ts';
import type { Forecast } from '../plan/forecast.ts';
import { renderPlan } from '../plan/render.ts';
import type { Past, Planned, PlanRequest } from '../plan/request.ts';
import { rollbackRelease } from '../plan/rollback-release.ts';
import { type Documents, resolveSettings } from '../plan/settings.ts';
import type { Views } from '../ports/views.ts';
import { brokenArtifacts } from './artifact-check.ts';
import { authorize, type Caller } from './caller.ts';
import { findRelease, newestFirst, type PlaceRequest, releasesOf, versionOf } from './documents.ts';
import { pastOf, withFleet } from './forecast.ts';
import { rememberRead } from './inventory-reads.ts';
import { leftRunning } from './left-running.ts';
import { type Targets, targetsFor } from './left-targets.ts';
import { refuseSkipped, releaseIn } from './path.ts';
import type { OperationPorts } from './ports.ts';
import { type FleetSeen, fleetSeen, poolsSeen } from './survey.ts';

export type PlanInput = PlaceRequest & {
  readonly verb: Verb;
  readonly hard: boolean;
  readonly version?: string;
  /** The release that this environment runs, in place of a version. */
  readonly from?: string;
  /** Only for what Edge asks of itself for a person: it needs no approval. */
  readonly returns?: boolean;
  readonly force: boolean;
  readonly reload?: boolean;
  readonly targets?: readonly string[];
};

export type PlanOutput = {
  readonly hash: PlanHash;
  readonly plan: Plan;
  /** The plan for people, as data and as text. */
  readonly explained: Explained;
  readonly text: string;
  readonly notes: readonly { readonly code: string; readonly message: string }[];
  readonly forecast: Forecast;
  /** What the plan brings or takes back, by what the releases were built from. */
  readonly changes: Changes | null;
};

/** What a deployment would do now. Looks at records, artifacts and balancers, and touches nothing. */
export async function plan(ports: OperationPorts, caller: Caller, input: PlanInput): Promise<PlanOutput> {
  authorize(caller, 'deployment.plan');
  const planned = await planWithPast(ports, input);
  const explained = explain(planned);
  const { hash, notes, forecast } = planned;
  const changes = changesOf(planned.plan, await releasesOf(ports.records, input.project));
  return { hash, plan: planned.plan, explained, text: renderPlan(explained), notes, forecast, changes };
}

/** A plan for somebody who looks at it: with what earlier deployments tell beside it. Throws what `makePlan` throws. */
export async function planWithPast(
  ports: OperationPorts,
  input: PlanInput,
): Promise<PlannedNow & { readonly past: Past }> {
  const targets = await targetsFor(ports, input);
  const [past, left] = await Promise.all([
    pastOf(ports.views, input),
    leftRunning(ports, input, targets.documents.projectEnvironment.targets),
  ]);
  const planned = await makePlan(ports, input, { targets, past: { ...past, leftRunning: left } });
  return {
    ...planned,
    ...(await withFleet(ports.views, planned.plan, { past, forecast: planned.forecast })),
  };
}

/** A plan with what was looked at for it. */
export type PlannedNow = Planned & {
  readonly seen: Seen;
  /** The records that it was made from. */
  readonly madeFrom: readonly RecordVersion[];
} & Pick<Targets, 'listed'>;
export type Seen = Pick<FleetSeen, 'heldByOthers' | 'parked'> & Pick<PlanRequest, 'pools'>;

/** What whoever asks for a plan has looked up already. */
type Known = { readonly targets?: Targets; readonly past?: Past };

/** How many ended deployments are searched for one to roll back to. */
const HISTORY = 1_000;

/**
 * Throws, beside what `buildPlan` throws: `project_unknown`, `environment_unknown`, `release_unknown`, `request_invalid`,
 * `release_missing_rollback`, `artifact_unreadable`, `artifact_mismatch`, `balancer_refused`, `balancer_member_unknown`, and
 * what reading the inventory throws.
 */
export async function makePlan(
  ports: OperationPorts,
  input: PlanInput,
  { targets: known, past }: Known = {},
): Promise<PlannedNow> {
  const { documents, listed, madeFrom } = known ?? (await targetsFor(ports, input));
  const kept = await ports.records.list('release', `${input.project}/`);
  const releases = newestFirst(kept);
  const release = await releaseFor(ports, input, releases);
  const goesBack = await isGoingBack(ports.views, input, release);
  if (release && !goesBack) await refuseSkippedHere(ports.views, documents, release);
  const [{ targets, heldByOthers, parked }, pools] = await Promise.all([
    fleetSeen(ports, input),
    poolsSeen(ports, documents),
  ]);
  const { verb, hard, force, reload = false } = input;
  const options = { force, targets: input.targets ?? null };
  const request: PlanRequest = {
    ...documents,
    verb,
    hard,
    ...(reload && { reload }),
    release,
    releases,
    fleet: targets,
    pools,
    heldByOthers,
    options,
    ...(goesBack && { unapproved: 'goes-back' }),
    ...(input.returns && { unapproved: 'returns' }),
    ...(past && { past }),
  };
  const planned = buildPlan(request, ports.platform);
  const broken = together(await brokenArtifacts(ports.artifacts, planned.plan));
  if (broken) throw broken;
  if (listed) await rememberRead(ports, listed, planned.hash);
  const ofRelease = kept.filter(({ value }) => value.id === release?.id);
  return {
    ...planned,
    listed,
    seen: { heldByOthers, parked, pools },
    madeFrom: [...madeFrom, ...ofRelease.map((one) => versionOf('release', one))],
  };
}

/**
 * A rollback to a release that has been let in here before: one that `edge rollback` could choose by itself. To any other, or
 * without drain and health check, it is a deployment by another name.
 */
async function isGoingBack(
  views: Views,
  { verb, hard, project, environment }: PlanInput,
  release: Release | null,
): Promise<boolean> {
  if (verb !== 'rollback' || hard || !release || release.bad) return false;
  const rows = await views.deployments({
    ...{ project, environment, release: release.id, ended: true, limit: HISTORY },
  });
  return rows.some(({ status, exceptions }) => status === 'succeeded' && exceptions === 0);
}

async function refuseSkippedHere(views: Views, documents: Documents, release: Release): Promise<void> {
  const { policy, project, environment } = resolveSettings(documents);
  const place = { project, environment, version: release.version, release: release.id };
  await refuseSkipped(views, policy.after ?? [], place);
}

async function releaseFor(
  ports: OperationPorts,
  input: PlanInput,
  releases: readonly Release[],
): Promise<Release | null> {
  const { verb, version, project, environment } = input;
  if (verb === 'restart') return null;
  if (version !== undefined && input.from !== undefined)
    throw new EdgeError(
      'request_invalid',
      'A deployment has a version, or the environment that it comes from',
      {
        where: { path: 'from' },
        hint: 'Leave one of the two out.',
      },
    );
  if (input.from !== undefined) return releaseIn(ports, { project, environment: input.from });
  if (version !== undefined) return findRelease(releases, project, version);
  if (verb === 'rollback') {
    return rollbackRelease(
      await ports.views.deployments({ project, environment, deploys: true, ended: true, limit: HISTORY }),
      releases,
    );
  }
  throw new EdgeError('request_invalid', 'A deployment needs a version', {
    where: { path: 'version' },
    hint: `\`edge releases ${project}\` lists those that exist.`,
  });
}
