import { z } from 'zod';
import { nameField, versionField } from '../domain/fields.ts';
import type { CommandId, DeploymentId, PlanHash, ReleaseId, TaskId, WorkerId } from '../domain/ids.ts';

/** Fields that several shapes of the API share. Ids are opaque to clients: only their length and alphabet are checked. */

// The brand is put on where the text has been checked: this is a parsing function.
const branded = <T extends string>(schema: z.ZodString) => schema as unknown as z.ZodType<T, string>;

const idText = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:+@-]*$/, 'an id')
  .max(200);
export const deploymentIdField = branded<DeploymentId>(idText.describe('Id of a deployment.'));
export const commandIdField = branded<CommandId>(idText.describe('Id of a command.'));
export const releaseIdField = branded<ReleaseId>(idText.describe('Id of a release: `<version>-<hash8>`.'));
export const workerIdField = branded<WorkerId>(
  z.string().min(1).max(300).describe('Identity of a worker process: host, name and incarnation.'),
);
export const taskIdField = branded<TaskId>(
  z
    .string()
    .regex(/^[^/\s]+\/\d+\/\d+\/\d+$/, 'a task id: <deployment>/<target>/<step>/<group>')
    .max(300)
    .describe('Id of a task: `<deployment>/<target>/<step>/<group>`.'),
);
export const planHashField = branded<PlanHash>(
  z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')
    .describe('SHA-256 of a plan; what an approval is bound to.'),
);

export const projectField = nameField.describe('Name of the project.');
export const environmentField = nameField.describe('Name of the environment.');
export const releaseVersionField = versionField.describe('Version of the release.');
export const targetNameField = nameField.describe('Name of a target.');
/** In a plan a hook has a place of its own beside the targets. */
export const plannedNameField = z
  .string()
  .regex(
    /^(?:(?:hook|judge):)?[A-Za-z0-9][A-Za-z0-9._-]{0,62}(?::[0-9]{1,5})?$/,
    'a target, a hook such as hook:migrate, or judge:canary',
  )
  .describe(
    'Name of a target, or of a hook of the plan: `hook:` and its id, and its number where it runs several times; or `judge:canary`.',
  );
export const atField = z.number().describe('Milliseconds since the epoch, UTC.');
export const countField = z.int().min(0);
export const reasonField = z
  .string()
  .trim()
  .min(1, 'say why, in a few words')
  .max(1_000)
  .describe('Why, in a few words; kept in the record.');
export const limitField = z.int().min(1).max(5_000).exactOptional().describe('At most so many.');
export const afterField = z.int().min(0).exactOptional().describe('Only what comes after this one.');

/** A value whose shape is a domain type that the reader knows by name; only that it is an object is checked. */
export function opaque<T>(name: string, description: string): z.ZodType<T, T> {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null;
  return z.custom<T>(isObject, `a ${name}`).meta({ type: 'object', title: name, description });
}

export const sha256Field = z
  .string()
  .regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')
  .describe('Digest of a file.');
export const untilEndField = z
  .int()
  .min(0)
  .max(30_000)
  .default(0)
  .describe('How long to wait for its end; 0: how it stands now.');
