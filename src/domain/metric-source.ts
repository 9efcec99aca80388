import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { durationField, localPathField, secretRefField, timeoutField } from './fields.ts';

const tls = z.union(
  [
    z.enum(['system', 'none']),
    z.strictObject({ ca: localPathField.describe('File with the certificates that are trusted.') }),
    z.strictObject({ fingerprint: z.string().min(1).describe('SHA-256 of its certificate.') }),
  ],
  'one of system, none, { ca: file }, { fingerprint: … }',
);

const credentials = z.union(
  [
    z.strictObject({ token: secretRefField.describe('Where the worker finds the bearer token.') }),
    z.strictObject({
      username: z.string().min(1).describe('Name of the account.'),
      password: secretRefField.describe('Where the worker finds the password.'),
    }),
  ],
  '{ token } or { username, password }',
);

const shared = {
  tls: tls.default('system').describe('How its certificate is checked.'),
  credentials: credentials.exactOptional().describe('How Edge proves itself; left out: not at all.'),
  timeoutMs: timeoutField.max(300_000).default(30_000).describe('Longest time of one query.'),
};

const address = z.url({ protocol: /^https?$/, error: 'an address such as https://prometheus.example.net' });

const prometheus = z.strictObject({
  kind: z.literal('prometheus'),
  url: address.describe('Where it answers: what `/api/v1/query_range` comes behind.'),
  ...shared,
  delayMs: durationField
    .default(20_000)
    .describe('Only what is older is believed complete: longer than a scrape takes, with what lies between.'),
});

/** Names of fields and places in lists, with dots between them; `*` stands for each item of a list. */
const path = z
  .string()
  .regex(/^[^.\p{Cc}]+(\.[^.\p{Cc}]+)*$/u, 'a path such as data.*.points.*.at')
  .describe('Names of fields and places in lists; `*` stands for each item.');

const httpJson = z.strictObject({
  kind: z.literal('http-json'),
  url: z
    .string()
    .regex(/^https?:\/\/[^/?#@\s]+[/?]/, 'an address such as https://stats.example.net/series?q={{query}}')
    .describe('Asked by GET, with `{{query}}`, `{{from}}`, `{{to}}` and `{{step}}` in its path or query.'),
  ...shared,
  delayMs: durationField.default(20_000).describe('Only what is older is believed complete.'),
  unit: z.enum(['seconds', 'milliseconds']).default('seconds').describe('Of its times, since 1970.'),
  reachMs: timeoutField
    .exactOptional()
    .describe('A sample stands for the points that are later by less than this; left out: for one step.'),
  paths: z
    .strictObject({
      series: path.exactOptional(),
      labels: path.exactOptional(),
      times: path,
      values: path,
      warnings: path.exactOptional(),
      completeTo: path.exactOptional(),
    })
    .describe('Where in an answer things are; those of a series begin at the series.'),
});

const reachMs = timeoutField
  .exactOptional()
  .describe(
    'A value stands for the points that are later by less than this; left out: for one step, or one bucket.',
  );
const bucketMs = timeoutField
  .exactOptional()
  .describe('How long a bucket of its queries is; left out: one step of the analysis.');

const graphite = z.strictObject({
  kind: z.literal('graphite'),
  url: address.describe('Where it answers: what `/render` comes behind.'),
  ...shared,
  delayMs: durationField
    .default(60_000)
    .describe('Only what is older is believed complete: no less than the finest interval that it keeps.'),
  reachMs,
});

const influxdb = z.strictObject({
  kind: z.literal('influxdb'),
  url: address.describe('Where InfluxDB 1.x answers: what `/query` comes behind.'),
  database: z.string().min(1).describe('Name of the database.'),
  retentionPolicy: z
    .string()
    .min(1)
    .exactOptional()
    .describe('Left out: the one that the database has by default.'),
  ...shared,
  delayMs: durationField.default(20_000).describe('Only what is older is believed complete.'),
  reachMs,
});

const opensearch = z.strictObject({
  kind: z.literal('opensearch'),
  url: address.describe('Where OpenSearch or Elasticsearch answers: what `/<index>/_search` comes behind.'),
  index: z
    .string()
    .min(1)
    .max(1_000)
    .describe('An index, several with commas, or a pattern such as `logs-*`.'),
  valuePath: z
    .array(z.string().min(1))
    .min(1)
    .max(20)
    .exactOptional()
    .describe(
      'Where in a bucket its value is, such as [latency, values, "99.0"]; left out: what the aggregation called `value` says.',
    ),
  ...shared,
  delayMs: durationField
    .default(60_000)
    .describe('Only what is older is believed complete: longer than it takes to gather, and to refresh.'),
  reachMs,
});

const cloudwatch = z.strictObject({
  kind: z.literal('cloudwatch'),
  region: z
    .string()
    .regex(/^[a-z]{2,}(-[a-z0-9]+)+$/, 'a region such as eu-central-1')
    .describe('The region of AWS.'),
  endpoint: address.exactOptional().describe('Where it answers; left out: where AWS has it for the region.'),
  tls: shared.tls,
  credentials: z
    .strictObject({
      accessKeyId: z.string().min(1).describe('The id of an access key.'),
      secretAccessKey: secretRefField.describe('Where the worker finds its secret.'),
    })
    .exactOptional()
    .describe('How Edge proves itself; left out: as the SDK of AWS finds it where the worker runs.'),
  timeoutMs: shared.timeoutMs,
  delayMs: durationField
    .default(180_000)
    .describe('Only what is older is believed complete: CloudWatch takes some minutes to gather.'),
  reachMs,
});

const datadog = z.strictObject({
  kind: z.literal('datadog'),
  url: address.describe('That of your site, such as https://api.datadoghq.eu.'),
  apiKey: secretRefField.describe('Where the worker finds the API key.'),
  applicationKey: secretRefField.describe(
    'Where the worker finds the application key, which needs the permission `timeseries_query`.',
  ),
  tls: shared.tls,
  timeoutMs: shared.timeoutMs,
  delayMs: durationField.default(120_000).describe('Only what is older is believed complete.'),
  ...{ bucketMs, reachMs },
});

const newRelic = z.strictObject({
  kind: z.literal('new-relic'),
  url: address.describe('NerdGraph of your region, such as https://api.eu.newrelic.com/graphql.'),
  accountId: z.int('the number of an account').min(1).describe('The account whose data is asked for.'),
  apiKey: secretRefField.describe('Where the worker finds the key, which is one of a user.'),
  tls: shared.tls,
  timeoutMs: shared.timeoutMs,
  delayMs: durationField.default(120_000).describe('Only what is older is believed complete.'),
  ...{ bucketMs, reachMs },
});

const anySource = z.discriminatedUnion('kind', [
  prometheus,
  graphite,
  influxdb,
  opensearch,
  cloudwatch,
  datadog,
  newRelic,
  httpJson,
]);

/** Where metrics are measured, as an environment names it. */
export const metricSourceSchema = anySource.superRefine((source, context) => {
  const sent = secretsSent(source);
  if (!sent || isSafe(sent.to)) return;
  const message = `${sent.what} go over https only, or to this machine`;
  context.addIssue({ code: 'custom', path: [sent.because], message });
});
export type MetricSourceConfig = DeepReadonly<z.infer<typeof metricSourceSchema>>;

type Sent = { readonly to: string; readonly because: string; readonly what: string };

/** What proves who asks, if anything does, and where it goes to. The SDK of AWS proves itself always, and may send a session of its own. */
function secretsSent(source: z.infer<typeof anySource>): Sent | undefined {
  switch (source.kind) {
    case 'cloudwatch':
      return source.endpoint === undefined
        ? undefined
        : { to: source.endpoint, because: 'endpoint', what: 'credentials' };
    case 'datadog':
    case 'new-relic':
      return { to: source.url, because: 'url', what: 'keys' };
    default:
      return source.credentials && { to: source.url, because: 'credentials', what: 'credentials' };
  }
}

/** By its host: what stands before an `@` is none. */
function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
