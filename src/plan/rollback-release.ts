import { EdgeError } from '../domain/errors.ts';
import type { ReleaseId } from '../domain/ids.ts';
import type { Release } from '../domain/release.ts';
import type { Status } from '../domain/status.ts';

/** A deployment of this project and environment that ended. */
export type Past = {
  readonly release: ReleaseId | null;
  readonly status: Status;
  readonly exceptions: number;
};

/**
 * Where `edge rollback` goes by itself: the last release that fully succeeded here, is not the newest one and is not marked
 * bad. `history`: newest first. Throws `release_missing_rollback`.
 */
export function rollbackRelease(history: readonly Past[], releases: readonly Release[]): Release {
  const known = new Map(releases.map((release) => [release.id, release]));
  const newest = history.find(({ release }) => release !== null)?.release;
  for (const { release, status, exceptions } of history) {
    if (release === null || release === newest || status !== 'succeeded' || exceptions > 0) continue;
    const found = known.get(release);
    if (found && !found.bad) return found;
  }
  throw new EdgeError(
    'release_missing_rollback',
    'No earlier release fully succeeded here that is not marked bad',
  );
}
