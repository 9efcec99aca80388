import { z } from 'zod';
import type { MeasuredServer } from '../analysis/servers.ts';
import { analysisSchema } from '../domain/analysis.ts';
import { portField } from '../domain/fields.ts';
import { metricSourceSchema } from '../domain/metric-source.ts';
import type { DeepReadonly } from '../lib/types.ts';
import { balancers, memberRef } from './schemas.ts';

const server = z.strictObject({
  name: z.string().min(1),
  address: z.string().min(1),
  port: portField.nullable(),
  zone: z.string(),
}) satisfies z.ZodType<MeasuredServer>;

/** Verdicts that may be let pass. */
export const DOUBTFUL = ['unsure', 'no data'] as const;

/**
 * `pairs`: the servers of the canary, each with the one that it is compared with, which may be in several pairs. `members` and `balancers`: what the
 * servers are behind which balancers, by their names, where a metric is what these count. `since`, `until`: when its servers began to
 * change, and had changed, ms since the epoch, by the clock of the store; `null`: nobody knows. `goOn`: verdicts with which it is done all
 * the same.
 */
export const canaryJudgeInputs = z.strictObject({
  analysis: analysisSchema,
  sources: z.record(z.string(), metricSourceSchema),
  pairs: z.array(z.strictObject({ canary: server, baseline: server })).min(1),
  members: z.record(z.string(), z.array(memberRef)).exactOptional(),
  balancers: balancers.exactOptional(),
  since: z.number().nullable(),
  until: z.number().nullable().default(null),
  goOn: z.array(z.enum(DOUBTFUL)),
});
export type CanaryJudgeInputs = DeepReadonly<z.infer<typeof canaryJudgeInputs>>;
