import { z } from 'zod';
import type { AsFound } from '../domain/balancer.ts';
import { CATALOGUE, type ErrorBody, type ErrorCode } from '../domain/errors.ts';
import type { Event } from '../domain/event.ts';
import { ROLES } from '../domain/permission.ts';
import { PLAN_VERBS } from '../domain/plan.ts';
import { STATUSES } from '../domain/status.ts';
import {
  atField,
  countField,
  deploymentIdField,
  environmentField,
  opaque,
  planHashField,
  plannedNameField,
  projectField,
  releaseIdField,
  releaseVersionField,
  taskIdField,
} from './fields.ts';

/** What the API answers with, noun by noun. Routes that use them are in contract.ts. */

const codes = Object.keys(CATALOGUE) as [ErrorCode, ...ErrorCode[]];
const whereSchema = z.object({
  file: z.string().exactOptional(),
  line: z.int().exactOptional(),
  column: z.int().exactOptional(),
  path: z.string().exactOptional().describe('Place in the request or document, such as `targets.0.port`.'),
  target: z.string().exactOptional(),
  member: z.string().exactOptional().describe('As `balancer/pool/member`.'),
});

export const errorBodySchema: z.ZodType<ErrorBody> = z
  .object({
    code: z.enum(codes),
    message: z.string().describe('What is wrong, here and now.'),
    hint: z.string().describe('What to do.'),
    where: whereSchema.exactOptional(),
    get also() {
      return z.array(errorBodySchema).exactOptional();
    },
  })
  .meta({ id: 'Error' });

/** Every answer that is not 2xx has this body, and so has the message `error` of a stream. */
export const errorReplySchema = z.object({ error: errorBodySchema });

export const statusField = z.enum(STATUSES);
const counts = z.object({
  total: countField,
  succeeded: countField,
  failed: countField,
  skipped: countField,
  active: countField,
});

export const deploymentRowSchema = z
  .object({
    id: deploymentIdField,
    project: projectField,
    environment: environmentField,
    verb: z.enum(PLAN_VERBS),
    hard: z.boolean(),
    release: releaseIdField.nullable(),
    version: releaseVersionField.nullable(),
    status: statusField,
    reason: z.string().describe('Why it is paused, stopping or ended; empty when there is nothing to say.'),
    counts,
    exceptions: countField.describe(
      'Targets that are not on the release, or not verified there, although the deployment succeeded.',
    ),
    ended: z.boolean(),
    planHash: planHashField,
    by: z.string().describe('Name of the token that asked for it, or `engine`.'),
    causedBy: deploymentIdField.nullable(),
    createdAt: atField,
    startedAt: atField.nullable(),
    endedAt: atField.nullable(),
    streamVersion: countField.describe('Version of its last event.'),
  })
  .meta({ id: 'Deployment' });

const place = { stage: countField, lane: countField, batch: countField };

/** How one target stands: what `watch` shows as a line. */
export const targetViewSchema = z
  .object({
    index: countField.describe('Its index in the plan.'),
    name: plannedNameField,
    zone: z.string(),
    ...place,
    status: statusField,
    step: z.string().nullable().describe('Id of the step that it is at, or that it ended at.'),
    attempt: countField.describe('Of the step; 0 before the first.'),
    group: countField.describe('How often people had it tried again.'),
    since: atField.nullable().describe('When it got this status or step.'),
    reason: z.string().nullable().describe('Why it waits, failed or was skipped.'),
    parked: z.boolean().describe('Its members stay out of service until they are returned.'),
    ahead: z.boolean().describe('It is being prepared, before its turn.'),
    progress: z.string().nullable().describe('What its step says of itself while it waits.'),
    worker: z.string().nullable(),
    hook: z.boolean().describe('It is what runs around targets: no count of the deployment has it.'),
    mayRun: z.boolean().describe('Nobody has seen the end of its last step: something of it may still run.'),
    byHand: z.string().nullable().describe('The step whose result a person has set last, who, and why.'),
  })
  .meta({ id: 'TargetView' });

export const batchViewSchema = z
  .object({
    ...place,
    stageName: z.string(),
    zone: z.string(),
    name: z.string(),
    sequence: z.string().describe('Key of `sequences`: the steps of its targets.'),
    status: statusField,
    counts,
  })
  .meta({ id: 'BatchView' });

const byPersonSchema = z.object({ by: z.string(), reason: z.string(), at: atField });

/** A deployment as a whole, beside its targets. */
export const overallSchema = z
  .object({
    status: statusField,
    reason: z.string(),
    counts,
    stage: z.int().describe('Index of the open stage; -1 before the first.'),
    paused: z
      .object({ cause: z.string(), by: z.string(), abortAt: atField })
      .nullable()
      .describe('Why it is paused, and when it aborts if nobody decides.'),
    stopping: z
      .object({ next: z.enum(['rollback', 'nothing']), abort: z.boolean(), by: z.string() })
      .nullable(),
    approvals: z
      .object({
        count: countField,
        given: z.array(byPersonSchema),
        promoted: byPersonSchema.nullable().describe('Who let it start without those that were missing.'),
        waits: z.boolean().describe('It has not begun, and waits for them.'),
        abortAt: atField.nullable().describe('When it aborts without them.'),
      })
      .nullable()
      .describe('`null`: nobody has to approve it.'),
    startedAt: atField.nullable(),
    endedAt: atField.nullable(),
    rollback: deploymentIdField.nullable().describe('The deployment that rolls this one back.'),
    exceptions: countField,
    notes: z.array(z.string()),
    version: countField.describe('Version of the last event that is in this view; stream from here.'),
  })
  .meta({ id: 'Overall' });

export const deploymentViewSchema = z
  .object({
    overall: overallSchema,
    batches: z.array(batchViewSchema).describe('In the order of the plan.'),
    targets: z.array(targetViewSchema).describe('By index.'),
    sequences: z.record(z.string(), z.array(z.string())).describe('Step ids of each sequence, in order.'),
    ahead: z
      .record(z.string(), z.number())
      .describe('How many of the first steps of each sequence prepare a target before its turn.'),
  })
  .meta({ id: 'DeploymentView' });

export const waitSchema = z.object({
  target: plannedNameField.nullable().describe('`null`: the deployment itself waits.'),
  step: z.string().nullable(),
  why: z.string(),
  until: atField.nullable().describe('When it is looked at again, or given up.'),
});

export const storedEventSchema = z
  .object({
    deployment: deploymentIdField,
    version: z.int().min(1),
    at: atField,
    event: opaque<Event>('Event', 'A fact; `kind` says which. GLOSSARY.md lists them.'),
  })
  .meta({ id: 'StoredEvent' });

/** Items of the stream of a deployment: each event with what looks different after it; progress between events. */
export const watchItemSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('event'),
    ...storedEventSchema.shape,
    overall: overallSchema,
    targets: z.array(targetViewSchema).describe('Those that changed; replace them by index.'),
    batches: z.array(batchViewSchema).describe('Those that changed; replace them by stage, lane and batch.'),
  }),
  z.object({
    kind: z.literal('progress'),
    targets: z.array(
      z.object({ index: countField, progress: z.string().nullable(), worker: z.string().nullable() }),
    ),
  }),
]);

export const overviewItemSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('snapshot'), deployments: z.array(deploymentRowSchema) }),
  z.object({ kind: z.literal('changed'), deployment: deploymentRowSchema }),
]);

export const outputRowSchema = z
  .object({
    id: countField,
    task: taskIdField,
    target: plannedNameField,
    step: z.string(),
    at: atField,
    text: z.string(),
  })
  .meta({ id: 'OutputRow' });

export const asFoundSchema: z.ZodType<AsFound> = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()]),
);

export const parkedSchema = z
  .object({
    target: plannedNameField,
    deployment: deploymentIdField.describe('The deployment that took it out of service: its owner.'),
    by: z.string().nullable().describe('Who started that deployment.'),
    reason: z.string(),
    members: z.array(
      z.object({ balancer: z.string(), pool: z.string(), member: z.string(), asFound: asFoundSchema }),
    ),
  })
  .meta({ id: 'Parked' });

export const projectEnvironmentStatusSchema = z.object({
  project: projectField,
  environment: environmentField,
  targets: countField.describe('Of an inventory: those that it gave last.'),
  inventory: z
    .object({
      origin: z.string().describe('What the targets are read from.'),
      readAt: atField.nullable().describe('When that was done last; `null`: never.'),
    })
    .exactOptional()
    .describe('Left out where the targets stand in the configuration.'),
  releases: z
    .array(
      z.object({
        release: releaseIdField.nullable().describe('`null`: Edge never put anything there.'),
        version: releaseVersionField.nullable(),
        targets: countField,
        unproven: countField.describe(
          'Of these: worked on since without success, so that another release may run there.',
        ),
      }),
    )
    .describe('What runs on how many targets; most first.'),
  active: deploymentRowSchema.nullable(),
  last: deploymentRowSchema.nullable().describe('The last one that ended.'),
  parked: z.array(parkedSchema),
});

export const targetsSchema = z.object({
  origin: z
    .string()
    .nullable()
    .describe('What they were read from just now; `null`: they stand in the configuration.'),
  targets: z.array(
    z.object({
      name: plannedNameField,
      address: z.string(),
      sshPort: z.int().nullable().describe('`null`: as the environment says.'),
      port: z.int().nullable().describe('Of the service.'),
      zone: z.string(),
      members: z.array(z.object({ balancer: z.string(), pool: z.string(), member: z.string() })),
    }),
  ),
  changed: z
    .object({ since: atField, what: z.string() })
    .nullable()
    .describe('What is other than when it was read before; `null`: nothing, or it never was.'),
});

export const tokenInfoSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    pool: z.string().nullable().describe('The worker pool that a token of the role `worker` is good for.'),
    createdAt: atField,
    expiresAt: atField.nullable(),
    revokedAt: atField.nullable(),
  })
  .meta({ id: 'Token' });

export const doctorCheckSchema = z.object({
  kind: z.enum(['inventory', 'host', 'balancer']),
  name: z.string(),
  project: projectField,
  environment: environmentField,
  ok: z.boolean(),
  facts: z.record(z.string(), z.string()).describe('What was seen, for people.'),
  problems: z.array(errorBodySchema),
});
