import type { Plan, PlannedFiles, PlannedRelease, PlanTarget } from './plan.ts';
import type { FilePlace } from './property-file.ts';

/** Where the files of a release are made for, on one target. */
export function filePlaceOf(
  { project, environment }: Pick<FilePlace, 'project' | 'environment'>,
  { name, zone, address, port }: Pick<FilePlace, 'zone' | 'address' | 'port'> & { readonly name: string },
  { id, version }: Pick<PlannedRelease, 'id' | 'version'>,
): FilePlace {
  return { project, environment, zone, target: name, address, port, version, release: id };
}

/** What the files of the release that a target gets are made of; nothing where it has none. */
export function plannedFiles(
  plan: Pick<Plan, 'project' | 'environment' | 'releases'>,
  { name, zone, release: id, filesFor }: PlanTarget,
): PlannedFiles | undefined {
  const release = id === null ? undefined : plan.releases[id];
  if (!release?.properties) return undefined;
  const { address = '', port = null, digests } = filesFor ?? {};
  const digest = digests?.[release.id] ?? null;
  return { ...release.properties, place: filePlaceOf(plan, { name, zone, address, port }, release), digest };
}
