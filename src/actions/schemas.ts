import { z } from 'zod';
import type { BalancerConfig } from '../domain/balancer.ts';
import type { HeldMember } from '../domain/capacity.ts';
import { secretRefField } from '../domain/fields.ts';
import type { HostAddress } from '../ports/hosts.ts';

// Shapes that inputs of several actions share; each `satisfies` holds one to its type in domain or ports.

const hostKey = z.union([
  z.strictObject({ knownHosts: z.string().min(1) }),
  z.strictObject({ fingerprint: z.string().min(1) }),
]);

/** `HostAddress` of the Hosts port. */
export const hostAddress = z.strictObject({
  name: z.string().min(1),
  address: z.string().min(1),
  port: z.int().min(1).max(65_535),
  user: z.string().min(1),
  identityFile: z.string().min(1),
  hostKey,
}) satisfies z.ZodType<HostAddress>;

export const memberRef = z.strictObject({ balancer: z.string(), pool: z.string(), member: z.string() });

const asFound = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
export const heldMember = memberRef.extend({ asFound }) satisfies z.ZodType<HeldMember>;

const tls = z.union([
  z.strictObject({ ca: z.string() }),
  z.strictObject({ fingerprint: z.string() }),
  z.enum(['system', 'none']),
]);
const balancerConfig = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('haproxy'), socket: z.string() }),
  z.strictObject({
    kind: z.literal('f5'),
    url: z.string(),
    username: z.string(),
    password: secretRefField,
    partition: z.string(),
    loginProvider: z.string(),
    tls,
  }),
]) satisfies z.ZodType<BalancerConfig>;
/** How to reach the balancers that members name. */
export const balancers = z.record(z.string(), balancerConfig);

const plannedArtifact = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  path: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().min(0),
  unpack: z.enum(['tar.gz', 'none']),
});
/** `PlannedRelease` of the plan. The id names a folder on the host, so it is checked again here. */
export const plannedRelease = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/),
  version: z.string(),
  hash: z.string(),
  artifacts: z.array(plannedArtifact),
});
