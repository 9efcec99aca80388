import { z } from 'zod';
import { type Policy, VERBS } from '../domain/plan.ts';
import type { JsonObject } from '../lib/json.ts';
import { countField, opaque } from './fields.ts';

/** A plan for people, as data: what is done to which targets in which order, with the exact commands. */

const explainedStepSchema = z
  .object({
    id: z.string(),
    action: z.string().describe('`name@major`.'),
    does: z.string().describe('A sentence for people.'),
    command: z
      .object({
        argv: z.array(z.string()),
        cwd: z.string(),
        user: z.string().nullable(),
        env: z.union([
          opaque<JsonObject>('Environment', 'Variables; secrets are references.'),
          z.literal('per target'),
        ]),
      })
      .exactOptional()
      .describe('Exactly what will run on the host.'),
    timeoutMs: z.number(),
  })
  .meta({ id: 'ExplainedStep' });

const capacitySchema = z.object({
  stage: countField,
  lane: countField,
  batch: countField,
  balancer: z.string(),
  pool: z.string(),
  floor: z.number(),
  before: z.number().describe('Members in service before the batch.'),
  lowest: z.number().describe('The fewest while it lasts.'),
  after: z.number().describe('If all goes well.'),
});

const explainedBatchSchema = z
  .object({
    zone: z.string(),
    name: z.string(),
    sequence: z.string().describe('Key of `sequences`.'),
    parallel: countField,
    countsFailures: z.boolean(),
    targets: z.array(
      z.object({
        name: z.string(),
        before: z.string().nullable(),
        release: z.string().nullable(),
        facts: opaque<JsonObject>('Facts', 'What differs per target: address, port, …'),
      }),
    ),
    capacity: z.array(capacitySchema),
  })
  .meta({ id: 'ExplainedBatch' });

export const noteSchema = z.object({ code: z.string(), message: z.string() });

const steps = z.record(z.string(), z.array(explainedStepSchema));

export const explainedSchema = z
  .object({
    title: z.string(),
    verb: z.enum(VERBS),
    hash: z.string(),
    expectedMs: z.number().describe('A guess.'),
    notes: z.array(noteSchema),
    stages: z.array(z.object({ name: z.string(), batches: z.array(explainedBatchSchema) })),
    sequences: steps.describe('The steps of each sequence that a batch does.'),
    rollbacks: steps.describe('The steps that a rollback of this plan would do.'),
    policy: opaque<Policy>('Policy', 'Failure budgets and what follows when they are spent.'),
    floors: z.array(z.object({ pool: z.string(), floor: z.string() })),
  })
  .meta({ id: 'Explained' });
