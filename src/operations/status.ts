import type { AsFound } from '../domain/balancer.ts';
import type { Hold } from '../domain/capacity.ts';
import type { DeploymentId, ReleaseId } from '../domain/ids.ts';
import { originOf } from '../domain/inventory.ts';
import { isList, type ProjectEnvironment } from '../domain/project-environment.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import type { Records } from '../ports/records.ts';
import type { DeploymentRow, Fleet, Views } from '../ports/views.ts';
import { authorize, type Caller } from './caller.ts';
import { mustBePlace } from './documents.ts';
import { lastRead } from './inventory-reads.ts';
import type { OperationPorts } from './ports.ts';
import { isParked } from './survey.ts';

export type StatusInput = { readonly project?: string; readonly environment?: string };

export type ParkedTarget = {
  readonly target: string;
  readonly deployment: DeploymentId;
  readonly by: string | null;
  readonly reason: string;
  readonly members: readonly {
    readonly balancer: string;
    readonly pool: string;
    readonly member: string;
    readonly asFound: AsFound;
  }[];
};

export type ProjectEnvironmentStatus = {
  readonly project: string;
  readonly environment: string;
  readonly targets: number;
  /** Where the targets are read from, and when that was done last; left out where they stand in the configuration. */
  readonly inventory?: { readonly origin: string; readonly readAt: number | null };
  /** What runs on how many targets, most first; a `null` release: Edge never put anything there. */
  readonly releases: readonly {
    readonly release: ReleaseId | null;
    readonly version: string | null;
    readonly targets: number;
    /** Of these: a deployment has worked on them since, without success, so that another one may run there. */
    readonly unproven: number;
  }[];
  readonly active: DeploymentRow | null;
  readonly last: DeploymentRow | null;
  readonly parked: readonly ParkedTarget[];
};

const SIDE_BY_SIDE = 8;

/**
 * Every project environment that the filter lets through: what runs, what is under way and what is parked. Throws
 * `project_unknown`, `environment_unknown`.
 */
export async function status(
  ports: OperationPorts,
  caller: Caller,
  input: StatusInput,
): Promise<{ readonly projectEnvironments: readonly ProjectEnvironmentStatus[] }> {
  authorize(caller, 'status.read');
  const kept = await ports.records.list('project-environment', input.project && `${input.project}/`);
  const asked = kept
    .map(({ value }) => value)
    .filter(({ environment }) => input.environment === undefined || environment === input.environment);
  if (asked.length === 0) await mustBePlace(ports.records, input);
  const found: ProjectEnvironmentStatus[] = [];
  await forEachLimited(asked, SIDE_BY_SIDE, async (document, index) => {
    found[index] = await statusOf(ports, document);
  });
  return { projectEnvironments: found };
}

async function statusOf(
  { views, records }: OperationPorts,
  document: ProjectEnvironment,
): Promise<ProjectEnvironmentStatus> {
  const place = { project: document.project, environment: document.environment };
  const [{ names, inventory }, fleet, [active = null], [last = null]] = await Promise.all([
    namesOf(records, document),
    views.fleet(place),
    views.deployments({ ...place, deploys: true, ended: false, limit: 1 }),
    views.deployments({ ...place, deploys: true, ended: true, limit: 1 }),
  ]);
  return {
    ...place,
    targets: names.length,
    ...(inventory && { inventory }),
    releases: releasesRunning(names, fleet),
    active,
    last,
    parked: await parkedOf(views, fleet.holds.filter(isParked)),
  };
}

type Names = {
  readonly names: readonly string[];
  readonly inventory?: ProjectEnvironmentStatus['inventory'];
};

/** An inventory is not read here: what is shown is what it gave last, and when. */
async function namesOf(records: Records, { targets, ...place }: ProjectEnvironment): Promise<Names> {
  if (isList(targets)) return { names: targets.map(({ name }) => name) };
  const origin = originOf(targets);
  const read = await lastRead(records, place, origin);
  const names = read?.targets.map(([name]) => name) ?? [];
  return { names, inventory: { origin, readAt: read?.at ?? null } };
}

function releasesRunning(names: readonly string[], fleet: Fleet): ProjectEnvironmentStatus['releases'] {
  const placed = new Map(fleet.targets.map((each) => [each.target, each]));
  const byRelease = Map.groupBy(names, (name) => placed.get(name)?.release ?? null);
  return [...byRelease]
    .map(([release, on]) => ({
      release,
      version: release && versionOf(release),
      targets: on.length,
      unproven: on.filter((name) => placed.get(name)?.unproven).length,
    }))
    .sort((a, b) => b.targets - a.targets);
}

/** A release id is `<version>-<hash8>`. */
const versionOf = (release: ReleaseId) => release.slice(0, release.lastIndexOf('-'));

async function parkedOf(views: Views, holds: readonly Hold[]): Promise<readonly ParkedTarget[]> {
  const owners = new Map<DeploymentId, DeploymentRow | undefined>();
  for (const id of new Set(holds.map(({ deployment }) => deployment))) {
    owners.set(id, (await views.deployments({ id, limit: 1 }))[0]);
  }
  return [...Map.groupBy(holds, ({ target }) => target)].flatMap(([target, ofTarget]) =>
    ofTarget.slice(0, 1).map(({ deployment, reason }) => ({
      target,
      deployment,
      by: owners.get(deployment)?.by ?? null,
      reason,
      members: ofTarget.map(({ balancer, pool, member, asFound }) => ({ balancer, pool, member, asFound })),
    })),
  );
}
