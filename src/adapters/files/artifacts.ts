import type { ArtifactRequest, MeasuredFile, PlannedArtifact } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import type { TakenArtifact } from '../../domain/release.ts';
import type { Artifacts, Asked, HeldFile } from '../../ports/artifacts.ts';
import { Bringing, type BringingParts, whatOf } from './bringing.ts';
import { type LocalFiles, localFiles } from './local-files.ts';
import { addressOf, compareChecksum, coordinatesOf } from './maven.ts';
import { PackedZips } from './packed-zips.ts';
import { receiveInto } from './receive.ts';
import { fromUrl, looked } from './sources.ts';
import { digestOf } from './store.ts';

type Use<T> = (file: HeldFile) => Promise<T>;

/** So often a file may be gone again in the moment in which it was brought, where the store is short of room; or turn out damaged. */
const MOST_TRIES = 3;

/** Artifacts in a store on this machine, brought into it from wherever releases say that they are. */
export class FileArtifacts implements Artifacts {
  readonly #parts: BringingParts;
  readonly #bringing: Bringing;
  readonly #zips: PackedZips;
  readonly #files: LocalFiles = localFiles();
  readonly readText = this.#files.readText;

  constructor(parts: BringingParts) {
    this.#parts = parts;
    this.#bringing = new Bringing(parts);
    this.#zips = new PackedZips(parts.store);
  }

  async take(artifact: ArtifactRequest, signal: AbortSignal): Promise<TakenArtifact> {
    signal.throwIfAborted();
    const taken = await this.#taken(artifact, signal);
    const { name, unpack, sha256 } = artifact;
    const planned: PlannedArtifact = { name, unpack, ...taken, ...taken.place };
    if (sha256 !== undefined && sha256 !== taken.sha256)
      throw new EdgeError('artifact_mismatch', `${whatOf(planned)} does not have the digest that was given`);
    // What hosts could not be sent is better refused now.
    if (unpack === 'zip') await this.#packed(planned, signal);
    return taken;
  }

  async look(artifact: PlannedArtifact, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const found = await this.#looked(artifact, signal);
    const isSame = (found.sha256 ?? artifact.sha256) === artifact.sha256;
    if (isSame && (found.sizeBytes ?? artifact.sizeBytes) === artifact.sizeBytes) return;
    throw new EdgeError('artifact_mismatch', `${whatOf(artifact)} is not what the release was made of`);
  }

  async hold<T>(artifact: PlannedArtifact, { as, signal }: Asked, use: Use<T>): Promise<T> {
    signal.throwIfAborted();
    if (as === 'kept' || artifact.unpack !== 'zip') return this.#held(artifact, signal, use);
    return this.#given(artifact, () => this.#packed(artifact, signal), use);
  }

  receive(file: Parameters<Artifacts['receive']>[0], signal: AbortSignal): Promise<MeasuredFile> {
    return receiveInto(this.#parts.store, file, signal);
  }

  async #taken(artifact: ArtifactRequest, signal: AbortSignal): Promise<TakenArtifact> {
    const { path, url, maven, git, credentials, name, sha256 } = artifact;
    const secret = credentials ? { credentials } : {};
    if (path !== undefined) return { ...(await this.#files.measure(path)), place: { path } };
    if (url !== undefined) return this.#fromUrl({ name, sha256 }, { url, ...secret }, signal);
    if (maven !== undefined) {
      const repository = { network: this.#parts.network, ...secret };
      const found = await addressOf(repository, maven, signal);
      const place = { url: found, maven: coordinatesOf(maven), ...secret };
      const taken = await this.#fromUrl({ name, sha256 }, place, signal);
      const compare = (path: string) => compareChecksum(repository, { ...taken, url: found, path }, signal);
      if ((await this.#parts.store.hold(taken.sha256, compare)) === null)
        throw crowdedOut({ name, ...place });
      return taken;
    }
    if (git !== undefined) {
      const place = { git, ...secret };
      const here = sha256 === undefined ? null : await this.#parts.store.measured(sha256);
      if (here && here.sha256 === sha256) return { ...here, place };
      return { ...(await this.#bringing.archive(place, signal)), place };
    }
    return this.#uploaded(artifact);
  }

  async #fromUrl(
    { name, sha256 }: { readonly name: string; readonly sha256: string | undefined },
    place: { readonly url: string; readonly maven?: string },
    signal: AbortSignal,
  ): Promise<TakenArtifact> {
    if (sha256 !== undefined)
      return { ...(await this.#bringing.bring({ name, sha256, ...place }, signal)), place };
    const supply = fromUrl(this.#parts.network, place);
    return { ...(await this.#bringing.bringAny(whatOf({ name, ...place }), supply, signal)), place };
  }

  /** From now on it is kept: no other place has it. */
  async #uploaded({ name, sha256 = '' }: ArtifactRequest): Promise<TakenArtifact> {
    const place = { upload: true } as const;
    if (await this.#parts.store.keep(sha256))
      return { ...(await this.#bringing.bring({ name, sha256, ...place }, NEVER)), place };
    throw new EdgeError(
      'artifact_unreadable',
      `Nothing was uploaded that has the digest ${sha256} of ${name}`,
      {
        hint: 'Upload it first: `edge releases create` with --upload.',
      },
    );
  }

  async #looked(artifact: PlannedArtifact, signal: AbortSignal): Promise<Partial<MeasuredFile>> {
    if ('path' in artifact) return this.#files.measure(artifact.path);
    const here = await this.#parts.store.measured(artifact.sha256);
    if (here && (here.sha256 === artifact.sha256 || 'upload' in artifact)) return here;
    if (!('url' in artifact)) return this.#bringing.bring(artifact, signal);
    const seen = await looked(fromUrl(this.#parts.network, artifact), signal);
    if ('totalBytes' in seen) return seen.totalBytes === null ? {} : { sizeBytes: seen.totalBytes };
    const code = seen.lasting ? 'artifact_unreadable' : 'artifact_unreachable';
    throw new EdgeError(code, `${whatOf(artifact)} cannot be read: ${seen.why}`);
  }

  async #held<T>(artifact: PlannedArtifact, signal: AbortSignal, use: Use<T>): Promise<T> {
    if ('path' in artifact) {
      const fault = await this.look(artifact, signal).catch((thrown: unknown) => thrown);
      const { sha256, sizeBytes, path: localPath } = artifact;
      if (fault === undefined) return use({ sha256, sizeBytes, localPath });
      if (!this.#parts.server) throw fault;
    }
    return this.#given(artifact, () => this.#bringing.bring(artifact, signal), use);
  }

  /** What is gone again, or was damaged while it lay here, is brought anew. */
  async #given<T>(artifact: PlannedArtifact, bring: () => Promise<MeasuredFile>, use: Use<T>): Promise<T> {
    const { store } = this.#parts;
    let fault = crowdedOut(artifact);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const { sha256, sizeBytes } = await bring();
      const held = await store.hold(sha256, async (localPath) => {
        try {
          return { value: await use({ sha256, sizeBytes, localPath }) };
        } catch (thrown) {
          if (!looksDamaged(thrown) || (await digestOf(localPath)).sha256 === sha256) throw thrown;
          store.distrust(sha256);
          fault = damaged(artifact, thrown);
          return null;
        }
      });
      if (held) return held.value;
    }
    throw fault;
  }

  #packed(artifact: PlannedArtifact, signal: AbortSignal): Promise<MeasuredFile> {
    const { name, sha256 } = artifact;
    const hold = (both: AbortSignal, use: (path: string) => Promise<MeasuredFile>) =>
      this.#held(artifact, both, ({ localPath }) => use(localPath));
    return this.#zips.pack({ name, sha256, hold }, signal);
  }
}

const NEVER = new AbortController().signal;

const looksDamaged = (thrown: unknown): boolean =>
  thrown instanceof EdgeError && ['artifact_mismatch', 'artifact_unreadable'].includes(thrown.code);

const damaged = (artifact: PlannedArtifact, cause: unknown): EdgeError =>
  new EdgeError('artifact_mismatch', `${whatOf(artifact)} is damaged in the artifact store of this machine`, {
    hint: 'Look after its disk. The next try brings the artifact anew.',
    cause,
  });

const crowdedOut = (artifact: Parameters<typeof whatOf>[0]): EdgeError =>
  new EdgeError(
    'artifact_store_full',
    `${whatOf(artifact)} is removed again and again to make room for others`,
  );
