import { z } from 'zod';
import { driftSchema } from '../domain/drift.ts';
import { nameField } from '../domain/fields.ts';
import { FINDING_STATES } from '../projections/findings.ts';
import {
  countField,
  deploymentIdField,
  environmentField,
  projectField,
  reasonField,
  targetNameField,
  untilEndField,
} from './fields.ts';
import { type Route, route } from './route.ts';
import { deploymentRowSchema } from './shapes.ts';

/** The routes of looks at targets: what is there against what Edge put there. */

const findingSchema = z
  .object({
    state: z
      .enum(FINDING_STATES)
      .describe(
        'drifted: something differs. unknown: something could not be looked at. deploying: a deployment worked on it meanwhile. waiting: its turn has not come. same: as Edge put it there.',
      ),
    differs: z.array(driftSchema).describe('What differs. Never what is in a file.'),
    moreDiffers: countField.describe('Of each of the targets: so many more than are here.'),
    unknown: z.array(z.string()).describe('What could not be looked at, and why.'),
    added: z.array(z.string()).describe('Files that nobody has put there; empty unless they were asked for.'),
    addedFiles: countField.describe('How many of them there are on all of these targets.'),
    unproven: z
      .boolean()
      .describe('A deployment has worked on them without success since their release was put there.'),
    targets: z.array(targetNameField),
  })
  .meta({ id: 'Finding' });

const addedField = z
  .boolean()
  .default(false)
  .describe('Tell files that nobody has put there too, and count them as drift.');

export const DRIFT_ROUTES = {
  drift: route({
    method: 'POST',
    path: '/v1/drifts',
    permission: 'deployment.plan',
    summary: 'Looks at what is on targets against what Edge put there; changes nothing, takes no lock.',
    longPoll: true,
    body: z.strictObject({
      project: projectField,
      environment: environmentField,
      targets: z.array(targetNameField).min(1).max(20_000).exactOptional().describe('Only these.'),
      zones: z.array(nameField).min(1).max(100).exactOptional().describe('Only targets of these zones.'),
      parallel: z.int().min(1).max(10_000).default(50).describe('At how many it looks at once.'),
      reason: reasonField,
    }),
    response: z.object({
      deployment: deploymentIdField,
      targets: z.array(targetNameField),
      leftOut: z
        .array(targetNameField)
        .describe('Targets with nothing to compare: Edge put nothing there, or not by its own install.'),
    }),
  }),
  findings: route({
    method: 'GET',
    path: '/v1/drifts/:deployment/findings',
    permission: 'deployment.read',
    summary: 'What a look at targets has found, by equal findings.',
    longPoll: true,
    params: z.strictObject({ deployment: deploymentIdField }),
    query: z.strictObject({
      waitMs: untilEndField,
      added: addedField,
    }),
    response: z.object({
      deployment: deploymentRowSchema,
      findings: z.array(findingSchema).nullable().describe('Null while it is under way, and was waited for.'),
    }),
  }),
  lastFindings: route({
    method: 'GET',
    path: '/v1/projects/:project/environments/:environment/drift',
    permission: 'deployment.read',
    summary:
      'What the last look at all targets of a project environment has found, or else the last at some.',
    params: z.strictObject({ project: projectField, environment: environmentField }),
    query: z.strictObject({ added: addedField }),
    response: z.object({
      deployment: deploymentRowSchema.nullable().describe('Null: nobody has looked yet.'),
      findings: z.array(findingSchema),
      notAsked: z
        .array(targetNameField)
        .describe('Targets that it was not asked to look at, where nobody has looked at all of them lately.'),
      leftOut: z.array(targetNameField).describe('Targets that it had nothing to compare with.'),
    }),
  }),
} as const satisfies Readonly<Record<string, Route>>;
