import { hostTargetOf, type Plan, type PlannedFiles, type PlannedRelease, type PlanTarget } from './plan.ts';
import { type FilePlace, secretsIn } from './property-file.ts';
import type { SecretRef } from './secret.ts';

/** Where the files of a release are made for, on one target. */
export function filePlaceOf(
  { project, environment }: Pick<FilePlace, 'project' | 'environment'>,
  { name, zone, address, port }: Pick<FilePlace, 'zone' | 'address' | 'port'> & { readonly name: string },
  { id, version }: Pick<PlannedRelease, 'id' | 'version'>,
): FilePlace {
  return { project, environment, zone, target: name, address, port, version, release: id };
}

/**
 * The secrets that may be in property files on a target: of the release that it gets, and of the one that it ran before. On the host of
 * a hook any of the plan's may lie.
 */
export function fileSecrets(
  { environment, releases }: Pick<Plan, 'environment' | 'releases'>,
  { zone, release, before, ...rest }: Omit<PlanTarget, 'filesFor' | 'config'>,
): readonly SecretRef[] {
  const own = [release, before].flatMap((id) => (id === null ? [] : (releases[id] ?? [])));
  const secrets = (rest.hook ? Object.values(releases) : own).flatMap(({ properties }) => {
    return properties ? secretsIn(properties, { environment, zone, target: hostTargetOf(rest) }) : [];
  });
  return [...new Map(secrets.map((ref) => [`${ref.source}/${ref.name}`, ref])).values()];
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
