import { z } from 'zod';
import { type PlannedArtifact, repositoryField, sourceUrlField, UNPACKS } from '../domain/artifact.ts';
import type { BalancerConfig } from '../domain/balancer.ts';
import type { HeldMember } from '../domain/capacity.ts';
import { secretRefField } from '../domain/fields.ts';
import type { PlannedFiles } from '../domain/plan.ts';
import { filePathField } from '../domain/property-file.ts';
import type { HostAddress } from '../ports/hosts.ts';

// Shapes that inputs of several actions share; each `satisfies` holds one to its type in domain or ports.

const hostKey = z.union([
  z.strictObject({ knownHosts: z.string().min(1) }),
  z.strictObject({ fingerprint: z.string().min(1) }),
  z.strictObject({ config: z.literal(true) }),
]);

const sshPort = z.int().min(1).max(65_535).exactOptional();
const jumpHost = z.strictObject({
  address: z.string().min(1),
  port: sshPort,
  user: z.string().min(1).exactOptional(),
  hostKey,
});

/** `HostAddress` of the Hosts port. */
export const hostAddress = z.strictObject({
  name: z.string().min(1),
  address: z.string().min(1),
  port: sshPort,
  user: z.string().min(1).exactOptional(),
  config: z.string().min(1).exactOptional(),
  identityFile: z.string().min(1).exactOptional(),
  passphrase: secretRefField.exactOptional(),
  agent: z.union([z.literal(true), z.string().min(1)]).exactOptional(),
  password: secretRefField.exactOptional(),
  hostKey,
  jump: z.array(jumpHost).exactOptional(),
  transport: z.literal('openssh').exactOptional(),
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
  z.strictObject({
    kind: z.literal('haproxy'),
    socket: z.string().exactOptional(),
    sockets: z.array(z.string()).exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('nginx'),
    hosts: z.array(z.strictObject({ address: z.string(), hostKey: z.string().exactOptional() })),
    ssh: z.strictObject({
      user: z.string(),
      port: z.int(),
      identityFile: z.string(),
      knownHosts: z.string().exactOptional(),
    }),
    file: z.string(),
    pidFile: z.string(),
    test: z.array(z.string()),
    reload: z.array(z.string()),
    runAs: z.string().exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('f5'),
    url: z.string(),
    peer: z.string().exactOptional(),
    sync: z.enum(['auto', 'off']).exactOptional(),
    save: z.enum(['after-changes', 'off']).exactOptional(),
    username: z.string(),
    password: secretRefField,
    partition: z.string(),
    loginProvider: z.string(),
    tls,
    peerTls: tls.exactOptional(),
  }),
]) satisfies z.ZodType<BalancerConfig>;
/** How to reach the balancers that members name. */
export const balancers = z.record(z.string(), balancerConfig);

const artifactFields = {
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().min(0),
  unpack: z.enum(UNPACKS),
};
const credentials = secretRefField.exactOptional();
const gitArtifact = z.strictObject({
  repository: repositoryField,
  commit: z.string(),
  folder: z.string().exactOptional(),
});
const plannedArtifact = z.union([
  z.strictObject({ ...artifactFields, path: z.string().min(1) }),
  z.strictObject({ ...artifactFields, url: sourceUrlField, maven: z.string().exactOptional(), credentials }),
  z.strictObject({ ...artifactFields, git: gitArtifact, credentials }),
  z.strictObject({ ...artifactFields, upload: z.literal(true) }),
]) satisfies z.ZodType<PlannedArtifact>;
const namedScope = { environment: z.string(), zone: z.string(), target: z.string() };
/** `PlannedFiles` of the plan. The paths name places on the host, so they are checked again here. */
export const plannedFiles = z.strictObject({
  files: z.array(
    z.strictObject({ path: filePathField, mode: z.string().regex(/^0?[0-7]{3}$/), template: z.string() }),
  ),
  variables: z.array(
    z.strictObject({
      name: z.string(),
      value: z.string().exactOptional(),
      secret: secretRefField.exactOptional(),
      environment: z.string().exactOptional(),
      zone: z.string().exactOptional(),
      target: z.string().exactOptional(),
    }),
  ),
  place: z.strictObject({
    ...namedScope,
    project: z.string(),
    address: z.string(),
    port: z.number().nullable(),
    version: z.string(),
    release: z.string(),
  }),
  digest: z.string().nullable(),
}) satisfies z.ZodType<PlannedFiles>;

/** `PlannedRelease` of the plan, without its properties. The id names a folder on the host, so it is checked again here. */
export const plannedRelease = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/),
  version: z.string(),
  hash: z.string(),
  artifacts: z.array(plannedArtifact),
});
