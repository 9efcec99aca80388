import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { amountField, durationField, nameField, timeoutField } from './fields.ts';

const batchSize = amountField.refine(
  (amount) => amount !== 0 && amount !== '0%',
  'a batch has at least 1 target',
);

const fields = {
  canary: amountField
    .default(1)
    .describe(
      'Size of the first batch of a deployment, as a count or a share of the targets in service; 0: none.',
    ),
  batches: z
    .union(
      [z.array(batchSize).min(1).max(1_000), batchSize],
      'a list that grows, such as [10%, 25%, 50%, 100%], or one size, such as 5 or 20%',
    )
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
  parallel: z.int().min(1).max(10_000).default(20).describe('How many targets may be worked on at once.'),
  settleMs: durationField
    .default(2_000)
    .describe('Wait after a target is back in service before it counts as done; 0: none.'),
  drain: z
    .strictObject({
      timeoutMs: timeoutField.default(300_000).describe('How long live connections may take to end.'),
      // biome-ignore lint/suspicious/noThenProperty: the word of the strategy file; nothing awaits a configuration
      then: z
        .enum(['force', 'stop'])
        .default('force')
        .describe(
          'What follows if they do not: `force` the member offline, or `stop` this target as failed.',
        ),
    })
    .prefault({})
    .describe('How a target is taken out of service.'),
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
