import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import {
  amountField,
  durationField,
  envField,
  ifUnknownField,
  nameField,
  remoteFolderField,
  timeoutField,
} from './fields.ts';
import type { ScriptShape } from './script.ts';

const batchSize = amountField.refine(
  (amount) => amount !== 0 && amount !== '0%',
  'a batch has at least 1 target',
);

/** The steps of the cycle of a target in a datacenter, in their usual order. */
export const CYCLE = ['guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable', 'settle'] as const;
export type CycleStep = (typeof CYCLE)[number];

const actionField = z
  .string()
  .regex(/^[a-z][a-z0-9.-]*@[1-9][0-9]*$/, 'an action and its version, such as host.run@1');

const retriesField = z.strictObject({
  max: z.int().min(0).max(50).describe('So many tries after the first; 0: none.'),
  backoffMs: durationField.describe('Pause before the first of them.'),
  factor: z
    .number()
    .min(1)
    .max(10)
    .exactOptional()
    .describe('Each pause is so many times the one before, 2 if left out; none is longer than 10 minutes.'),
});

const furtherFields = z.strictObject({
  id: nameField.describe('Name of the step; no other of the list has it.'),
  action: actionField
    .exactOptional()
    .describe('What it does: `host.run@1`, `health.verify@1` or `wait.settle@1`.'),
  script: nameField.exactOptional().describe('Or the script that it runs, by name.'),
  with: z
    .record(z.string(), z.unknown())
    .default({})
    .describe(
      'Inputs of the action, or parameters of the script; one may be `{ from: step, output: name }`, and a parameter `{ target: name }`, `address`, `zone` or `port`. Host, user, variables and folder are given; before the first install there is no folder yet, and a command needs a `cwd`.',
    ),
  runAs: nameField
    .exactOptional()
    .describe('Of a script: the user that it runs as, through `sudo -n`; left out: that of the project.'),
  folder: z
    .union([z.literal('~'), remoteFolderField], 'an absolute path on the hosts, or ~')
    .exactOptional()
    .describe('Of a script: where it runs; left out: in the folder of the project.'),
  env: envField
    .exactOptional()
    .describe('Of a script: variables that are added or replaced. Secrets are given so.'),
  timeoutMs: timeoutField.exactOptional().describe('Longest time for the step.'),
  retries: retriesField
    .exactOptional()
    .describe('Tries by Edge itself, of what failed before it began, or can be looked at again.'),
  onUnknown: z
    .union([z.literal('ask'), ifUnknownField], 'ask, retry, or { check: command }')
    .exactOptional()
    .describe(
      'Of a command, when nobody saw how it ended: `ask` a person; `retry`, once nothing of it runs any more, if it may be done twice; or `check` on the target whether it is done, else ask.',
    ),
  whileServing: z
    .boolean('write true or false')
    .default(false)
    .describe('It changes nothing of the service, so that it may stand before `drain` or after `verify`.'),
});

const OF_SCRIPTS = ['runAs', 'folder', 'env'] as const;

const furtherStep = furtherFields.superRefine((step, context) => {
  const wrong = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  if ((step.action === undefined) === (step.script === undefined))
    wrong('action', 'give action or script: one of them');
  if (step.script !== undefined) return;
  for (const field of OF_SCRIPTS)
    if (step[field] !== undefined)
      wrong(field, `${field} is of a script; of an action it stands in \`with\``);
});
export type FurtherStep = DeepReadonly<z.infer<typeof furtherStep>>;

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
  strategy: Pick<InlineStrategy, 'steps' | 'without'>,
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
