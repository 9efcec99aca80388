import { z } from 'zod';
import { nameField } from '../domain/fields.ts';
import { PLAN_VERBS, type Plan, VERBS } from '../domain/plan.ts';
import {
  afterField,
  deploymentIdField,
  environmentField,
  limitField,
  opaque,
  planHashField,
  plannedNameField,
  projectField,
  reasonField,
  releaseVersionField,
  targetNameField,
  taskIdField,
} from './fields.ts';
import {
  changesSchema,
  differenceSchema,
  explainedSchema,
  forecastSchema,
  noteSchema,
  simulatedItemSchema,
} from './plan-shapes.ts';
import { type Route, route } from './route.ts';
import {
  deploymentRowSchema,
  deploymentViewSchema,
  outputRowSchema,
  storedEventSchema,
  waitSchema,
  watchItemSchema,
} from './shapes.ts';

/** The routes of plans and deployments. */

const place = z.strictObject({ project: projectField, environment: environmentField });
const placeFilter = z.strictObject({
  project: projectField.exactOptional(),
  environment: environmentField.exactOptional(),
});
const oneDeployment = z.strictObject({ deployment: deploymentIdField });
const oneTarget = z.strictObject({ deployment: deploymentIdField, target: plannedNameField });
const because = z.strictObject({ reason: reasonField });
/** The deployment to look at next: itself, or the one that was started. */
const started = z.object({ deployment: deploymentIdField });
/** The log answers by that name. */
const said = started.extend({ by: z.string().describe('Name of the token that said it.') });

const planRequest = place.extend({
  verb: z.enum(VERBS).default('deploy'),
  hard: z.boolean().default(false).describe('Without drain, health check and balancer.'),
  version: releaseVersionField
    .exactOptional()
    .describe(
      'What to deploy: needed for `deploy`, if `from` is left out. For `rollback`: the last fully succeeded release.',
    ),
  from: environmentField
    .exactOptional()
    .describe('In place of a version: the release that this environment runs, on all targets.'),
  reload: z
    .boolean()
    .default(false)
    .describe('Targets in service only read their property files again: refused if artifacts differ.'),
  force: z
    .boolean()
    .default(false)
    .describe(
      'Also targets that are on the release already, running. Where services are stopped, what is there is unpacked anew if a file is not as it was.',
    ),
  targets: z.array(targetNameField).min(1).max(20_000).exactOptional().describe('Only these.'),
});

const outputFilter = z.strictObject({
  target: plannedNameField.exactOptional(),
  task: taskIdField.exactOptional(),
  after: afterField.describe('Only rows after the one with this id.'),
});

export const DEPLOYMENT_ROUTES = {
  plan: route({
    method: 'POST',
    path: '/v1/plans',
    permission: 'deployment.plan',
    summary: 'The plan that a deployment would follow now; touches nothing.',
    longPoll: true,
    body: planRequest,
    response: z.object({
      hash: planHashField,
      plan: opaque<Plan>('Plan', 'Stages, lanes, batches, steps and targets; the hash covers all of it.'),
      explained: explainedSchema,
      text: z.string().describe('The same as text.'),
      notes: z.array(noteSchema),
      forecast: forecastSchema,
      changes: changesSchema.nullable(),
    }),
  }),
  diff: route({
    method: 'POST',
    path: '/v1/diffs',
    permission: 'deployment.plan',
    summary: 'What deploying a release would change on the disks of targets; asks no host, touches nothing.',
    longPoll: true,
    body: place.extend({
      version: releaseVersionField.describe('What would be deployed.'),
      targets: z.array(targetNameField).min(1).max(20_000).exactOptional().describe('Only these.'),
    }),
    response: z.object({
      differences: z.array(differenceSchema),
      same: z.array(z.string()).describe('Targets on whose disks nothing would change.'),
    }),
  }),
  simulatePlan: route({
    method: 'POST',
    path: '/v1/plans/simulations',
    permission: 'deployment.plan',
    summary: 'Runs that plan many times in a simulated world; touches nothing. Ends with a report.',
    longPoll: true,
    body: planRequest.extend({
      runs: z
        .int()
        .min(1)
        .max(10_000)
        .default(1_000)
        .describe('Of a deployment one in five is made with a bad release.'),
      seed: z.int().min(0).max(4_294_967_295).default(1).describe('The same seed gives the same runs.'),
    }),
    stream: { resumes: false },
    response: simulatedItemSchema,
  }),
  deploy: route({
    method: 'POST',
    path: '/v1/deployments',
    permission: 'deployment.start',
    summary:
      'Plans and starts a deployment, restart or rollback; where approvals are needed it waits for them.',
    longPoll: true,
    body: planRequest.extend({
      reason: reasonField,
      planHash: planHashField
        .exactOptional()
        .describe('The plan that was read; refused if it would be another one by now.'),
    }),
    response: started.extend({ planHash: planHashField }),
  }),
  deployments: route({
    method: 'GET',
    path: '/v1/deployments',
    permission: 'deployment.read',
    summary: 'Deployments, newest first.',
    query: placeFilter.extend({
      ended: z.boolean().exactOptional(),
      verb: z.enum(PLAN_VERBS).exactOptional().describe('Only those of this verb.'),
      besides: z.enum(PLAN_VERBS).exactOptional().describe('All but those of this verb.'),
      limit: limitField,
    }),
    response: z.object({ deployments: z.array(deploymentRowSchema) }),
  }),
  deployment: route({
    method: 'GET',
    path: '/v1/deployments/:deployment',
    permission: 'deployment.read',
    summary: 'One deployment: every target, and what it waits for.',
    params: oneDeployment,
    response: z.object({
      deployment: deploymentRowSchema,
      view: deploymentViewSchema,
      waits: z.array(waitSchema),
    }),
  }),
  deploymentChanges: route({
    method: 'GET',
    path: '/v1/deployments/:deployment/changes',
    permission: 'deployment.read',
    summary: 'What a deployment brings and takes back, by what its releases were built from.',
    params: oneDeployment,
    response: z.object({ changes: changesSchema.nullable() }),
  }),
  deploymentPlan: route({
    method: 'GET',
    path: '/v1/deployments/:deployment/plan',
    permission: 'deployment.read',
    summary: 'The plan that a deployment follows.',
    params: oneDeployment,
    response: z.object({
      hash: planHashField,
      plan: opaque<Plan>('Plan', 'The whole plan.'),
      explained: explainedSchema.describe('Without the notes and the capacity of when it was made.'),
      text: z.string().describe('The same as text.'),
    }),
  }),
  deploymentForecast: route({
    method: 'GET',
    path: '/v1/deployments/:deployment/forecast',
    permission: 'deployment.read',
    summary: 'How long its plan takes from its start, as far as earlier deployments tell.',
    params: oneDeployment,
    response: z.object({ forecast: forecastSchema }),
  }),
  deploymentEvents: route({
    method: 'GET',
    path: '/v1/deployments/:deployment/events',
    permission: 'deployment.read',
    summary: 'The record of a deployment.',
    params: oneDeployment,
    query: z.strictObject({ after: afterField, limit: limitField }),
    response: z.object({ events: z.array(storedEventSchema) }),
  }),
  watchDeployment: route({
    method: 'GET',
    path: '/v1/deployments/:deployment/stream',
    permission: 'deployment.read',
    summary: 'Each event after `after` and what looks different after it; ends after `deployment.ended`.',
    params: oneDeployment,
    query: z.strictObject({ after: afterField }),
    stream: { resumes: true },
    response: watchItemSchema,
  }),
  logs: route({
    method: 'GET',
    path: '/v1/deployments/:deployment/logs',
    permission: 'logs.read',
    summary: 'Output of the commands on the targets.',
    params: oneDeployment,
    query: outputFilter.extend({ limit: limitField }),
    response: z.object({ rows: z.array(outputRowSchema) }),
  }),
  followLogs: route({
    method: 'GET',
    path: '/v1/deployments/:deployment/logs/stream',
    permission: 'logs.read',
    summary: 'Output as it comes; ends when the deployment has ended and all was sent.',
    params: oneDeployment,
    query: outputFilter,
    stream: { resumes: true },
    response: outputRowSchema,
  }),

  pause: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/pause',
    permission: 'deployment.pause',
    summary: 'Starts no further target; those that have started go on to their end.',
    params: oneDeployment,
    body: because,
    response: started,
  }),
  resume: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/resume',
    permission: 'deployment.pause',
    summary: 'Goes on, and accepts the failures so far.',
    params: oneDeployment,
    body: because,
    response: started,
  }),
  abort: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/abort',
    permission: 'deployment.abort',
    summary: 'Starts nothing new, ends running commands with proof, and parks their targets.',
    params: oneDeployment,
    body: because,
    response: started,
  }),
  approve: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/approve',
    permission: 'deployment.approve',
    summary: 'Says that a deployment may start, by somebody who has read its plan and not asked for it.',
    params: oneDeployment,
    body: because.extend({ planHash: planHashField.describe('The plan that was read.') }),
    response: said,
  }),
  promote: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/promote',
    permission: 'deployment.promote',
    summary: 'Lets a deployment start without the approvals that it waits for; for an emergency.',
    params: oneDeployment,
    body: because,
    response: said,
  }),
  rollback: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/rollback',
    permission: 'deployment.decide',
    summary: 'Stops it and returns what it touched; of an ended one: back to the release before it.',
    longPoll: true,
    params: oneDeployment,
    body: because,
    response: started,
  }),
  retryTarget: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/targets/:target/retry',
    permission: 'deployment.decide',
    summary: 'Works on a failed target again, from its first step.',
    params: oneTarget,
    body: because,
    response: started,
  }),
  skipTarget: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/targets/:target/skip',
    permission: 'deployment.decide',
    summary:
      'Leaves a target out, once its step has ended if it is being worked on; it is parked if it was taken out of service.',
    params: oneTarget,
    body: because,
    response: started,
  }),
  resolveTarget: route({
    method: 'POST',
    path: '/v1/deployments/:deployment/targets/:target/resolve',
    permission: 'target.resolve',
    summary: 'Sets by hand how the step ended at which a target failed or is unknown.',
    params: oneTarget,
    body: because.extend({
      as: z.enum(['succeeded', 'failed']).describe('`succeeded`: the target goes on with the next step.'),
      step: nameField
        .exactOptional()
        .describe('The step that is meant; refused if the target ended at another.'),
      ended: z
        .boolean()
        .default(false)
        .describe('Somebody has seen that nothing of the step runs any more; needed where it is unknown.'),
    }),
    response: started,
  }),
  returnParked: route({
    method: 'POST',
    path: '/v1/parked/return',
    permission: 'target.return',
    summary: 'Restarts parked targets and returns them as they were found.',
    longPoll: true,
    body: place.extend({
      targets: z.array(targetNameField).min(1).max(20_000).exactOptional().describe('Only these; else all.'),
      reason: reasonField,
    }),
    response: started,
  }),
} as const satisfies Readonly<Record<string, Route>>;
