import type { MeasuredFile } from '../domain/artifact.ts';
import { EdgeError, together } from '../domain/errors.ts';
import type { ReleaseId } from '../domain/ids.ts';
import { MOST_TEMPLATE_BYTES, MOST_TEMPLATES_BYTES, problemsOfFiles } from '../domain/property-file.ts';
import { makeRelease, type Release, type ReleaseRequest, type TakenArtifact } from '../domain/release.ts';
import type { Artifacts, SentFile } from '../ports/artifacts.ts';
import { authorize, type Caller } from './caller.ts';
import { releasesOf, unknownProject } from './documents.ts';
import type { OperationPorts } from './ports.ts';
import type { Watched } from './watch.ts';

export type ReleaseMade = { readonly release: ReleaseId; readonly hash: string; readonly created: boolean };

/**
 * Makes a release of artifacts that the server can read, or bring. The same content again is the same release. Throws `project_unknown`,
 * `artifact_unreadable`, `artifact_unreachable`, `artifact_mismatch`, `artifact_store_full`, `release_exists`.
 */
export async function createRelease(
  ports: OperationPorts,
  caller: Caller,
  { input, signal }: Watched<ReleaseRequest>,
): Promise<ReleaseMade> {
  authorize(caller, 'release.create');
  if (reachesFurther(input)) authorize(caller, 'configuration.write');
  if (!(await ports.records.get('project', input.project)))
    throw await unknownProject(ports.records, input.project);
  const { release, isNew } = await prepareRelease(ports, input, signal);
  const { id, hash } = release;
  return { release: id, hash, created: isNew && (await keep(ports, release)) };
}

/** Takes in a file for a release that is made next. Throws `artifact_mismatch`, `artifact_store_full`. */
export async function uploadArtifact(
  { artifacts }: OperationPorts,
  caller: Caller,
  { input, signal }: Watched<SentFile>,
): Promise<MeasuredFile> {
  authorize(caller, 'release.create');
  return artifacts.receive(input, signal);
}

/**
 * Whoever may release could otherwise have any file of the server read, any secret of a worker put on a host, and any secret sent to an
 * address of theirs.
 */
function reachesFurther({ artifacts, files, variables }: ReleaseRequest): boolean {
  return (
    artifacts.some(({ credentials }) => credentials) ||
    files.some(({ template }) => template !== undefined) ||
    variables.some(({ secret }) => secret)
  );
}

/**
 * The release of a request, its files read; `isNew` unless the same one exists. Keeps nothing. Throws `artifact_unreadable`,
 * `artifact_mismatch`, `config_invalid`, `release_exists`.
 */
export async function prepareRelease(
  ports: Pick<OperationPorts, 'artifacts' | 'records' | 'clock'>,
  request: ReleaseRequest,
  signal: AbortSignal,
): Promise<{ readonly release: Release; readonly isNew: boolean }> {
  const artifacts: TakenArtifact[] = [];
  for (const artifact of request.artifacts) artifacts.push(await ports.artifacts.take(artifact, signal));
  const templates: string[] = [];
  for (const file of request.files) templates.push(await templateOf(ports.artifacts, file));
  const release = makeRelease(request, { artifacts, templates }, ports.clock.now());
  refuseFiles(release);
  return { release, isNew: !(await alreadyThere(ports, release)) };
}

async function templateOf(
  artifacts: Artifacts,
  { content, template }: ReleaseRequest['files'][number],
): Promise<string> {
  return content ?? artifacts.readText(template ?? '', MOST_TEMPLATE_BYTES);
}

/** What can be seen of files before anybody says where they are to go. */
function refuseFiles({ files = [], variables = [] }: Release): void {
  const size = files.reduce((sum, { template }) => sum + Buffer.byteLength(template), 0);
  if (size > MOST_TEMPLATES_BYTES) {
    const what = `The templates of the release have ${size} bytes together; ${MOST_TEMPLATES_BYTES} are possible`;
    throw new EdgeError('config_invalid', what);
  }
  const wrong = problemsOfFiles({ files, variables }).map(
    ({ path, line, message }) =>
      new EdgeError('config_invalid', `The template of ${path}: line ${line}: ${message}`, {
        where: { path, line },
        hint: 'Mend the template, or define the variable.',
      }),
  );
  const all = together(wrong);
  if (all) throw all;
}

async function alreadyThere(
  { records }: Pick<OperationPorts, 'records'>,
  release: Release,
): Promise<boolean> {
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
