import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { argvField, portField, timeoutField } from './fields.ts';

/** How the running version is read from the answer of an HTTP check. It must be that of the release. */
const versionSource = z.union(
  [
    z.strictObject({
      header: z.string().min(1).describe('Name of the header of the answer that holds the version.'),
    }),
    z.strictObject({
      jsonPath: z
        .string()
        .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'names with dots between, such as build.version')
        .describe('Where the version is in the JSON of the answer: names with dots between.'),
    }),
  ],
  'either { header: … } or { jsonPath: … }',
);

const checkPort = portField
  .exactOptional()
  .describe('Port to ask on targets that name no `port` of their own.');
const lookTimeout = timeoutField.default(5_000).describe('How long one look may take.');

const valuePath = z
  .string()
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'names with dots between, such as checks.0.status');

const jsonValue = z.strictObject({
  path: valuePath.describe(
    'Where in the JSON of the answer: names with dots between, numbers count in lists from 0.',
  ),
  equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).describe('The value that means healthy.'),
});

const httpCheck = z.strictObject({
  kind: z.literal('http'),
  scheme: z.enum(['http', 'https']).default('http').describe('Scheme of the address.'),
  port: checkPort,
  path: z
    .string()
    .regex(/^\/\S*$/, 'a path starts with a slash')
    .default('/')
    .describe('Path, with its query.'),
  headers: z.record(z.string(), z.string()).default({}).describe('Headers to send, such as Host.'),
  status: z.int().min(100).max(599).default(200).describe('The status that means healthy.'),
  body: z.string().min(1).exactOptional().describe('A text that the answer must contain.'),
  json: jsonValue.exactOptional().describe('A value that the JSON of the answer must have.'),
  version: versionSource
    .exactOptional()
    .describe('Where the answer says which version runs; it must be that of the release.'),
  timeoutMs: lookTimeout,
});

const tcpCheck = z.strictObject({ kind: z.literal('tcp'), port: checkPort, timeoutMs: lookTimeout });

const commandCheck = z.strictObject({
  kind: z.literal('command'),
  argv: argvField.describe('Runs on the target in the folder of the project; exit status 0 means healthy.'),
  timeoutMs: lookTimeout,
});

const balancerCheck = z.strictObject({ kind: z.literal('balancer'), timeoutMs: lookTimeout });

export const healthCheckSchema = z.discriminatedUnion('kind', [
  httpCheck,
  tcpCheck,
  commandCheck,
  balancerCheck,
]);
export type HealthCheck = DeepReadonly<z.infer<typeof healthCheckSchema>>;

const check = healthCheckSchema.describe(
  'What is asked: `http`, `tcp`, `command`, or `balancer`: whether the monitor of its balancer sees every member of the target up. It is as fresh as that monitor: let `passes` times `intervalMs` be longer than its interval. A balancer looks at no member that is offline, where every drain of an F5 ends, and one of an HAProxy with cookies; nginx looks at none at all: there ask the service itself.',
);
const passes = z.int().min(1).max(100).describe('Healthy means: this many passes in a row.');
const intervalMs = timeoutField.describe('Time from one look to the next.');
const windowMs = timeoutField.describe('The target fails if it is not healthy after this time.');

export const healthSchema = z.strictObject({
  check,
  passes: passes.default(3),
  intervalMs: intervalMs.default(1_000),
  windowMs: windowMs.default(60_000),
});
/** How a target shows that it is well. */
export type Health = DeepReadonly<z.infer<typeof healthSchema>>;

/** What an environment, or a project in it, does differently; what is left out stays as the project says. */
export const healthOverrideSchema = z.strictObject({
  check: check.exactOptional(),
  passes: passes.exactOptional(),
  intervalMs: intervalMs.exactOptional(),
  windowMs: windowMs.exactOptional(),
});
