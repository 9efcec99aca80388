import { EdgeError } from '../domain/errors.ts';
import type { ReleaseId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import type { Release } from '../domain/release.ts';
import { type Documents, resolveSettings } from '../plan/settings.ts';
import type { DeploymentRow, Views } from '../ports/views.ts';
import { findRelease, type PlaceRequest, releasesOf } from './documents.ts';
import { documentsNow } from './inventory.ts';
import type { OperationPorts } from './ports.ts';

/** The way of one release through environments, by what is on record of it. */

type Place = PlaceRequest & { readonly version: string; readonly release: ReleaseId };

/**
 * Refuses a release that has not come through the environments that are before this one. Throws `release_unproven`, with each
 * that is missing.
 */
export async function refuseSkipped(
  views: Views,
  after: readonly string[],
  { project, environment, version, release }: Place,
): Promise<void> {
  const missing: string[] = [];
  for (const before of after) {
    const [last] = await views.deployments({ project, environment: before, release, limit: 1 });
    const why = whyUnproven(last);
    if (why !== undefined) missing.push(`${before} (${why})`);
  }
  if (missing.length === 0) return;
  throw new EdgeError(
    'release_unproven',
    `${project} ${version} comes to ${environment} only after it fully succeeded in ${missing.join(', ')}`,
    { hint: `Deploy it there first: \`edge deploy ${project} ${firstOf(missing)} ${version}\`.` },
  );
}

const firstOf = ([first = '']: readonly string[]): string => first.split(' ', 1)[0] ?? '';

/** Looks again at what a plan was let through for. Throws `release_unproven`. */
export async function refuseUnproven(
  { views }: OperationPorts,
  plan: Plan,
  documents: Documents,
): Promise<void> {
  const { project, environment, release, verb } = plan;
  if (release === null || verb === 'restart') return;
  const { after = [] } = resolveSettings(documents).policy;
  const version = plan.releases[release]?.version ?? release;
  await refuseSkipped(views, after, { project, environment, version, release });
}

/**
 * The release that an environment runs: that of the newest deployment there, which must have fully succeeded and have all
 * targets on it. Throws `environment_unknown`, `release_unproven`, `release_unknown`.
 */
export async function releaseIn(ports: OperationPorts, place: PlaceRequest): Promise<Release> {
  const { project, environment } = place;
  const documents = await documentsNow(ports, place);
  const rows = await ports.views.deployments({ project, environment, deploys: true, limit: MOST });
  const last = rows.find(({ release }) => release !== null);
  const unproven = (why: string) =>
    new EdgeError('release_unproven', `${environment} does not run one release of ${project}: ${why}`, {
      hint: `\`edge status ${project} ${environment}\` shows what runs there; name a version, or mend that first.`,
    });
  const why = whyUnproven(last);
  if (!last?.release || why !== undefined) throw unproven(why ?? '');
  const { targets } = await ports.views.fleet({ project, environment });
  const placed = new Map(targets.map((target) => [target.target, target]));
  const other = documents.projectEnvironment.targets.find(({ name }) => {
    const on = placed.get(name);
    return on?.release !== last.release || on.unproven;
  });
  if (other) throw unproven(`${other.name} is not known to run ${last.version ?? last.release}`);
  return findRelease(await releasesOf(ports.records, project), project, last.release);
}

/** So many are searched for one that put a release there; restarts put none. */
const MOST = 1_000;

/** `undefined`: it fully succeeded, and was verified. */
function whyUnproven(last: DeploymentRow | undefined): string | undefined {
  if (!last) return 'no deployment';
  if (!last.ended) return `${last.id} is under way`;
  if (last.status !== 'succeeded') return `${last.id} ${last.status}`;
  if (last.exceptions > 0) return `${last.id} has ${last.exceptions} exceptions`;
  return last.hard ? `${last.id} was hard, so that nothing was verified` : undefined;
}
