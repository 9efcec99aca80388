import { EdgeError, together } from '../domain/errors.ts';
import type { ReleaseId } from '../domain/ids.ts';
import type { FilesFor, Plan, PlannedRelease } from '../domain/plan.ts';
import { filePlaceOf } from '../domain/planned-files.ts';
import { type FileProblem, filesDigest, makeFiles } from '../domain/property-file.ts';
import type { Settings } from './settings.ts';
import type { Candidate } from './targets.ts';

/**
 * The digests of the files that a target is to have, and of those that it had, which a rollback makes again. Nothing where no
 * release of the plan has files. Throws `variable_undefined`, with all that is wrong, where those that it is to have cannot be
 * made.
 */
export function filesFor(
  { config, zone, before }: Placed,
  settings: Pick<Settings, 'project' | 'environment'>,
  { release, releases }: Pick<Plan, 'release' | 'releases'>,
): FilesFor | undefined {
  const { name, address, port = null } = config;
  const digests: [ReleaseId, string][] = [];
  for (const id of new Set([release, before])) {
    const planned = id === null ? undefined : releases[id];
    if (!planned?.properties) continue;
    const place = filePlaceOf(settings, { name, zone, address, port }, planned);
    const made = makeFiles(planned.properties, place);
    if (made.kind === 'made') digests.push([planned.id, filesDigest(made.files)]);
    else if (id === release) throw cannotBeMade(name, planned, made.problems);
  }
  return digests.length === 0 ? undefined : { address, port, digests: Object.fromEntries(digests) };
}

type Placed = Pick<Candidate, 'zone' | 'before'> & {
  readonly config: Pick<Candidate['config'], 'name' | 'address' | 'port'>;
};

/** All that keeps the files of a release from being made for a target, as one error. */
export function cannotBeMade(
  target: string,
  { version }: Pick<PlannedRelease, 'version'>,
  problems: readonly FileProblem[],
): EdgeError {
  const all = problems.map(({ path, line, message }) => {
    const what = `${path} of ${version} cannot be made for ${target}: line ${line}: ${message}`;
    return new EdgeError('variable_undefined', what, { where: { target, path, line } });
  });
  return together(all) ?? new EdgeError('internal', 'files that cannot be made for no reason');
}
