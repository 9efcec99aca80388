import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { analysisSchema } from './analysis.ts';
import type { MemberRef } from './balancer.ts';
import { deviceOf, type Environment, fingerprintField, policyOverrideSchema } from './environment.ts';
import { amountField, envField, hostField, nameField, portField, vendorNameField } from './fields.ts';
import { healthOverrideSchema } from './health.ts';
import { inventorySchema } from './inventory.ts';
import { projectOverridesSchema } from './project.ts';
import { inlineStrategySchema } from './strategy.ts';

const memberSchema = z.strictObject({
  balancer: nameField
    .exactOptional()
    .describe('Name of the balancer; may be left out where there is only one.'),
  pool: vendorNameField.describe('Pool (of HAProxy: backend; of nginx: upstream).'),
  member: vendorNameField.describe(
    'Name of the member as the balancer has it (of nginx: address of the server).',
  ),
});

const SHORTHAND = 'pool/member, such as web/web-1:8080';
/** A target as it is written, or as a row of an inventory says. */
export const targetSchema = z
  .strictObject({
    name: nameField.describe('Name of the target, unique here.'),
    address: hostField.describe('Host name or IP address.'),
    sshPort: portField.exactOptional().describe('Port of sshd, if it is not that of the environment.'),
    port: portField.exactOptional().describe('Port of the service; health checks ask it.'),
    zone: nameField.exactOptional().describe('Zone; may be left out where there is only one.'),
    hostKey: fingerprintField
      .exactOptional()
      .describe('Fingerprint of its host key, in place of known_hosts.'),
    member: z
      .string()
      .regex(/^[^\s|/]+\/[^\s|]+$/, SHORTHAND)
      .exactOptional()
      .describe('Short for one member of the only balancer, as `pool/member`.'),
    members: z
      .array(memberSchema)
      .max(32)
      .exactOptional()
      .describe('Its members, in full. Without any it has no balancer: nothing is drained.'),
    env: envField
      .exactOptional()
      .describe('Environment variables that are added or replaced on this target.'),
  })
  .refine((target) => target.member === undefined || target.members === undefined, {
    path: ['member'],
    message: 'give member or members, not both',
  });
export type TargetConfig = DeepReadonly<z.infer<typeof targetSchema>>;

/**
 * The members of a target, with the names that its environment gives to balancers. A member that names none belongs to the
 * only one.
 */
export function namedMembers(
  target: TargetConfig,
  { balancers }: Pick<Environment, 'balancers'>,
): readonly MemberRef[] {
  const names = Object.keys(balancers);
  const only = names.length === 1 ? names[0] : undefined;
  return writtenMembers(target).map(({ balancer = only ?? '', pool, member }) => ({
    balancer,
    pool,
    member,
  }));
}

/** The same with the devices that these names stand for: what plans and holds say, so that environments may share a device. */
export function membersOf(target: TargetConfig, environment: Environment): readonly MemberRef[] {
  return namedMembers(target, environment).map((ref) => ({
    ...ref,
    balancer: deviceOf(environment, ref.balancer),
  }));
}

/** The members of a target as they are written, the short form taken apart. */
export function writtenMembers(target: TargetConfig): NonNullable<TargetConfig['members']> {
  if (target.member === undefined) return target.members ?? [];
  const slash = target.member.indexOf('/');
  return [{ pool: target.member.slice(0, slash), member: target.member.slice(slash + 1) }];
}

export const projectEnvironmentSchema = z
  .strictObject({
    kind: z.literal('project-environment').describe('Says what this document is.'),
    project: nameField.describe('Name of the project.'),
    environment: nameField.describe('Name of the environment.'),
    strategy: z
      .union([nameField, inlineStrategySchema], 'the name of a strategy, or a strategy written in place')
      .prefault({})
      .describe('Name of a strategy, or one written in place.'),
    targets: z
      .union(
        [z.array(targetSchema).min(1).max(100_000), inventorySchema],
        'a list of targets, or { from: pool, file, command or http, … }',
      )
      .describe(
        'The hosts, in the order in which they are deployed to; or the inventory that they are read from, by name, when a plan is made.',
      ),
    floors: z
      .record(vendorNameField, amountField)
      .default({})
      .describe('`minInService` of single pools, by `pool` or `balancer/pool`.'),
    policy: policyOverrideSchema
      .exactOptional()
      .describe('Policy that differs from that of the environment.'),
    health: healthOverrideSchema.exactOptional().describe('Health attributes that differ here.'),
    overrides: projectOverridesSchema.exactOptional().describe('Settings of the project that differ here.'),
    canary: z
      .boolean('write true or false')
      .exactOptional()
      .describe('Canary on or off, if not as the environment says.'),
    analysis: analysisSchema
      .exactOptional()
      .describe('By which metrics its canary is judged here, all in place of what the project says.'),
    notifications: z
      .boolean('write true or false')
      .exactOptional()
      .describe('Notifications on or off, if not as the environment says.'),
    drift: z
      .strictObject({
        everyMs: z
          .int('a whole number of milliseconds')
          .min(1_000)
          .max(30 * 24 * 3_600_000)
          .describe(
            'How long from the beginning of one look to that of the next, such as 21600000 for six hours.',
          ),
      })
      .exactOptional()
      .describe('What is on the targets is compared by itself with what Edge put there; see `edge drift`.'),
    scripts: z
      .record(nameField, nameField)
      .exactOptional()
      .describe('What other script is run here in place of one that steps name: `name: other`.'),
  })
  .describe('A project in one environment: its targets and what differs there.');
export type ProjectEnvironment = DeepReadonly<z.infer<typeof projectEnvironmentSchema>>;

/** The same with the targets that its inventory gave, or that stand there. */
export type WithTargets = Omit<ProjectEnvironment, 'targets'> & { readonly targets: readonly TargetConfig[] };

/** Whether the targets stand there, and not only where to read them. */
export const isList = (targets: ProjectEnvironment['targets']): targets is readonly TargetConfig[] =>
  Array.isArray(targets);
