import { z } from 'zod';
import { argvField, nameField, remoteFolderField, timeoutField } from '../domain/fields.ts';
import { batchesField } from '../domain/strategy.ts';
import {
  countField,
  deploymentIdField,
  environmentField,
  planHashField,
  projectField,
  reasonField,
  targetNameField,
  untilEndField,
} from './fields.ts';
import { type Route, route } from './route.ts';
import { deploymentRowSchema, statusField } from './shapes.ts';

/** The routes of commands on targets. */

const answerSchema = z
  .object({
    status: statusField,
    exitStatus: z.int().nullable().describe('Of the command; null where nobody saw it end.'),
    reason: z.string().describe('Why it did not run, or was not seen to its end; else empty.'),
    output: z.string().describe('What it wrote, as it came: standard output and standard error.'),
    outputLength: countField.describe('Characters that it wrote.'),
    cut: z.boolean().describe('It wrote more than is here.'),
    targets: z.array(targetNameField).describe('All that gave this answer.'),
  })
  .meta({ id: 'Answer' });

export const EXEC_ROUTES = {
  exec: route({
    method: 'POST',
    path: '/v1/execs',
    permission: 'host.exec',
    summary: 'Runs a command on targets, at most once on each; takes no lock and nothing out of service.',
    longPoll: true,
    body: z.strictObject({
      project: projectField,
      environment: environmentField,
      argv: argvField.describe('The command as a list of arguments; no shell reads it.'),
      cwd: remoteFolderField.exactOptional().describe('Folder that it runs in; else the home folder.'),
      sudoUser: nameField
        .exactOptional()
        .describe('User that it runs as, through `sudo -n`; else that of the SSH login.'),
      timeoutMs: timeoutField
        .default(60_000)
        .describe(
          'How long it may take on a target from when its turn comes, with the wait for a worker and the connection; then it is ended.',
        ),
      targets: z.array(targetNameField).min(1).max(20_000).exactOptional().describe('Only these.'),
      zones: z.array(nameField).min(1).max(100).exactOptional().describe('Only targets of these zones.'),
      limit: z.int().min(1).max(20_000).exactOptional().describe('At most so many of them: the first.'),
      batches: batchesField
        .exactOptional()
        .describe('Batches, one after the other, as a strategy writes them; left out: one.'),
      parallel: z
        .int()
        .min(1)
        .max(10_000)
        .default(50)
        .describe(
          'On how many it runs at once. A worker has 64 places: more wait for one, and their time runs.',
        ),
      maxFailures: z
        .int()
        .min(1)
        .exactOptional()
        .describe('So many failures pause it, before more targets begin; left out: however many.'),
      reason: reasonField,
      dryRun: z.boolean().default(false).describe('Only say on which targets it would run.'),
      planHash: planHashField.exactOptional().describe('What was said of it; refused if that has changed.'),
    }),
    response: z.object({
      deployment: deploymentIdField.nullable().describe('Null after a dry run.'),
      planHash: planHashField,
      targets: z.array(targetNameField),
    }),
  }),
  answers: route({
    method: 'GET',
    path: '/v1/execs/:deployment/answers',
    permission: 'host.exec',
    summary: 'What the targets of a command have answered, grouped by equal answers.',
    longPoll: true,
    params: z.strictObject({ deployment: deploymentIdField }),
    query: z.strictObject({
      waitMs: untilEndField,
    }),
    response: z.object({
      deployment: deploymentRowSchema,
      answers: z.array(answerSchema).nullable().describe('Null while it is under way, and was waited for.'),
    }),
  }),
} as const satisfies Readonly<Record<string, Route>>;
