import { z } from 'zod';
import { PLAN_VERBS, type Policy } from '../domain/plan.ts';
import { ENDINGS, MISHAPS } from '../domain/plan-simulation.ts';
import type { JsonObject } from '../lib/json.ts';
import { countField, opaque, planHashField, releaseIdField, releaseVersionField } from './fields.ts';

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
        script: z
          .object({
            name: z.string(),
            sha256: z.string(),
            bytes: countField,
            parameters: opaque<JsonObject>(
              'Parameters',
              'Values, `{ from, output }`, or `{ perTarget: true }`.',
            ),
          })
          .exactOptional()
          .describe('The script whose path is added to `argv`; its text is in `scripts` of the plan.'),
      })
      .exactOptional()
      .describe('Exactly what will run on the host.'),
    timeoutMs: z.number(),
    retries: z
      .object({ max: z.number(), backoffMs: z.number(), factor: z.number().exactOptional() })
      .describe('Tries by Edge itself; each pause is `factor` times the one before, 2 if left out.'),
  })
  .meta({ id: 'ExplainedStep' });

const zoneField = z
  .string()
  .exactOptional()
  .describe('Of the members of this zone in the pool; left out: of the whole pool.');

const capacitySchema = z.object({
  stage: countField,
  lane: countField,
  batch: countField,
  balancer: z.string(),
  pool: z.string(),
  zone: zoneField,
  configured: countField.describe('Members of the pool, or of the zone in it.'),
  floor: z.number(),
  before: z.number().describe('Members in service before the batch.'),
  lowest: z.number().describe('The fewest while it lasts.'),
  after: z.number().describe('If all goes well.'),
});

const changeField = z.enum(['added', 'removed', 'changed']);
/** What a release would change on the disks of some targets. */
export const differenceSchema = z
  .object({
    targets: z.array(z.string()).describe('All on which it is the same.'),
    before: releaseIdField.nullable().describe('`null`: nothing that Edge knows of.'),
    after: releaseIdField,
    artifacts: z.array(z.object({ name: z.string(), change: changeField })),
    files: z.array(
      z.object({
        path: z.string().describe('Below the folder of the release.'),
        change: changeField,
        mode: z.object({ before: z.string().nullable(), after: z.string().nullable() }),
        lines: z
          .array(z.string())
          .describe('As `diff -u` has them; secrets are `***` and where they come from.'),
      }),
    ),
  })
  .meta({ id: 'Difference' });

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
        hookOn: z
          .string()
          .nullable()
          .describe('For a hook, the target on whose host it runs; `null` for a target.'),
      }),
    ),
    capacity: z.array(capacitySchema),
  })
  .meta({ id: 'ExplainedBatch' });

const SOURCES = ['plan', 'here', 'fleet', 'guess'] as const;

export const forecastSchema = z
  .object({
    p50Ms: z.number().describe('From its start, if nothing fails: half of the times it takes no longer.'),
    p90Ms: z.number().describe('Nine times of ten it takes no longer.'),
    basis: z.string().describe('In words: what it was learnt from.'),
    steps: z.array(
      z.object({
        sequence: z.string(),
        step: z.string(),
        from: z
          .enum(SOURCES)
          .describe('Known from the plan, from deployments here, from the fleet, or guessed.'),
        deployments: countField,
        samples: countField,
        p50Ms: z.number(),
        p90Ms: z.number(),
      }),
    ),
  })
  .meta({ id: 'Forecast' });

export const noteSchema = z.object({ code: z.string(), message: z.string() });

const steps = z.record(z.string(), z.array(explainedStepSchema));

export const explainedSchema = z
  .object({
    title: z.string(),
    verb: z.enum(PLAN_VERBS),
    hash: z.string(),
    forecast: forecastSchema,
    notes: z.array(noteSchema),
    stages: z.array(z.object({ name: z.string(), batches: z.array(explainedBatchSchema) })),
    sequences: steps.describe('The steps of each sequence that a batch does.'),
    rollbacks: steps.describe('The steps that a rollback of this plan would do.'),
    approvals: z
      .object({ count: countField, limitMs: z.number() })
      .nullable()
      .describe('So many people must approve the plan before it starts. `null`: nobody has to.'),
    policy: opaque<Policy>('Policy', 'Failure budgets and what follows when they are spent.'),
    floors: z.array(z.object({ pool: z.string(), zone: zoneField, floor: z.string() })),
  })
  .meta({ id: 'Explained' });

/** What came of many runs of a plan in a simulated world. */

const spreadSchema = z.object({
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  most: z.number(),
});

const simulatedCaseSchema = z
  .object({
    release: z.enum(['good', 'bad']).describe('`bad`: one that starts and never becomes healthy.'),
    runs: countField,
    endings: z.record(z.enum(ENDINGS), countField).describe('How many runs ended in each way.'),
    durationMs: spreadSchema.describe('To its end, the rollback with it, or until it waits for a decision.'),
    touched: spreadSchema.describe('Targets on which more was done than to look.'),
    ran: spreadSchema.describe('Targets on which the new release ran at some time.'),
    served: spreadSchema.describe('Targets that served it to clients.'),
    pools: z.array(
      z.object({
        balancer: z.string(),
        pool: z.string(),
        zone: zoneField,
        configured: countField,
        floor: countField,
        usual: countField.describe('The fewest members in service, in the middle one of the runs.'),
        lowest: countField.describe('The fewest in any run.'),
      }),
    ),
  })
  .meta({ id: 'SimulatedCase' });

export const simulatedItemSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), done: countField, of: countField }),
  z.object({
    kind: z.literal('report'),
    planHash: planHashField,
    seed: z.number(),
    cases: z.array(simulatedCaseSchema),
    violations: z
      .array(
        z.object({
          run: countField,
          release: z.enum(['good', 'bad']),
          invariant: z.string(),
          message: z.string(),
        }),
      )
      .describe('Promises that Edge broke: a fault of Edge, please report it.'),
    odds: z
      .array(
        z.object({
          step: z.string(),
          mishap: z.enum(MISHAPS),
          share: z.number().describe('How likely it was taken to be, for one target.'),
          met: countField,
          of: countField.describe('So often it was met in so many tasks of the log.'),
        }),
      )
      .describe('What the runs assumed; where the log tells little, what is usual counts.'),
  }),
]);

const changeSetSchema = z
  .object({
    after: releaseVersionField.nullable().describe('Not in it. `null`: what the targets have is not known.'),
    upTo: releaseVersionField.describe('The last one in it.'),
    releases: countField,
    tickets: z.array(z.string()).describe('Of all of them, each once.'),
    authors: z.array(z.string()),
    commits: z
      .object({ repository: z.string(), after: z.string(), upTo: z.string() })
      .nullable()
      .describe('Where both ends were built from one repository.'),
  })
  .meta({ id: 'ChangeSet' });

export const changesSchema = z
  .object({
    brings: changeSetSchema.nullable().describe('What some targets get.'),
    takesBack: changeSetSchema.nullable().describe('What some targets lose.'),
  })
  .meta({ id: 'Changes' });
