import { EdgeError } from '../domain/errors.ts';
import { placeOfKey } from '../domain/host-key.ts';
import type { ProjectEnvironment, TargetConfig } from '../domain/project-environment.ts';
import type { RecordKind, RecordVersion } from '../domain/records.ts';
import type { Release } from '../domain/release.ts';
import { hopsOf } from '../domain/ssh.ts';
import type { InlineStrategy } from '../domain/strategy.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { Documents } from '../plan/settings.ts';
import type { Kept, Records } from '../ports/records.ts';

export type PlaceRequest = { readonly project: string; readonly environment: string };

/** The documents as they are kept: the targets may still have to be read (`withTargets`). */
export type KeptDocuments = Omit<Documents, 'projectEnvironment' | 'inventory'> & {
  readonly projectEnvironment: ProjectEnvironment;
};

/** The documents that hold for a project in an environment. Throws `project_unknown`, `environment_unknown`. */
export async function documentsOf(records: Records, place: PlaceRequest): Promise<KeptDocuments> {
  return (await readDocuments(records, place)).documents;
}

export type DocumentsRead = {
  readonly documents: KeptDocuments;
  /** Those of their records that decide what is done: of strategies, scripts and keys of hosts only what these targets use. */
  readonly madeFrom: (targets: readonly TargetConfig[]) => readonly RecordVersion[];
};

/** The same with the versions of their records. */
export async function readDocuments(records: Records, place: PlaceRequest): Promise<DocumentsRead> {
  const { project, environment } = place;
  const [ofProject, ofEnvironment, ofBoth, strategies, scripts, keys] = await Promise.all([
    records.get('project', project),
    records.get('environment', environment),
    records.get('project-environment', `${project}/${environment}`),
    records.list('strategy'),
    records.list('script'),
    records.list('host-key', `${environment}/`),
  ]);
  if (!ofProject) throw await unknownProject(records, project);
  if (!ofEnvironment || !ofBoth) throw await unknownEnvironment(records, place, ofEnvironment !== null);
  const { strategy } = ofBoth.value;
  const { jump } = ofEnvironment.value.ssh;
  const hops = jump === undefined ? [] : hopsOf(jump);
  const used = strategies.find(({ key }) => key === strategy);
  const instead = { ...ofEnvironment.value.scripts, ...ofBoth.value.scripts };
  const scriptNames = new Set(
    scriptsNamed(typeof strategy === 'string' ? used?.value : strategy).map((name) => instead[name] ?? name),
  );
  return {
    documents: {
      project: ofProject.value,
      environment: ofEnvironment.value,
      projectEnvironment: ofBoth.value,
      strategies: strategies.map(({ value }) => value),
      scripts: scripts.map(({ value }) => value),
      hostKeys: new Map(
        keys.map(({ value: { address, port, key } }) => [placeOfKey(address, port), key.fingerprint]),
      ),
    },
    madeFrom: (targets) => {
      const hosts = new Set([...targets, ...hops].map((host) => host.address));
      return [
        versionOf('project', ofProject),
        versionOf('environment', ofEnvironment),
        versionOf('project-environment', ofBoth),
        ...(used ? [versionOf('strategy', used)] : []),
        ...scripts.filter(({ key }) => scriptNames.has(key)).map((kept) => versionOf('script', kept)),
        ...keys.filter(({ value }) => hosts.has(value.address)).map((kept) => versionOf('host-key', kept)),
      ];
    },
  };
}

const scriptsNamed = (strategy: InlineStrategy | undefined): readonly string[] =>
  [...(strategy?.steps?.datacenter ?? []), ...(strategy?.hooks ?? [])].flatMap((step) =>
    typeof step === 'string' || step.script === undefined ? [] : [step.script],
  );

export function versionOf<K extends RecordKind>(kind: K, { key, version }: Kept<K>): RecordVersion {
  return { kind, key, version };
}

/** With the name that was meant, if one is near. */
export async function unknownProject(records: Records, project: string): Promise<EdgeError> {
  const names = (await records.list('project')).map(({ key }) => key);
  return new EdgeError('project_unknown', `There is no project "${project}"`, meant(project, names));
}

async function unknownEnvironment(
  records: Records,
  { project, environment }: PlaceRequest,
  exists: boolean,
): Promise<EdgeError> {
  const places = await records.list('project-environment', `${project}/`);
  const names = places.map(({ value }) => value.environment);
  const what = exists
    ? `The project "${project}" is not set up in the environment "${environment}"`
    : `There is no environment "${environment}"`;
  return new EdgeError('environment_unknown', what, meant(environment, names));
}

/** That a place somebody asked about exists, as far as it is named: an empty answer about a mistyped one would mislead. */
export async function mustBePlace(records: Records, place: Partial<PlaceRequest>): Promise<void> {
  const { project, environment } = place;
  if (project === undefined) return;
  if (environment !== undefined) await documentsOf(records, { project, environment });
  else if (!(await records.get('project', project))) throw await unknownProject(records, project);
}

/** All releases of a project, newest first. */
export async function releasesOf(records: Records, project: string): Promise<readonly Release[]> {
  return newestFirst(await records.list('release', `${project}/`));
}

export function newestFirst(kept: readonly Kept<'release'>[]): readonly Release[] {
  return kept.map(({ value }) => value).sort((a, b) => b.createdAt - a.createdAt);
}

/** By version, or by the whole id. Throws `release_unknown`. */
export function findRelease(releases: readonly Release[], project: string, version: string): Release {
  const found = releases.find((release) => release.version === version || release.id === version);
  if (found) return found;
  const versions = releases.map((release) => release.version);
  const what = `The project "${project}" has no release "${version}"`;
  throw new EdgeError('release_unknown', what, meant(version, versions));
}

/** The catalogue says what to do where there is none at all. */
function meant(name: string, known: readonly string[]): { readonly hint?: string } {
  return known.length === 0 ? {} : { hint: didYouMean(name, known) };
}
