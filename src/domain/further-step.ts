import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import {
  durationField,
  envField,
  ifUnknownField,
  nameField,
  remoteFolderField,
  timeoutField,
} from './fields.ts';

const actionField = z
  .string()
  .regex(/^[a-z][a-z0-9.-]*@[1-9][0-9]*$/, 'an action and its version, such as host.run@1');

export const retriesField = z.strictObject({
  max: z.int().min(0).max(50).describe('So many tries after the first; 0: none.'),
  backoffMs: durationField.describe('Pause before the first of them.'),
  factor: z
    .number()
    .min(1)
    .max(10)
    .exactOptional()
    .describe('Each pause is so many times the one before, 2 if left out; none is longer than 10 minutes.'),
});

const folderField = z.union([z.literal('~'), remoteFolderField], 'an absolute path on the hosts, or ~');

/** What a step that somebody has written does, wherever it stands. */
export const workFields = {
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
  folder: folderField
    .exactOptional()
    .describe(
      'Of a script: where it runs; left out: in the folder of the project, of a hook in the home folder.',
    ),
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
};

const furtherFields = z.strictObject({
  ...workFields,
  whileServing: z
    .boolean('write true or false')
    .default(false)
    .describe('It changes nothing of the service, so that it may stand before `drain` or after `verify`.'),
});

const OF_SCRIPTS = ['runAs', 'folder', 'env'] as const;

type Written = z.infer<z.ZodObject<typeof workFields>>;

/** One of an action and a script, and of an action nothing that is of scripts. */
export function checkWork(step: Written, context: z.RefinementCtx): void {
  const wrong = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  if ((step.action === undefined) === (step.script === undefined))
    wrong('action', 'give action or script: one of them');
  if (step.script !== undefined) return;
  for (const field of OF_SCRIPTS)
    if (step[field] !== undefined)
      wrong(field, `${field} is of a script; of an action it stands in \`with\``);
}

export const furtherStep = furtherFields.superRefine(checkWork);
export type FurtherStep = DeepReadonly<z.infer<typeof furtherStep>>;
/** A step or a hook. */
export type Work = DeepReadonly<Written>;
