import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { durationField, nameField, timeoutField } from './fields.ts';

const partField = (what: string) => z.number(what).gt(0).lt(1);
const query = z.string().min(1).max(10_000);

/** In place of the name of a source: what the balancers of the servers count, errors of requests. It has no query. */
export const BALANCER = 'balancer';

/** What is compared between canary and baseline. */
const metricFields = z.strictObject({
  name: nameField.describe('Name of the metric, unique here.'),
  source: nameField.describe(
    'Name of the source of metrics, as the environment has it; `balancer`: errors of requests, as the balancers count them.',
  ),
  query: query
    .exactOptional()
    .describe(
      'In the language of the source, with `{{window}}` for the length of one step. It gives one series for each server; with `{{server}}`, or `{{zone}}`, it is asked for each by itself. Every source needs it, save `balancer`, which has none.',
    ),
  of: query
    .exactOptional()
    .describe(
      'How much was there in which `query` counts something, such as all requests where that has failed ones. Both are whole numbers of one step (`increase` of Prometheus, not `rate`). With it the metric is counted, and needs no history.',
    ),
  by: nameField
    .default('instance')
    .describe('The label that names the server: by its name, its address, or address:port.'),
  harm: z.enum(['more', 'less', 'either']).default('more').describe('What is harm.'),
  critical: z
    .boolean('write true or false')
    .default(true)
    .describe('Whether the canary fails by this metric alone.'),
  weight: z.number().gt(0).max(1_000).default(1).describe('Its part in all metrics.'),
  tolerance: z
    .number()
    .min(0)
    .lt(1)
    .default(0.02)
    .describe('A difference of which nobody needs to hear: 0.02 is 2 %.'),
  allowed: partField('a part such as 0.25')
    .default(0.25)
    .describe('What surely differs by less than this may be let pass early.'),
});

const metricSchema = metricFields
  .superRefine(({ source, query, of }, context) => {
    const wrong = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (source !== BALANCER && query === undefined)
      wrong('query', `what is asked of ${source}; only \`source: ${BALANCER}\` has no query`);
    if (source === BALANCER && (query ?? of) !== undefined)
      wrong(
        query === undefined ? 'of' : 'query',
        'a balancer counts errors of requests and is asked nothing: leave it out',
      );
  })
  .meta({ if: { properties: { source: { const: BALANCER } } }, else: { required: ['query'] } });
export type AnalysedMetric = DeepReadonly<z.infer<typeof metricSchema>>;

/** Whether any of it is what the balancers count. */
export const isCountedByBalancers = ({ metrics }: Analysis): boolean =>
  metrics.some(({ source }) => source === BALANCER);

/** Sources give 11,000 points at once, history too. */
const MOST_STEPS = 10_000;
const steps = z.int('a whole number').min(1).max(MOST_STEPS);

const fields = z.strictObject({
  metrics: z
    .array(metricSchema)
    .min(1)
    .max(100)
    .refine((metrics) => new Set(metrics.map(({ name }) => name)).size === metrics.length, 'each name once')
    .describe('What is compared.'),
  stepMs: timeoutField
    .min(1_000)
    .default(60_000)
    .describe('How long one step is: it is looked at after each.'),
  warmUpMs: durationField
    .default(60_000)
    .describe(
      'How long a canary may take to be as it will be, after it is back in service: it is not judged by that.',
    ),
  mostMs: timeoutField
    .default(3_600_000)
    .describe('After this time whoever is not worse has passed, or is unsure.'),
  historyMs: durationField
    .default(14_400_000)
    .describe('How much from before the deployment is looked at, to learn how much the servers differ.'),
  leastSteps: steps.default(3).describe('So many steps with data a verdict needs of a metric.'),
  staleSteps: steps.default(5).describe('So many steps in a row without data are no data.'),
  alpha: partField('a part such as 0.05')
    .max(0.5)
    .default(0.05)
    .describe('So many canaries without harm may fail at most, of all metrics together: 0.05 is 5 %.'),
  failShare: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Without a critical metric the canary fails where metrics of so much of all weights are worse.',
    ),
});

/** How the canary of a project is compared with servers that are as before. */
export const analysisSchema = fields
  .refine(({ mostMs, stepMs }) => mostMs / stepMs <= MOST_STEPS, {
    path: ['mostMs'],
    message: `at most ${MOST_STEPS} steps; take longer ones`,
  })
  .refine(({ mostMs, stepMs, leastSteps }) => mostMs >= leastSteps * stepMs, {
    path: ['mostMs'],
    message: 'so long as `leastSteps` take, or longer: earlier there is no verdict',
  });
export type Analysis = DeepReadonly<z.infer<typeof analysisSchema>>;
