import { z } from 'zod';
import type { BalancerConfig } from '../domain/balancer.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import {
  atField,
  countField,
  deploymentIdField,
  opaque,
  sha256Field,
  taskIdField,
  workerIdField,
} from './fields.ts';
import { type Route, route } from './route.ts';

/** The port `TaskBoard` over HTTP (contract C1), a route for each method, same words; and the artifacts that only the server has. */

const LONGEST_WAIT_MS = 30_000;
const json = z.json().meta({ id: 'Json' }) as z.ZodType<Json, Json>;
const jsonObject = opaque<JsonObject>('Inputs', 'The inputs of the action.');
const poolField = z.string().min(1).max(63).describe('Worker pool; that of the token.');
const claimOf = { task: taskIdField, epoch: countField };
const checkpointField = z
  .strictObject({ no: z.int().min(1), value: json })
  .describe('`no` grows with each checkpoint of a claim.');
const leaseField = z.int().min(1_000).max(600_000);
const goneField = z.array(workerIdField).max(1_000);
const memberField = z.object({ balancer: z.string(), pool: z.string(), member: z.string() });
const keptMemberSchema = memberField.extend({
  as: z.enum(['drained', 'offline']),
  reach: opaque<BalancerConfig>('Balancer', 'How the balancer of the member is reached.'),
});
const done = z.object({});

const claimedTaskSchema = z.object({
  task: taskIdField,
  deployment: deploymentIdField,
  target: z.string(),
  step: z.string(),
  action: z.string(),
  inputs: jsonObject,
  epoch: countField,
  attempt: countField,
  checkpoint: json.nullable(),
  cancel: z.boolean(),
  quarantineMs: z.number(),
  remainingMs: z.number(),
});

const outcomeKinds: readonly Outcome['kind'][] = ['done', 'wait', 'failed', 'unknown'];
const outcomeSchema = opaque<Outcome>('Outcome', `One of ${outcomeKinds.join(', ')}, by \`kind\`.`).refine(
  ({ kind }) => outcomeKinds.includes(kind),
  `kind is one of ${outcomeKinds.join(', ')}`,
);

export const WORKER_ROUTES = {
  claimTasks: route({
    method: 'POST',
    path: '/v1/worker/claim',
    permission: 'worker.serve',
    summary: 'Takes tasks of the pool under a lease.',
    body: z.strictObject({
      worker: workerIdField,
      pool: poolField,
      capabilities: z.array(z.string().max(200)).max(1_000),
      max: z.int().min(1).max(1_000),
      leaseMs: leaseField,
      gone: goneField,
      held: z
        .array(taskIdField)
        .max(10_000)
        .exactOptional()
        .describe(
          'Given when an answer to an earlier claim did not come: what it has. The rest is given again.',
        ),
    }),
    response: z.object({ tasks: z.array(claimedTaskSchema) }),
  }),
  renewTasks: route({
    method: 'POST',
    path: '/v1/worker/renew',
    permission: 'worker.serve',
    summary: 'Prolongs leases and stores checkpoints.',
    maxBodyBytes: 32 * 1_048_576,
    body: z.strictObject({
      worker: workerIdField,
      tasks: z
        .array(
          z.object({
            ...claimOf,
            checkpoint: checkpointField.exactOptional(),
            progress: z.string().max(1_000).exactOptional(),
          }),
        )
        .max(1_000),
    }),
    response: z.object({ lost: z.array(taskIdField), cancel: z.array(taskIdField) }),
  }),
  reportTasks: route({
    method: 'POST',
    path: '/v1/worker/report',
    permission: 'worker.serve',
    summary: 'Says how attempts ended.',
    maxBodyBytes: 32 * 1_048_576,
    body: z.strictObject({
      worker: workerIdField,
      reports: z
        .array(z.object({ ...claimOf, attempt: countField, startedAt: atField, outcome: outcomeSchema }))
        .max(1_000),
    }),
    response: done,
  }),
  appendOutput: route({
    method: 'POST',
    path: '/v1/worker/output',
    permission: 'worker.serve',
    summary: 'Adds output of commands, in order of `seq`.',
    maxBodyBytes: 32 * 1_048_576,
    body: z.strictObject({
      worker: workerIdField,
      chunks: z
        .array(
          z.object({
            ...claimOf,
            seq: countField,
            text: z.string().max(65_536),
            checkpoint: checkpointField.exactOptional(),
          }),
        )
        .max(1_000),
    }),
    response: done,
  }),
  keepOut: route({
    method: 'POST',
    path: '/v1/worker/keep-out',
    permission: 'worker.serve',
    summary: 'Says which members the worker is to keep out of service, under a lease.',
    maxBodyBytes: 32 * 1_048_576,
    body: z.strictObject({
      worker: workerIdField,
      pool: poolField,
      leaseMs: leaseField,
      gone: goneField,
      no: z.int().min(1).describe('Grows with each call of the worker.'),
      keeping: z.array(memberField).max(100_000).describe('What the worker may still write to.'),
      unanswered: z
        .array(memberField)
        .max(100_000)
        .describe('What it wrote to when its lease ran out, without an answer.'),
      more: z.boolean().describe('`false`: it stops, and is given nothing more.'),
    }),
    response: z.object({ members: z.array(keptMemberSchema), leaseMs: z.number() }),
  }),
  workerArtifact: route({
    method: 'GET',
    path: '/v1/worker/artifacts/:sha256',
    permission: 'worker.serve',
    summary: 'An artifact of a release, for a worker that cannot have it from its source.',
    bytes: 'answer',
    params: z.strictObject({ sha256: sha256Field }),
    response: done,
  }),
  waitForWork: route({
    method: 'POST',
    path: '/v1/worker/wait',
    permission: 'worker.serve',
    summary: 'Answers when there may be work for the pool, or when the time is over.',
    longPoll: true,
    body: z.strictObject({ pool: poolField, timeoutMs: z.int().min(0).max(LONGEST_WAIT_MS) }),
    response: done,
  }),
} as const satisfies Readonly<Record<string, Route>>;
