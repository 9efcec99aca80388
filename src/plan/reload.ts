import { EdgeError } from '../domain/errors.ts';
import type { Release } from '../domain/release.ts';
import type { PlanRequest } from './request.ts';
import type { Settings } from './settings.ts';
import type { Candidate, Treatment } from './targets.ts';

/**
 * Throws `reload_impossible` if what is asked for is more than a service can read again while it runs: other artifacts, or ones
 * that Edge does not know to be there.
 */
export function refuseReload(
  treated: readonly (readonly [Candidate, Treatment])[],
  { reload, hard, verb, release, releases }: PlanRequest,
  { project, environment, commands }: Settings,
): void {
  if (!reload) return;
  if (hard || verb !== 'deploy' || release === null)
    throw impossible('Only a deployment that is not hard can be a reload');
  if (!commands.reload)
    throw impossible(`The project ${project} has no command to reload in ${environment}`, {
      hint: 'Name one as `commands.reload` of the project, or deploy without --reload.',
    });
  for (const [{ config, before, unproven }, treatment] of treated) {
    if (treatment.kind !== 'work' || !treatment.sequence.startsWith('reload')) continue;
    const found = releases.find(({ id }) => id === before);
    const where = { target: config.name };
    if (!found || unproven)
      throw impossible(`Nobody knows for sure which release runs on ${config.name}`, { where });
    if (artifactsOf(found) !== artifactsOf(release))
      throw impossible(`${config.name} has other artifacts (${found.version}) than ${release.version}`, {
        where,
      });
  }
}

const artifactsOf = ({ artifacts }: Release): string =>
  JSON.stringify(artifacts.map(({ name, sha256, unpack }) => [name, sha256, unpack]).sort());

type Details = { readonly hint?: string; readonly where?: { readonly target: string } };

const impossible = (why: string, details: Details = {}): EdgeError =>
  new EdgeError('reload_impossible', why, details);
