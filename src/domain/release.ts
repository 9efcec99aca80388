import { z } from 'zod';
import { hashOf } from '../lib/hash.ts';
import type { DeepReadonly } from '../lib/types.ts';
import { type ArtifactPlace, artifactSchema, type MeasuredFile, type PlannedArtifact } from './artifact.ts';
import { nameField, versionField } from './fields.ts';
import { type ReleaseId, releaseId } from './ids.ts';
import type { PlannedRelease } from './plan.ts';
import { clashing, type PropertyFile, propertyFileSchema } from './property-file.ts';
import { inOrder, repeated, type Variable, variableSchema } from './variable.ts';

const wordsField = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^\P{Cc}+$/u, 'text in one line');

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
  tickets: z.array(wordsField(100)).max(1_000).default([]).describe('The tickets that are in it.'),
  authors: z.array(wordsField(200)).max(1_000).exactOptional().describe('Who wrote what is in it.'),
});

export const releaseRequestSchema = z
  .strictObject({
    kind: z.literal('release').describe('Says what this document is.'),
    project: nameField.describe('The project that it is a release of.'),
    version: versionField.describe('Its version; unique content for each version.'),
    reports: versionField
      .exactOptional()
      .describe(
        'The version that its health page shows, where that is not `version`: that of the artifact, in a release that only changes property files.',
      ),
    artifacts: z.array(artifactSchema).max(100).default([]).describe('The files that are put on the hosts.'),
    files: z
      .array(propertyFileSchema)
      .max(100)
      .default([])
      .describe('Property files, made for each target from templates.'),
    variables: z
      .array(variableSchema)
      .max(10_000)
      .default([])
      .describe('The values of variables, each with where it holds: the nearest to the target is taken.'),
    source: sourceSchema.exactOptional().describe('What it was built from.'),
  })
  .superRefine(({ artifacts, files, variables }, context) => {
    const wrong = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (new Set(artifacts.map(({ name }) => name)).size < artifacts.length)
      wrong('artifacts', 'two artifacts have the same name');
    const copied = artifacts.filter(({ unpack }) => unpack === 'none').map(({ name }) => name);
    const clash = clashing([...copied, ...files.map(({ path }) => path)]);
    if (clash) wrong('files', `there cannot be both ${clash[0]} and ${clash[1]}`);
    const twice = repeated(variables);
    if (twice) wrong('variables', `${twice.name} has two values for the same place`);
  })
  .describe(
    'Something to deploy: artifacts, property files and variables of one version. It never changes once it exists.',
  );
/** A release as it is asked for. Digests and sizes of the files are added by who can read them: see `makeRelease`. */
export type ReleaseRequest = DeepReadonly<z.infer<typeof releaseRequestSchema>>;

/** A release: immutable, but for the mark `bad` that people may put on it. */
export type Release = Omit<ReleaseRequest, 'artifacts' | 'files' | 'variables'> &
  Properties & {
    readonly id: ReleaseId;
    /** SHA-256 over project, version, artifacts by digest, files, variables and source; not over where anything lies. */
    readonly hash: string;
    readonly artifacts: readonly PlannedArtifact[];
    readonly createdAt: number;
    /** A bad release is never chosen by `edge rollback` by itself. */
    readonly bad?: { readonly by: string; readonly reason: string; readonly at: number };
  };

/** Left out where there are none, as they are in releases of Edge 0.1. */
type Properties = {
  readonly files?: readonly PropertyFile[];
  /** In the order of `inOrder`. */
  readonly variables?: readonly Variable[];
};

/** What was found of an artifact, and where it is had from again. */
export type TakenArtifact = MeasuredFile & { readonly place: ArtifactPlace };
/** What was read of the files that a request names: of each artifact, and of each property file its template; in order. */
export type ReadFiles = {
  readonly artifacts: readonly TakenArtifact[];
  readonly templates?: readonly string[];
};

/** The release of a request; `createdAt` in ms since the epoch. */
export function makeRelease(request: ReleaseRequest, read: ReadFiles, createdAt: number): Release {
  const artifacts = request.artifacts.map(({ name, unpack }, index): PlannedArtifact => {
    const taken = read.artifacts[index];
    if (!taken) throw new Error(`artifact ${name} was not taken`);
    const { place, sha256, sizeBytes } = taken;
    return { name, unpack, sha256, sizeBytes, ...place };
  });
  const { files: _files, variables: _variables, ...rest } = request;
  const properties = propertiesOf(request, read.templates ?? []);
  const hash = hashOf({
    project: request.project,
    version: request.version,
    source: request.source,
    artifacts: artifacts.map(({ name, sha256, unpack }) => ({ name, sha256, unpack })),
    reports: request.reports,
    ...properties,
  });
  const id = releaseId(`${request.version}-${hash.slice(0, 8)}`);
  return { ...rest, artifacts, ...properties, hash, id, createdAt };
}

function propertiesOf({ files, variables }: ReleaseRequest, templates: readonly string[]): Properties {
  const filled = files.map(({ path, mode, content }, index): PropertyFile => {
    const template = content ?? templates[index];
    if (template === undefined) throw new Error(`the template of ${path} was not read`);
    return { path, mode, template };
  });
  return {
    ...(filled.length > 0 && { files: filled }),
    ...(variables.length > 0 && { variables: inOrder(variables) }),
  };
}

/** As many releases as a host keeps that removes none. */
export const KEEP_ALL = 1_000_000;

/** As much of a release as a plan for an environment holds. */
export function plannedRelease(
  { id, version, hash, artifacts, reports, files, variables = [] }: Release,
  environment: string,
): PlannedRelease {
  const here = variables.filter((variable) => (variable.environment ?? environment) === environment);
  const shows = reports === undefined ? {} : { reports };
  return { id, version, hash, artifacts, ...shows, ...(files && { properties: { files, variables: here } }) };
}
