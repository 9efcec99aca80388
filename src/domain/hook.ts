import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { nameField } from './fields.ts';
import { checkWork, workFields } from './further-step.ts';

/** What a hook is run around; the last two come at the end, whatever became of the rest. */
export const HOOK_PLACES = [
  'before-deployment',
  'after-deployment',
  'before-stage',
  'after-stage',
  'before-batch',
  'after-batch',
  'on-failure',
  'always',
] as const;
export type HookPlace = (typeof HOOK_PLACES)[number];

const hookFields = z.strictObject({
  ...workFields,
  at: z
    .enum(HOOK_PLACES)
    .describe(
      'When: before or after the deployment, each stage or each batch; `on-failure`, once it has stopped before its plan was done; `always`, at its end in any case. Of a deployment that is rolled back the rollback does the last two, at its end.',
    ),
  on: nameField
    .exactOptional()
    .describe(
      'The target on whose host it runs; left out: the first of the deployment, of the stage, or of the batch.',
    ),
  verbs: z
    .array(z.enum(['deploy', 'restart', 'rollback']))
    .min(1)
    .default(['deploy'])
    .describe('Of which kinds of deployment: `deploy` if left out.'),
});

/** Runs once, around targets and not on each of them. */
export const hookSchema = hookFields.superRefine(checkWork);
export type Hook = DeepReadonly<z.infer<typeof hookSchema>>;
