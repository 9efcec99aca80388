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

/** Where metrics are measured, as an environment names it. */
export const metricSourceSchema = z
  .discriminatedUnion('kind', [prometheus, httpJson])
  .refine(({ url, credentials }) => credentials === undefined || isSafe(url), {
    path: ['credentials'],
    message: 'credentials go over https only, or to this machine',
  });
export type MetricSourceConfig = DeepReadonly<z.infer<typeof metricSourceSchema>>;

const isSafe = (url: string): boolean =>
  url.startsWith('https:') || /^http:\/\/(localhost|127\.[\d.]+|\[::1\])([:/?]|$)/.test(url);
