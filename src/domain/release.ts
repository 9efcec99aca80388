import { z } from 'zod';
import { hashOf } from '../lib/hash.ts';
import type { DeepReadonly } from '../lib/types.ts';
import { localPathField, nameField, versionField } from './fields.ts';
import { type ReleaseId, releaseId } from './ids.ts';
import type { PlannedArtifact, PlannedRelease } from './plan.ts';

const sourceSchema = z.strictObject({
  repository: z.string().min(1).max(1_000).describe('Where the code is.'),
  commit: z
    .string()
    .regex(/^[0-9a-f]{7,64}$/, '7 to 64 lower-case hex digits')
    .describe('The commit that was built.'),
  committedAt: z.iso
    .datetime({ offset: true, error: 'a time such as 2026-03-01T12:00:00Z' })
    .exactOptional()
    .describe('When it was committed.'),
  tickets: z.array(z.string().min(1).max(100)).max(1_000).default([]).describe('The tickets that are in it.'),
});

const artifactSchema = z.strictObject({
  name: nameField.describe('File name of the artifact on the hosts.'),
  path: localPathField.describe('The file, on the machines of the server and the workers.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')
    .exactOptional()
    .describe('Digest of the file; if given, the file must have it.'),
  unpack: z
    .enum(['tar.gz', 'none'])
    .default('none')
    .describe('Whether it is unpacked into the release folder.'),
});

export const releaseRequestSchema = z
  .strictObject({
    kind: z.literal('release').describe('Says what this document is.'),
    project: nameField.describe('The project that it is a release of.'),
    version: versionField.describe('Its version; unique content for each version.'),
    artifacts: z.array(artifactSchema).max(100).default([]).describe('The files that are put on the hosts.'),
    source: sourceSchema.exactOptional().describe('What it was built from.'),
  })
  .refine(({ artifacts }) => new Set(artifacts.map(({ name }) => name)).size === artifacts.length, {
    path: ['artifacts'],
    message: 'two artifacts have the same name',
  })
  .describe('Something to deploy: the artifacts of one version. It never changes once it exists.');
/** A release as it is asked for. Digests and sizes of the files are added by who can read them: see `makeRelease`. */
export type ReleaseRequest = DeepReadonly<z.infer<typeof releaseRequestSchema>>;

/** A release: immutable, but for the mark `bad` that people may put on it. */
export type Release = Omit<ReleaseRequest, 'artifacts'> & {
  readonly id: ReleaseId;
  /** SHA-256 over project, version, artifacts by digest, and source; not over where the files lie. */
  readonly hash: string;
  readonly artifacts: readonly PlannedArtifact[];
  readonly createdAt: number;
  /** A bad release is never chosen by `edge rollback` by itself. */
  readonly bad?: { readonly by: string; readonly reason: string; readonly at: number };
};

export type MeasuredFile = { readonly sha256: string; readonly sizeBytes: number };

/** The release of a request. `files`: what was measured of each artifact, in order; `createdAt` in ms since the epoch. */
export function makeRelease(
  request: ReleaseRequest,
  files: readonly MeasuredFile[],
  createdAt: number,
): Release {
  const artifacts = request.artifacts.map((artifact, index) => {
    const file = files[index];
    if (!file) throw new Error(`artifact ${artifact.name} was not measured`);
    return { ...artifact, ...file };
  });
  const hash = hashOf({
    project: request.project,
    version: request.version,
    source: request.source,
    artifacts: artifacts.map(({ name, sha256, unpack }) => ({ name, sha256, unpack })),
  });
  return { ...request, artifacts, hash, id: releaseId(`${request.version}-${hash.slice(0, 8)}`), createdAt };
}

/** As much of a release as a plan holds. */
export function plannedRelease({ id, version, hash, artifacts }: Release): PlannedRelease {
  return { id, version, hash, artifacts };
}
