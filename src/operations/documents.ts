import { EdgeError } from '../domain/errors.ts';
import type { Release } from '../domain/release.ts';
import type { Documents } from '../plan/settings.ts';
import type { Records } from '../ports/records.ts';

export type PlaceRequest = { readonly project: string; readonly environment: string };

/** The documents that hold for a project in an environment. Throws `project_unknown`, `environment_unknown`. */
export async function documentsOf(records: Records, place: PlaceRequest): Promise<Documents> {
  const { project, environment } = place;
  const [ofProject, ofEnvironment, ofBoth, strategies] = await Promise.all([
    records.get('project', project),
    records.get('environment', environment),
    records.get('project-environment', `${project}/${environment}`),
    records.list('strategy'),
  ]);
  if (!ofProject) throw new EdgeError('project_unknown', `There is no project "${project}"`);
  if (!ofEnvironment || !ofBoth) throw unknownEnvironment(place, ofEnvironment !== null);
  return {
    project: ofProject.value,
    environment: ofEnvironment.value,
    projectEnvironment: ofBoth.value,
    strategies: strategies.map(({ value }) => value),
  };
}

function unknownEnvironment({ project, environment }: PlaceRequest, exists: boolean): EdgeError {
  const what = exists
    ? `The project "${project}" is not set up in the environment "${environment}"`
    : `There is no environment "${environment}"`;
  return new EdgeError('environment_unknown', what);
}

/** All releases of a project, newest first. */
export async function releasesOf(records: Records, project: string): Promise<readonly Release[]> {
  const kept = await records.list('release', `${project}/`);
  return kept.map(({ value }) => value).sort((a, b) => b.createdAt - a.createdAt);
}

/** By version, or by the whole id. Throws `release_unknown`. */
export function findRelease(releases: readonly Release[], project: string, version: string): Release {
  const found = releases.find((release) => release.version === version || release.id === version);
  if (found) return found;
  throw new EdgeError('release_unknown', `The project "${project}" has no release "${version}"`);
}
