import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { amountField, durationField, nameField, timeoutField } from './fields.ts';
import { type FurtherStep, furtherStep, retriesField } from './further-step.ts';
import { hookSchema } from './hook.ts';
import type { ScriptShape } from './script.ts';

const batchSize = amountField.refine(
  (amount) => amount !== 0 && amount !== '0%',
  'a batch has at least 1 target',
);

/** The steps of the cycle of a target in a datacenter, in their usual order. */
export const CYCLE = ['guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable', 'settle'] as const;
export type CycleStep = (typeof CYCLE)[number];

/** The scripts by the names that steps have for them. */
export type Scripts<S = ScriptShape> = ReadonlyMap<string, S>;

/** A field for each step of the cycle. */
function oneOfEach<T>(field: T): Record<CycleStep, T> {
  const [guard, drain, stop, install] = [field, field, field, field];
  return { guard, drain, stop, install, start: field, verify: field, enable: field, settle: field };
}

const stepList = z
  .array(
    z.union(
      [z.enum(CYCLE), furtherStep],
      `one of ${CYCLE.join(', ')}, or a step of your own as { id, action, with } or { id, script, with }`,
    ),
  )
  .min(1)
  .max(64);
export type StepList = readonly (CycleStep | FurtherStep)[];

/** What protects: `drain` stands for guard, drain and enable. */
const PROTECTIONS = ['drain', 'verify'] as const;

/** What is wrong with a list of steps; `path` is below the strategy. */
export type StepProblem = {
  readonly path: readonly (string | number)[];
  readonly code?: 'config_reference';
  readonly message: string;
  readonly hint?: string;
};
export type CheckSteps = (
  strategy: Pick<InlineStrategy, 'steps' | 'without' | 'hooks'>,
  scripts: Scripts,
) => readonly StepProblem[];

/** One amount is the size of every batch; a list grows. */
export const batchesField = z.union(
  [z.array(batchSize).min(1).max(1_000), batchSize],
  'a list that grows, such as [10%, 25%, 50%, 100%], or one size, such as 5 or 20%',
);

const fields = {
  canary: amountField
    .default(1)
    .describe(
      'Size of the first batch of a deployment, as a count or a share of the targets in service; 0: none.',
    ),
  batches: batchesField
    .default(['10%', '25%', '50%', '100%'])
    .describe(
      'A list: how many targets in service are done after each batch, the canary counted in; what is left comes last. One amount: the size of every batch.',
    ),
  zones: z
    .enum(['in-order', 'side-by-side'])
    .default('in-order')
    .describe('Zones one after the other, the canary in the first; or all at once, a canary in each.'),
  others: z
    .boolean('write true or false')
    .default(true)
    .describe(
      'Whether targets that were out of service are installed as well, last and outside of every budget.',
    ),
  parallel: z
    .int()
    .min(1)
    .max(10_000)
    .default(20)
    .describe(
      'How many targets may be worked on at once, with those that are prepared; fewer where the floors allow no more.',
    ),
  settleMs: durationField
    .default(2_000)
    .describe('Wait after a target is back in service before it counts as done; 0: none.'),
  drain: z
    .strictObject({
      timeoutMs: timeoutField.default(300_000).describe('How long live connections may take to end.'),
      // biome-ignore lint/suspicious/noThenProperty: the word of the strategy file; nothing awaits a configuration
      then: z
        .enum(['force', 'stop', 'continue'])
        .default('force')
        .describe(
          'What follows if they do not: `force` the member offline, `stop` this target as failed, or `continue` with those that are left.',
        ),
    })
    .prefault({})
    .describe('How a target is taken out of service.'),
  hooks: z
    .array(hookSchema)
    .min(1)
    .max(32)
    .exactOptional()
    .describe('What runs once around the targets, in this order.'),
  steps: z
    .strictObject({ datacenter: stepList.describe('Of environments of the kind `datacenter`.') })
    .exactOptional()
    .describe(
      'The steps of a deployment, in their order; restart and rollback have those of them that they need.',
    ),
  retries: z
    .strictObject({
      default: retriesField.exactOptional().describe('Of every step of the cycle that is not named here.'),
      ...oneOfEach(retriesField.exactOptional().describe('Of this step.')),
    })
    .exactOptional()
    .describe(
      'How often and how soon Edge tries a step again by itself: only what failed before it began, or can be looked at again. The pauses come on top of its longest time.',
    ),
  without: z
    .array(z.enum(PROTECTIONS))
    .exactOptional()
    .describe(
      'What `steps` leaves out on purpose: `verify`, or `drain` (with it guard and enable). What protects is needed otherwise.',
    ),
};

/** A strategy as it is written in place, inside of a project environment. */
export const inlineStrategySchema = z.strictObject(fields);
export type InlineStrategy = DeepReadonly<z.infer<typeof inlineStrategySchema>>;

export const strategySchema = z
  .strictObject({
    kind: z.literal('strategy').describe('Says what this document is.'),
    name: nameField.describe('Name of the strategy.'),
    description: z.string().max(1_000).exactOptional().describe('What it is for, for people.'),
    ...fields,
  })
  .describe('In what order and how fast the targets of an environment change.');
export type Strategy = DeepReadonly<z.infer<typeof strategySchema>>;
