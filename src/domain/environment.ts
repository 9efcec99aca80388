import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import type { BalancerConfig } from './balancer.ts';
import {
  amountField,
  budgetField,
  durationField,
  localPathField,
  nameField,
  portField,
  secretRefField,
  timeoutField,
} from './fields.ts';
import { healthOverrideSchema } from './health.ts';

export const fingerprintField = z
  .string()
  .regex(
    /^SHA256:[A-Za-z0-9+/]{43}$/,
    'a fingerprint as `ssh-keygen -lf` prints it: SHA256: and 43 characters',
  );

const haproxy = z.strictObject({
  kind: z.literal('haproxy'),
  socket: localPathField.describe('Its runtime socket: a path, or `host:port`.'),
});

const tls = z.union(
  [
    z.enum(['system', 'none']),
    z.strictObject({ ca: localPathField.describe('File with the certificates that are trusted.') }),
    z.strictObject({ fingerprint: z.string().min(1).describe('SHA-256 of its certificate.') }),
  ],
  'one of system, none, { ca: file }, { fingerprint: … }',
);

const f5 = z.strictObject({
  kind: z.literal('f5'),
  url: z
    .url({ protocol: /^https?$/, error: 'an address such as https://f5.example.net' })
    .describe('Where its iControl REST answers.'),
  username: z.string().min(1).describe('Account of Edge on the device.'),
  password: secretRefField.describe('Where the worker finds the password.'),
  partition: z.string().min(1).default('Common').describe('Partition of the pools.'),
  loginProvider: z.string().min(1).default('tmos').describe('Its login provider.'),
  tls: tls.default('system').describe('How its certificate is checked.'),
});

const balancerSchema = z.discriminatedUnion('kind', [haproxy, f5]) satisfies z.ZodType<BalancerConfig>;

const REACTIONS = ['rollback', 'pause', 'abort'] as const;
const health = z.enum(REACTIONS).describe('When health checks failed.');
const other = z.enum(REACTIONS).describe('When anything else failed.');
const minInService = amountField.describe(
  'Floor: how many members of each pool must stay in service; a share is of the configured members, rounded up.',
);
const holdLimitMs = durationField.describe('A paused deployment aborts after this time.');
const capacityWaitMs = timeoutField.describe(
  'How long a target waits for capacity before the deployment is paused.',
);

const ONE = { count: 1 } as const;
const maxFailures = z.strictObject({
  batch: budgetField.default(ONE).describe('Of the targets of one batch.'),
  zone: budgetField.default(ONE).describe('Of the targets of one zone.'),
  deployment: budgetField.default(ONE).describe('Of all targets.'),
});

const policySchema = z.strictObject({
  minInService: minInService.default('75%'),
  maxFailures: maxFailures.prefault({}).describe('How many failures stop a deployment.'),
  onFailure: z
    .strictObject({ health: health.default('rollback'), other: other.default('pause') })
    .prefault({})
    .describe('What happens then.'),
  capacityWaitMs: capacityWaitMs.default(1_800_000),
  holdLimitMs: holdLimitMs.default(86_400_000),
});

/** What a project does differently in this environment; what is left out stays as the environment says. */
export const policyOverrideSchema = z.strictObject({
  minInService: minInService.exactOptional(),
  maxFailures: z
    .strictObject({
      batch: budgetField.exactOptional().describe('Of the targets of one batch.'),
      zone: budgetField.exactOptional().describe('Of the targets of one zone.'),
      deployment: budgetField.exactOptional().describe('Of all targets.'),
    })
    .exactOptional()
    .describe('How many failures stop a deployment.'),
  onFailure: z
    .strictObject({ health: health.exactOptional(), other: other.exactOptional() })
    .exactOptional()
    .describe('What happens then.'),
  capacityWaitMs: capacityWaitMs.exactOptional(),
  holdLimitMs: holdLimitMs.exactOptional(),
});

const zoneSchema = z.strictObject({
  name: nameField.describe('Name of the zone.'),
  pool: nameField.default('default').describe('The worker pool whose workers reach its hosts and balancers.'),
});

export const environmentSchema = z
  .strictObject({
    kind: z.literal('environment').describe('Says what this document is.'),
    name: nameField.describe('Name of the environment.'),
    description: z.string().max(1_000).exactOptional().describe('What it is, for people.'),
    platform: z.literal('datacenter').default('datacenter').describe('What kind of place it is.'),
    ssh: z
      .strictObject({
        user: z.string().min(1).describe('User of the SSH login.'),
        port: portField.default(22).describe('Port of sshd.'),
        identityFile: localPathField.describe('File with the private key, on the machine of the worker.'),
        knownHosts: localPathField
          .exactOptional()
          .describe(
            'File with the keys of the hosts, on the machine of the worker; else each target pins its `hostKey`.',
          ),
      })
      .describe('How Edge logs in to the hosts.'),
    balancers: z.record(nameField, balancerSchema).default({}).describe('The balancers, by name.'),
    zones: z
      .array(zoneSchema)
      .min(1)
      .default([{ name: 'default', pool: 'default' }])
      .describe('The zones, in the order in which deployments go through them.'),
    policy: policySchema.prefault({}).describe('What holds for every project here.'),
    health: healthOverrideSchema
      .exactOptional()
      .describe('Health attributes that differ from those of the projects.'),
    canary: z
      .boolean('write true or false')
      .default(true)
      .describe('Whether deployments start with a canary batch here.'),
    notifications: z
      .boolean('write true or false')
      .default(true)
      .describe('Whether people are told of deployments here.'),
  })
  .describe('A named place: how to reach its hosts and balancers, its zones and its policy.');
export type Environment = DeepReadonly<z.infer<typeof environmentSchema>>;

/**
 * The device that a balancer's name stands for in an environment, the same from every environment that has it (contract C8):
 * where it answers on the network, or the environment's own name for a socket of one machine.
 */
export function deviceOf(
  { name, balancers }: Pick<Environment, 'name' | 'balancers'>,
  balancer: string,
): string {
  const config = balancers[balancer];
  if (config?.kind === 'f5') return new URL(config.url).host;
  const isOfOneMachine = !config || /^(\/|127\.|localhost:|\[::1\])/.test(config.socket);
  return isOfOneMachine ? `${name}/${balancer}` : config.socket;
}

/** The balancers by device. */
export function devicesOf(environment: Pick<Environment, 'name' | 'balancers'>): Environment['balancers'] {
  const named = Object.entries(environment.balancers);
  return Object.fromEntries(named.map(([name, config]) => [deviceOf(environment, name), config]));
}
