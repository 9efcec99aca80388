import { EdgeError } from '../domain/errors.ts';
import type { ReleaseId } from '../domain/ids.ts';
import { type MeasuredFile, makeRelease, type Release, type ReleaseRequest } from '../domain/release.ts';
import type { Artifacts } from '../ports/artifacts.ts';
import { authorize, type Caller } from './caller.ts';
import { releasesOf, unknownProject } from './documents.ts';
import type { OperationPorts } from './ports.ts';

export type ReleaseMade = { readonly release: ReleaseId; readonly hash: string; readonly created: boolean };

/**
 * Makes a release of files that the server can read. The same content again is the same release. Throws `project_unknown`,
 * `artifact_unreadable`, `artifact_mismatch`, `release_exists`.
 */
export async function createRelease(
  ports: OperationPorts,
  caller: Caller,
  input: ReleaseRequest,
): Promise<ReleaseMade> {
  authorize(caller, 'release.create');
  if (!(await ports.records.get('project', input.project)))
    throw await unknownProject(ports.records, input.project);
  const { release, isNew } = await prepareRelease(ports, input);
  const { id, hash } = release;
  return { release: id, hash, created: isNew && (await keep(ports, release)) };
}

/**
 * The release of a request, its files measured; `isNew` unless the same one exists. Keeps nothing. Throws
 * `artifact_unreadable`, `artifact_mismatch`, `release_exists`.
 */
export async function prepareRelease(
  ports: OperationPorts,
  request: ReleaseRequest,
): Promise<{ readonly release: Release; readonly isNew: boolean }> {
  const files: MeasuredFile[] = [];
  for (const artifact of request.artifacts) files.push(await measured(ports.artifacts, artifact));
  const release = makeRelease(request, files, ports.clock.now());
  return { release, isNew: !(await alreadyThere(ports, release)) };
}

async function measured(
  artifacts: Artifacts,
  { name, path, sha256 }: ReleaseRequest['artifacts'][number],
): Promise<MeasuredFile> {
  const file = await artifacts.measure(path);
  if (sha256 === undefined || sha256 === file.sha256) return file;
  throw new EdgeError(
    'artifact_mismatch',
    `The file ${path} of the artifact ${name} does not have the digest that was given`,
  );
}

async function alreadyThere({ records }: OperationPorts, release: Release): Promise<boolean> {
  const same = (await releasesOf(records, release.project)).filter(
    ({ version }) => version === release.version,
  );
  if (same.some(({ hash }) => hash !== release.hash)) throw exists(release);
  return same.length > 0;
}

/** Two at once with the same version and other content: whoever sees the other gives way, so never both stay. */
async function keep(ports: OperationPorts, release: Release): Promise<boolean> {
  const key = `${release.project}/${release.id}`;
  const { kind } = await ports.records.apply([{ kind: 'release', key, value: release, expected: 0 }]);
  if (kind === 'conflict') return false;
  try {
    await alreadyThere(ports, release);
    return true;
  } catch (thrown) {
    await ports.records.apply([{ kind: 'release', key, value: null }]);
    throw thrown;
  }
}

const exists = ({ project, version }: Release) =>
  new EdgeError('release_exists', `${project} has a release ${version} with other content`);

/** Newest first. Throws `project_unknown`. */
export async function releases(
  { records }: OperationPorts,
  caller: Caller,
  { project }: { readonly project: string },
): Promise<{ readonly releases: readonly Release[] }> {
  authorize(caller, 'status.read');
  if (!(await records.get('project', project))) throw await unknownProject(records, project);
  return { releases: await releasesOf(records, project) };
}
