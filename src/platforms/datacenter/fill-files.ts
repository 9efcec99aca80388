import { EdgeError } from '../../domain/errors.ts';
import type { PlannedFiles } from '../../domain/plan.ts';
import { faultOfValue, filesDigest, type MadeFile, makeFiles } from '../../domain/property-file.ts';
import type { Secrets } from '../../ports/secrets.ts';

/**
 * The bytes of each property file of a target, with its secrets. Rejects with `secret_unavailable`, and with `plan_changed` where
 * this worker makes other files than the plan holds: then nothing was put anywhere.
 */
export async function fillFiles(secrets: Secrets, planned: PlannedFiles): Promise<readonly Buffer[]> {
  return Promise.all(asPlanned(planned).map((file) => filled(secrets, file)));
}

/** The files as the plan has them, secrets still by reference. Throws `plan_changed`. */
export function asPlanned(planned: PlannedFiles): readonly MadeFile[] {
  const made = makeFiles(planned, planned.place);
  if (made.kind === 'problems' || filesDigest(made.files) !== planned.digest)
    throw new EdgeError(
      'plan_changed',
      'The property files that this worker makes are not those of the plan',
      {
        hint: 'Worker and server are of different versions of Edge: plan it again once they are of one.',
      },
    );
  return made.files;
}

/** One of them with its secrets. Rejects with `secret_unavailable`. */
export async function filled(secrets: Secrets, { path, parts }: MadeFile): Promise<Buffer> {
  const texts = parts.map(async (part) => {
    if (typeof part === 'string') return part;
    const value = await secrets.resolve(part.secret);
    const fault = faultOfValue(value, part.alone);
    if (fault === undefined) return value;
    const { source, name } = part.secret;
    throw new EdgeError('secret_unavailable', `The secret ${source} ${name} in ${path} ${fault}`, {
      hint: 'Mend the secret, or put its variable on a line of its own in the template.',
    });
  });
  return Buffer.from((await Promise.all(texts)).join(''));
}
