import { createHash } from 'node:crypto';
import type { MavenArtifact, MeasuredFile } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { piecesOf } from './pieces.ts';
import { fromUrl, type Network, textFrom } from './sources.ts';

/** What is asked of a repository: files below `url`. */
type Repository = { readonly network: Network; readonly credentials?: SecretRef };

/** Those of a SNAPSHOT name its newest build once for each file that it has. */
const MOST_METADATA_BYTES = 262_144;
const MOST_CHECKSUM_BYTES = 4_096;

/** As people write it. */
export function coordinatesOf({ group, artifact, extension, classifier, version }: MavenArtifact): string {
  const kind = classifier === undefined ? '' : `:${classifier}`;
  return `${group}:${artifact}:${extension}${kind}:${version}`;
}

/**
 * The address of the one file that the coordinates mean now, by the layout that Maven, Nexus and Artifactory share. Of a SNAPSHOT it is
 * the newest build, which its metadata names; without metadata (a repository of files) it is called as its version.
 */
export async function addressOf(
  repository: Repository,
  wanted: MavenArtifact,
  signal: AbortSignal,
): Promise<string> {
  const { group, artifact, version, classifier, extension } = wanted;
  const folder = [wanted.repository.replace(/\/+$/, ''), ...group.split('.'), artifact, version].join('/');
  const built = version.endsWith('-SNAPSHOT')
    ? await newestBuild(repository, { folder, wanted }, signal)
    : version;
  return `${folder}/${artifact}-${built}${classifier === undefined ? '' : `-${classifier}`}.${extension}`;
}

type Snapshot = { readonly folder: string; readonly wanted: MavenArtifact };

async function newestBuild(
  { network, credentials }: Repository,
  { folder, wanted }: Snapshot,
  signal: AbortSignal,
): Promise<string> {
  const url = `${folder}/maven-metadata.xml`;
  const found = await textFrom(
    fromUrl(network, { url, ...(credentials && { credentials }) }),
    MOST_METADATA_BYTES,
    signal,
  );
  if (found.kind === 'text') return buildIn(found.text, wanted) ?? wanted.version;
  if (found.status === 404) return wanted.version;
  throw new EdgeError(
    found.lasting ? 'artifact_unreadable' : 'artifact_unreachable',
    `The builds of ${coordinatesOf(wanted)} cannot be read: ${found.why}`,
  );
}

/** Of `<snapshotVersion>` the one that fits; older repositories name only the newest build of all. */
export function buildIn(metadata: string, wanted: MavenArtifact): string | undefined {
  for (const inner of contentsOf(metadata, 'snapshotVersion')) {
    const fits =
      textOf(inner, 'extension') === wanted.extension && textOf(inner, 'classifier') === wanted.classifier;
    const value = textOf(inner, 'value');
    if (fits && value !== undefined) return refuseOdd(value, wanted);
  }
  const timestamp = textOf(metadata, 'timestamp');
  const number = textOf(metadata, 'buildNumber');
  if (timestamp === undefined || number === undefined) return undefined;
  return refuseOdd(wanted.version.replace(/SNAPSHOT$/, `${timestamp}-${number}`), wanted);
}

/** What each element of this name has in it. It is searched forward only: the time that foreign text takes grows as its length does. */
function* contentsOf(xml: string, name: string): Generator<string> {
  const [first, last] = [`<${name}>`, `</${name}>`];
  for (let at = 0; ; ) {
    const start = xml.indexOf(first, at);
    const end = start === -1 ? -1 : xml.indexOf(last, start);
    if (end === -1) return;
    yield xml.slice(start + first.length, end);
    at = end + last.length;
  }
}

/** Of the first element of this name, if it has no other in it. */
function textOf(xml: string, name: string): string | undefined {
  const [text] = contentsOf(xml, name);
  return text === undefined || text.includes('<') ? undefined : text.trim();
}

/** It becomes a part of an address. */
function refuseOdd(build: string, wanted: MavenArtifact): string {
  if (/^[A-Za-z0-9_.+-]+$/.test(build) && !build.includes('..')) return build;
  throw new EdgeError(
    'artifact_unreadable',
    `The metadata of ${coordinatesOf(wanted)} name an odd build: ${build.slice(0, 200)}`,
  );
}

type Downloaded = MeasuredFile & { readonly url: string; readonly path: string };

/** Compares with what the repository says of its file, where it says anything. Rejects with `artifact_mismatch`. */
export async function compareChecksum(
  { network, credentials }: Repository,
  { url, path, sha256 }: Downloaded,
  signal: AbortSignal,
): Promise<void> {
  const said = async (kind: string): Promise<string | null> => {
    const supply = fromUrl(network, { url: `${url}.${kind}`, ...(credentials && { credentials }) });
    const found = await textFrom(supply, MOST_CHECKSUM_BYTES, signal);
    if (found.kind === 'text') return /^[0-9a-f]+/i.exec(found.text.trim())?.[0].toLowerCase() ?? null;
    if (found.lasting) return null;
    throw new EdgeError('artifact_unreachable', `The checksum of ${url} cannot be read: ${found.why}`);
  };
  const wanted = await said('sha256');
  if (wanted?.length === 64) return refuseOther(url, wanted, sha256);
  const older = await said('sha1');
  if (older?.length === 40) refuseOther(url, older, await sha1Of(path));
}

function refuseOther(url: string, said: string, found: string): void {
  if (said === found) return;
  throw new EdgeError('artifact_mismatch', `${url} has the digest ${found}; its repository says ${said}`, {
    hint: 'Ask the repository to mend it, or publish the artifact again.',
  });
}

async function sha1Of(path: string): Promise<string> {
  const hash = createHash('sha1');
  for await (const piece of piecesOf(path)) hash.update(piece);
  return hash.digest('hex');
}
