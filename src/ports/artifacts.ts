import type { ArtifactRequest, MeasuredFile, PlannedArtifact } from '../domain/artifact.ts';
import type { TakenArtifact } from '../domain/release.ts';
import type { UploadFile } from './hosts.ts';

/**
 * Files of releases: on a server where releases are made of them, on a worker where they are kept for its hosts. All methods reject
 * with an EdgeError: `artifact_unreadable`, `artifact_mismatch`, `artifact_unreachable` (worth another try), `artifact_store_full`,
 * `secret_unavailable`; or with the reason of the signal.
 */
export interface Artifacts {
  /** What is at a source now, as a release freezes it. Rejects with `artifact_mismatch` if it is not what `sha256` says. */
  take(artifact: ArtifactRequest, signal: AbortSignal): Promise<TakenArtifact>;
  /** Resolves if the artifact can be had, and is what the release was made of, as far as can be seen without bringing it. */
  look(artifact: PlannedArtifact, signal: AbortSignal): Promise<void>;
  /**
   * Gives the artifact as a file of this machine, which stays while `use` runs. If it is not here it is brought first: once for all
   * who ask at the same time, and from where an earlier try was cut off.
   */
  hold<T>(artifact: PlannedArtifact, asked: Asked, use: (file: HeldFile) => Promise<T>): Promise<T>;
  /** Takes in a file that somebody sends. What does not have this digest, or breaks off, leaves nothing. */
  receive(file: SentFile, signal: AbortSignal): Promise<MeasuredFile>;
  /** The whole of a text file of this machine. Rejects with `artifact_unreadable`, also if it is larger, or not UTF-8. */
  readText(path: string, mostBytes: number): Promise<string>;
}

/** `kept`: the artifact itself; `sent`: as hosts get it (`unpackOnHost`). */
export type Asked = { readonly as: 'kept' | 'sent'; readonly signal: AbortSignal };

/** Its digest and size are of the file as it is given. */
export type HeldFile = MeasuredFile & Pick<UploadFile, 'localPath' | 'content'>;

export type SentFile = { readonly sha256: string; readonly bytes: AsyncIterable<Uint8Array> };
