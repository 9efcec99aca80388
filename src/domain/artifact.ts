import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { localPathField, nameField, secretRefField } from './fields.ts';
import type { SecretRef } from './secret.ts';

export const UNPACKS = ['tar.gz', 'tar', 'zip', 'none'] as const;
/** Whether, and how, an artifact is unpacked into the release folder. */
export type Unpack = (typeof UNPACKS)[number];

/** http or https. What logs in does not stand in it: releases and plans are read by many. */
export const sourceUrlField = z
  .string()
  .max(2_000)
  .refine((text) => {
    if (/[\s\p{Cc}]/u.test(text) || !URL.canParse(text)) return false;
    const { protocol, hash, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && `${hash}${username}${password}` === '';
  }, 'an http or https address without a user, a password and #; `credentials` name the secret');

const SECRET_NAME =
  /token|secret|passw|pwd|credential|signature|^sig$|api-?_?key|access-?_?key|^key$|^auth$|oauth|authorization|jwt|session/i;

/** Whoever reads the release reads its query. An address that is signed would be of no use in a year, either. */
const openUrlField = sourceUrlField.refine(
  (text) =>
    !URL.canParse(text) || ![...new URL(text).searchParams.keys()].some((name) => SECRET_NAME.test(name)),
  'an address without a secret behind its ?: all who may see the release see it; `credentials` name the secret',
);

const coordinate = (what: string) =>
  z
    .string()
    .max(200)
    .regex(
      /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/,
      `${what}: letters, digits, dots, dashes, plus signs and underscores`,
    )
    .refine((text) => !text.includes('..'), `${what} without ".."`);

const mavenSchema = z.strictObject({
  repository: sourceUrlField
    .refine((text) => !text.includes('?'), 'an address without ?')
    .describe('Address of the repository, such as https://nexus.example.com/repository/releases.'),
  group: coordinate('a group such as com.example').describe('Its group, such as com.example.'),
  artifact: coordinate('an artifact id').describe('Its artifact id.'),
  version: coordinate('a version').describe(
    'Its version. One that ends in -SNAPSHOT is the newest build of it when the release is made, and stays that.',
  ),
  classifier: coordinate('a classifier').exactOptional().describe('Its classifier, if it has one.'),
  extension: coordinate('an extension').default('jar').describe('Its extension.'),
});
export type MavenArtifact = DeepReadonly<z.infer<typeof mavenSchema>>;

/** Its host is what everybody takes for it, git too; ssh may name a user, and none of them a password. */
export const repositoryField = z
  .string()
  .max(1_000)
  .regex(
    /^(https?:\/\/|ssh:\/\/(\w[\w.+-]*@)?)(\w[\w.-]*|\[[\da-f:.]+\])(:\d+)?\/[^\s\p{Cc}?#]*$|^file:\/\/\/[^\s\p{Cc}?#]+$/iu,
    'an https, http, ssh or file address without a password, ? and #; `credentials` name the secret',
  );

const gitSchema = z.strictObject({
  repository: repositoryField.describe('Address of the repository, as the machine of the server reaches it.'),
  commit: z
    .string()
    .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'the whole id of a commit, 40 or 64 lower-case hex digits')
    .describe('The whole id of the commit.'),
  folder: z
    .string()
    .max(500)
    .regex(/^[A-Za-z0-9_.][^\p{Cc}:*?[\\]*$/u, 'a path below the top of the repository')
    .refine((path) => !path.split('/').includes('..'), 'a path without ".."')
    .exactOptional()
    .describe('Only this folder or file of it, at the same path.'),
});
export type GitArtifact = DeepReadonly<z.infer<typeof gitSchema>>;

const SOURCES = ['path', 'url', 'maven', 'git', 'upload'] as const;

export const artifactSchema = z
  .strictObject({
    name: nameField.describe('File name of the artifact on the hosts.'),
    path: localPathField
      .exactOptional()
      .describe('The file, on the machine of the server, and of the workers where they have it too.'),
    url: openUrlField.exactOptional().describe('Or where it is downloaded from.'),
    maven: mavenSchema.exactOptional().describe('Or a file of a Maven, Nexus or Artifactory repository.'),
    git: gitSchema.exactOptional().describe('Or a commit of a git repository, as a .tar.gz.'),
    upload: z
      .literal(true)
      .exactOptional()
      .describe('Or a file that was uploaded to the server before, named by its `sha256`.'),
    credentials: secretRefField
      .exactOptional()
      .describe(
        'Of url, maven and git: `user:password`, or a bearer token. A secret of the server and of the workers.',
      ),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')
      .exactOptional()
      .describe('Digest of the file; if given, the file must have it.'),
    unpack: z.enum(UNPACKS).default('none').describe('Whether it is unpacked into the release folder.'),
  })
  .superRefine((artifact, context) => {
    const wrong = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const named = SOURCES.filter((source) => artifact[source] !== undefined);
    if (artifact.upload && artifact.path !== undefined)
      wrong('path', 'a file of your machine is sent by `edge releases create <file>.yaml`');
    else if (named.length !== 1)
      wrong(
        named[1] ?? 'path',
        `an artifact has one source: ${SOURCES.join(', ')}; this has ${named.join(' and ') || 'none'}`,
      );
    if (artifact.credentials && !artifact.url && !artifact.maven && !artifact.git)
      wrong('credentials', 'only url, maven and git have credentials');
    if (artifact.upload && artifact.sha256 === undefined)
      wrong('sha256', 'an upload is named by its digest; `edge releases create` uploads a file and says it');
    if (artifact.git && (artifact.unpack === 'zip' || artifact.unpack === 'tar'))
      wrong('unpack', 'a commit of a git repository comes as a .tar.gz');
  });
export type ArtifactRequest = DeepReadonly<z.infer<typeof artifactSchema>>;

/** Where an artifact of a release is had from again, for good: credentials by reference, a SNAPSHOT as the file that it was. */
export type ArtifactPlace =
  | { readonly path: string }
  /** `maven`: its coordinates, for people. */
  | { readonly url: string; readonly maven?: string; readonly credentials?: SecretRef }
  | { readonly git: GitArtifact; readonly credentials?: SecretRef }
  | { readonly upload: true };

export type MeasuredFile = { readonly sha256: string; readonly sizeBytes: number };

/** An artifact of a release, as it was when the release was made. */
export type PlannedArtifact = MeasuredFile & {
  readonly name: string;
  readonly unpack: Unpack;
} & ArtifactPlace;

/** As it comes to hosts: a zip is packed anew before, since few of them can unpack it. */
export const unpackOnHost = (unpack: Unpack): Exclude<Unpack, 'zip'> =>
  unpack === 'zip' ? 'tar.gz' : unpack;

/** For people: where it is from, without what behind a ? may be a secret. */
export function placeText(place: ArtifactPlace): string {
  if ('path' in place) return place.path;
  if ('url' in place) return place.url.replace(/\?.*/s, '');
  if ('git' in place) return `${place.git.repository} ${place.git.commit.slice(0, 12)}`;
  return 'an upload';
}

/** Whether a worker of Edge 0.1 could bring it: a file of its own machine. */
export const isOnMachines = (artifact: PlannedArtifact): boolean =>
  'path' in artifact && (artifact.unpack === 'tar.gz' || artifact.unpack === 'none');
