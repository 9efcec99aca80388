import type { ArtifactPlace, ArtifactRequest, MeasuredFile, PlannedArtifact } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import type { TakenArtifact } from '../../domain/release.ts';
import { sha256 } from '../../lib/hash.ts';
import type { Artifacts, Asked, HeldFile, SentFile } from '../../ports/artifacts.ts';

/** What is at a path or an address: bytes, or what is known of them; `undefined`: nothing. */
export type MemorySource = (place: string) => Uint8Array | MeasuredFile | undefined;

/** Artifacts without files and without a network. Of a Maven artifact and a commit the place is what people write for them. */
export class MemoryArtifacts implements Artifacts {
  readonly #source: MemorySource;
  readonly #uploads = new Map<string, Uint8Array>();

  constructor(source: MemorySource) {
    this.#source = source;
  }

  async take(artifact: ArtifactRequest, signal: AbortSignal): Promise<TakenArtifact> {
    signal.throwIfAborted();
    const place = placeOf(artifact);
    const wanted = artifact.sha256 ?? '';
    const { sha256, sizeBytes } = this.#measured({ ...place, name: artifact.name, sha256: wanted });
    if (artifact.sha256 === undefined || artifact.sha256 === sha256) return { sha256, sizeBytes, place };
    throw new EdgeError(
      'artifact_mismatch',
      `The artifact ${artifact.name} does not have the digest that was given`,
    );
  }

  async look(artifact: PlannedArtifact, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const found = this.#measured(artifact);
    if (found.sha256 === artifact.sha256 && found.sizeBytes === artifact.sizeBytes) return;
    throw new EdgeError(
      'artifact_mismatch',
      `The artifact ${artifact.name} is not what the release was made of`,
    );
  }

  async hold<T>(
    artifact: PlannedArtifact,
    { signal }: Asked,
    use: (file: HeldFile) => Promise<T>,
  ): Promise<T> {
    await this.look(artifact, signal);
    const bytes = this.#at(artifact);
    const { sha256, sizeBytes } = artifact;
    const file = { sha256, sizeBytes, localPath: keyOf(artifact) };
    return use(bytes instanceof Uint8Array ? { ...file, content: bytes } : file);
  }

  async receive({ sha256: wanted, bytes }: SentFile, signal: AbortSignal): Promise<MeasuredFile> {
    const pieces: Uint8Array[] = [];
    for await (const piece of bytes) {
      signal.throwIfAborted();
      pieces.push(piece);
    }
    const content = Buffer.concat(pieces);
    const found = sha256(content);
    if (found !== wanted) throw new EdgeError('artifact_mismatch', `What was sent has the digest ${found}`);
    this.#uploads.set(found, content);
    return { sha256: found, sizeBytes: content.length };
  }

  async readText(path: string, mostBytes: number): Promise<string> {
    const bytes = this.#source(path);
    if (!(bytes instanceof Uint8Array))
      throw new EdgeError('artifact_unreadable', `The file ${path} cannot be read`);
    if (bytes.length > mostBytes)
      throw new EdgeError('artifact_unreadable', `The file ${path} has more than ${mostBytes} bytes`);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new EdgeError('artifact_unreadable', `The file ${path} is not a text in UTF-8`, { cause });
    }
  }

  #measured(artifact: Sought): MeasuredFile {
    const found = this.#at(artifact);
    if (found === undefined)
      throw new EdgeError(
        'artifact_unreadable',
        `The artifact ${artifact.name} (${keyOf(artifact)}) cannot be read`,
      );
    return found instanceof Uint8Array ? { sha256: sha256(found), sizeBytes: found.length } : found;
  }

  #at(artifact: Sought): Uint8Array | MeasuredFile | undefined {
    return 'upload' in artifact ? this.#uploads.get(artifact.sha256) : this.#source(keyOf(artifact));
  }
}

type Sought = Pick<PlannedArtifact, 'name' | 'sha256'> & ArtifactPlace;

const keyOf = (place: ArtifactPlace): string => {
  if ('path' in place) return place.path;
  if ('url' in place) return place.maven ?? place.url;
  return 'git' in place ? `${place.git.repository} ${place.git.commit}` : 'an upload';
};

function placeOf({ path, url, maven, git, credentials }: ArtifactRequest): ArtifactPlace {
  const secret = credentials ? { credentials } : {};
  if (path !== undefined) return { path };
  if (url !== undefined) return { url, ...secret };
  if (maven !== undefined)
    return { url: maven.repository, maven: `${maven.group}:${maven.artifact}:${maven.version}`, ...secret };
  return git === undefined ? { upload: true } : { git, ...secret };
}
