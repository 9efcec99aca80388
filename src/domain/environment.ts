import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { BALANCER } from './analysis.ts';
import { type BalancerConfig, socketsOf } from './balancer.ts';
import { commandPolicySchema } from './command-policy.ts';
import {
  amountField,
  argvField,
  budgetField,
  durationField,
  hostField,
  localPathField,
  nameField,
  portField,
  secretRefField,
} from './fields.ts';
import { healthOverrideSchema } from './health.ts';
import { metricSourceSchema } from './metric-source.ts';
import { sshSchema } from './ssh.ts';

export const fingerprintField = z
  .string()
  .regex(
    /^SHA256:[A-Za-z0-9+/]{43}$/,
    'a fingerprint as `ssh-keygen -lf` prints it: SHA256: and 43 characters',
  );

const different = (values: readonly string[]): boolean => new Set(values).size === values.length;

const haproxy = z
  .strictObject({
    kind: z.literal('haproxy'),
    socket: localPathField.exactOptional().describe('Its runtime socket: a path, or `host:port`.'),
    sockets: z
      .array(localPathField)
      .min(1)
      .max(16)
      .refine(different, 'each socket once')
      .exactOptional()
      .describe('Or those of all instances that serve together: each is written and read.'),
  })
  .refine(({ socket, sockets }) => (socket === undefined) !== (sockets === undefined), {
    path: ['socket'],
    message: 'give socket, or sockets where several instances serve together',
  });

const absolutePathField = z
  .string()
  .regex(/^\/[^\p{Cc}|]{1,1023}$/u, 'an absolute path, such as /etc/nginx/conf.d/web.conf');

const nginx = z
  .strictObject({
    kind: z.literal('nginx'),
    hosts: z
      .array(
        z.strictObject({
          address: hostField.describe('Host name or IP address.'),
          hostKey: fingerprintField
            .exactOptional()
            .describe('Fingerprint of its host key, in place of known_hosts.'),
        }),
      )
      .min(1)
      .max(16)
      .refine((hosts) => different(hosts.map(({ address }) => address)), 'each host once')
      .describe('The hosts on which nginx runs: each is written and read.'),
    ssh: z
      .strictObject({
        user: z.string().min(1).describe('User of the SSH login.'),
        port: portField.default(22).describe('Port of sshd.'),
        identityFile: localPathField.describe('File with the private key, on the machine of the worker.'),
        knownHosts: localPathField
          .exactOptional()
          .describe('File with the keys of the hosts; else each host pins its `hostKey`.'),
      })
      .describe('How Edge logs in to these hosts.'),
    file: absolutePathField.describe('The file of nginx that has the upstreams; Edge changes it.'),
    pidFile: absolutePathField.default('/run/nginx.pid').describe('Where nginx keeps its process id.'),
    test: argvField.default(['nginx', '-t']).describe('Command that tests the configuration.'),
    reload: argvField.default(['nginx', '-s', 'reload']).describe('Command that makes nginx load it.'),
    runAs: nameField
      .exactOptional()
      .describe('All of it runs as this user, through sudo; else as that of the login.'),
  })
  .refine(
    ({ hosts, ssh }) => ssh.knownHosts !== undefined || hosts.every(({ hostKey }) => hostKey !== undefined),
    { path: ['hosts'], message: 'give each host its hostKey, or ssh.knownHosts' },
  );

const tls = z.union(
  [
    z.enum(['system', 'none']),
    z.strictObject({ ca: localPathField.describe('File with the certificates that are trusted.') }),
    z.strictObject({ fingerprint: z.string().min(1).describe('SHA-256 of its certificate.') }),
  ],
  'one of system, none, { ca: file }, { fingerprint: … }',
);

const f5Url = z.url({ protocol: /^https?$/, error: 'an address such as https://f5.example.net' });

const f5 = z
  .strictObject({
    kind: z.literal('f5'),
    url: f5Url.describe(
      'Where its iControl REST answers. Its host names the device: the same in all environments that have it.',
    ),
    peer: f5Url
      .exactOptional()
      .describe('Where the other unit of the pair answers; Edge works on the one that is active.'),
    sync: z
      .enum(['auto', 'off'])
      .exactOptional()
      .describe(
        '`auto`, if left out: a change counts when the peer has it; Edge pushes where the device group does not sync by itself. `off`: the active unit alone, so that a failover forgets drains.',
      ),
    save: z
      .enum(['after-changes', 'off'])
      .exactOptional()
      .describe(
        '`after-changes`: the configuration is saved, so that a reboot does not forget. Left out: `off`.',
      ),
    username: z.string().min(1).describe('Account of Edge on the device.'),
    password: secretRefField.describe('Where the worker finds the password.'),
    partition: z.string().min(1).default('Common').describe('Partition of the pools.'),
    loginProvider: z.string().min(1).default('tmos').describe('Its login provider.'),
    tls: tls.default('system').describe('How its certificate is checked.'),
    peerTls: tls
      .exactOptional()
      .describe(
        'How the certificate of the peer is checked; left out: as `tls` says. Two units have two fingerprints.',
      ),
  })
  .refine(({ url, peer }) => peer === undefined || new URL(peer).host !== new URL(url).host, {
    path: ['peer'],
    error: 'the other unit of the pair, not that of `url` again',
  });

const balancerSchema = z.discriminatedUnion('kind', [haproxy, nginx, f5]) satisfies z.ZodType<BalancerConfig>;

const REACTIONS = ['rollback', 'pause', 'abort'] as const;
const health = z.enum(REACTIONS).describe('When health checks failed.');
const other = z.enum(REACTIONS).describe('When anything else failed.');
const LET_PASS = [...REACTIONS, 'continue'] as const;
const ofCanary = {
  canary: z
    .enum(REACTIONS)
    .exactOptional()
    .describe('When the canary was shown to be worse. Left out: `rollback`.'),
  unsure: z
    .enum(LET_PASS)
    .exactOptional()
    .describe('When nobody can say whether it is. Left out: `pause`, so that a person is asked.'),
  noData: z
    .enum(LET_PASS)
    .exactOptional()
    .describe('When there is nothing to judge it by. Left out: `pause`.'),
};
const minInService = amountField.describe(
  'Floor: how many members of each pool must stay in service; a share is of the configured members, rounded up.',
);
const minInServicePerZone = amountField.describe(
  'Floor of each zone as well: how many of its members in a pool must stay in service, so that a pool that spans zones keeps some in each. Left out, or 0: only the floors of the pools. A pool that has 0 in `floors` has none for its zones either.',
);
const holdLimitMs = durationField.describe('A paused deployment aborts after this time.');
const capacityWaitMs = durationField.describe(
  'How long a target waits for capacity before the deployment is paused; 0: it is paused at once. Targets that wait for others of their own deployment to come back only make its batch smaller.',
);

const approvers = z
  .int()
  .min(0)
  .max(20)
  .describe('So many people other than who asked for it; 0: nobody has to.');
const approvalLimitMs = durationField.describe(
  'A deployment that waits for approvals aborts after this time; nothing of it has begun then.',
);
const after = z
  .array(nameField)
  .min(1)
  .max(20)
  .refine(different, 'each environment once')
  .describe(
    'A release comes here only once its last deployment to each of these environments has fully succeeded.',
  );

const ONE = { count: 1 } as const;
const maxFailures = z.strictObject({
  batch: budgetField.default(ONE).describe('Of the targets of one batch.'),
  zone: budgetField.default(ONE).describe('Of the targets of one zone.'),
  deployment: budgetField.default(ONE).describe('Of all targets.'),
});

const policySchema = z.strictObject({
  minInService: minInService.default('75%'),
  minInServicePerZone: minInServicePerZone.exactOptional(),
  maxFailures: maxFailures.prefault({}).describe('How many failures stop a deployment.'),
  onFailure: z
    .strictObject({ health: health.default('rollback'), other: other.default('pause'), ...ofCanary })
    .prefault({})
    .describe('What happens then.'),
  capacityWaitMs: capacityWaitMs.default(1_800_000),
  holdLimitMs: holdLimitMs.default(86_400_000),
  approvals: z
    .strictObject({ count: approvers, limitMs: approvalLimitMs.default(86_400_000) })
    .exactOptional()
    .describe('Who must have read and approved the plan of a deployment before it starts. Left out: nobody.'),
  after: after.exactOptional(),
});

/** What a project does differently in this environment; what is left out stays as the environment says. */
export const policyOverrideSchema = z.strictObject({
  minInService: minInService.exactOptional(),
  minInServicePerZone: minInServicePerZone.exactOptional(),
  maxFailures: z
    .strictObject({
      batch: budgetField.exactOptional().describe('Of the targets of one batch.'),
      zone: budgetField.exactOptional().describe('Of the targets of one zone.'),
      deployment: budgetField.exactOptional().describe('Of all targets.'),
    })
    .exactOptional()
    .describe('How many failures stop a deployment.'),
  onFailure: z
    .strictObject({ health: health.exactOptional(), other: other.exactOptional(), ...ofCanary })
    .exactOptional()
    .describe('What happens then.'),
  capacityWaitMs: capacityWaitMs.exactOptional(),
  holdLimitMs: holdLimitMs.exactOptional(),
  approvals: z
    .strictObject({ count: approvers.exactOptional(), limitMs: approvalLimitMs.exactOptional() })
    .exactOptional()
    .describe('Who must have read and approved the plan of a deployment before it starts.'),
  after: after.exactOptional(),
});

/** What an environment decides, and a project may decide otherwise for itself unless it is locked. */
const LOCKABLE = [
  'minInService',
  'minInServicePerZone',
  'maxFailures',
  'onFailure',
  'capacityWaitMs',
  'holdLimitMs',
  'approvals',
  'after',
  'health',
  'canary',
  'analysis',
  'notifications',
  'scripts',
] as const;

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
    ssh: sshSchema,
    balancers: z.record(nameField, balancerSchema).default({}).describe('The balancers, by name.'),
    metrics: z
      .record(nameField, metricSourceSchema)
      .refine((metrics) => !Object.hasOwn(metrics, BALANCER), {
        path: [BALANCER],
        message: 'a name of its own: this one stands for what the balancers count',
      })
      .exactOptional()
      .describe('Where metrics are measured, by name: what canaries are judged by.'),
    zones: z
      .array(zoneSchema)
      .min(1)
      .default([{ name: 'default', pool: 'default' }])
      .describe('The zones, in the order in which deployments go through them.'),
    policy: policySchema.prefault({}).describe('What holds for every project here.'),
    strategies: z
      .array(nameField)
      .min(1)
      .max(100)
      .exactOptional()
      .describe(
        'The strategies that projects choose from here, by name; none is written in place then. Left out: any.',
      ),
    locked: z
      .array(z.enum(LOCKABLE))
      .exactOptional()
      .describe('What no project sets otherwise for itself here.'),
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
    commands: commandPolicySchema
      .exactOptional()
      .describe(
        'Which commands and scripts may run on the targets here, whatever projects say. Left out: any.',
      ),
    scripts: z
      .record(nameField, nameField)
      .exactOptional()
      .describe('What other script is run here in place of one that steps name: `name: other`.'),
  })
  .describe('A named place: how to reach its hosts and balancers, its zones and its policy.');
export type Environment = DeepReadonly<z.infer<typeof environmentSchema>>;

/**
 * The device that a balancer's name stands for in an environment, the same from every environment that has it (contract C8):
 * where it answers on the network, or the environment's own name for what only one machine can reach. A pair is one device,
 * named by its `url`, whichever unit is active.
 */
export function deviceOf(
  { name, balancers }: Pick<Environment, 'name' | 'balancers'>,
  balancer: string,
): string {
  const config = balancers[balancer];
  const addresses = config ? addressesOf(config) : [];
  const isOfOneMachine = addresses.length === 0 || addresses.some(isLocal);
  if (isOfOneMachine && config?.kind !== 'f5') return `${name}/${balancer}`;
  // One nginx may have a file for each upstream, and an environment a balancer for each file.
  return `${addresses.toSorted().join(',')}${config?.kind === 'nginx' ? config.file : ''}`;
}

function addressesOf(config: BalancerConfig): readonly string[] {
  switch (config.kind) {
    case 'f5':
      return [new URL(config.url).host];
    case 'haproxy':
      return socketsOf(config);
    case 'nginx':
      return config.hosts.map(({ address }) => address);
    default:
      return config satisfies never;
  }
}

const isLocal = (address: string): boolean => /^(\/|127\.|localhost(:|$)|(\[::1\]|::1$))/.test(address);

/** The balancers by device. */
export function devicesOf(environment: Pick<Environment, 'name' | 'balancers'>): Environment['balancers'] {
  const named = Object.entries(environment.balancers);
  return Object.fromEntries(named.map(([name, config]) => [deviceOf(environment, name), config]));
}
