import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type ArtifactPlace,
  type MeasuredFile,
  type PlannedArtifact,
  placeText,
} from '../../domain/artifact.ts';
import { CATALOGUE, EdgeError } from '../../domain/errors.ts';
import { SharedWork } from '../../lib/shared-work.ts';
import { refusalOf } from '../../outbound/origins.ts';
import { fill, type Supply } from './fill.ts';
import { archiveCommit } from './git-archive.ts';
import { fromServer, fromUrl, headerOf, type Network, type ServerAccess } from './sources.ts';
import { type ArtifactStore, digestOf } from './store.ts';

export type BringingParts = {
  readonly store: ArtifactStore;
  readonly network: Network;
  /** Left out where this process is the server, or shares its data folder. */
  readonly server?: ServerAccess;
  /** Of this process; git finds its program and the keys of SSH by it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** What of an artifact says where it is, and what has to come. */
export type Wanted = Pick<PlannedArtifact, 'name' | 'sha256'> & ArtifactPlace;
type GitPlace = Extract<ArtifactPlace, { readonly git: object }>;
type Way = (signal: AbortSignal) => Promise<void>;
/** How it went, and for whom it was begun. */
type Tried = { readonly wanted: Wanted; readonly fault: EdgeError | null };

/** Brings artifacts into the store, each once at a time, from their sources or from the server that has them. */
export class Bringing {
  readonly #parts: BringingParts;
  readonly #work = new SharedWork<Tried>();

  constructor(parts: BringingParts) {
    this.#parts = parts;
  }

  /** Sees to it that the store has it, whole. */
  async bring(wanted: Wanted, signal: AbortSignal): Promise<MeasuredFile> {
    const { store } = this.#parts;
    const { sha256 } = wanted;
    const here = await store.measured(sha256);
    if (here?.sha256 === sha256) return here;
    const join = () => this.#work.join(sha256, (both) => this.#tried(wanted, both), signal);
    let tried = await join();
    // What was begun for a release that has it elsewhere says nothing of this place.
    if (tried.fault && !isDeepStrictEqual(tried.wanted, wanted)) tried = await join();
    if (tried.fault) throw tried.fault;
    const brought = await store.measured(sha256);
    if (brought?.sha256 === sha256) return brought;
    throw new EdgeError('artifact_unreachable', `${whatOf(wanted)} was brought, and is gone again`);
  }

  /** What is there now, whatever it is. */
  async bringAny(what: string, supply: Supply, signal: AbortSignal): Promise<MeasuredFile> {
    return this.#scratched(async (path) => {
      const measured = await fill({ ...this.#filling(what, supply, signal), path });
      await this.#parts.store.add(path, measured);
      return measured;
    });
  }

  /** The archive of a commit, whatever its digest is. */
  async archive(place: GitPlace, signal: AbortSignal): Promise<MeasuredFile> {
    const { store, network, environment } = this.#parts;
    const { git, credentials } = place;
    const refusal = refusalOf(git.repository, network.origins);
    if (refusal !== undefined)
      throw new EdgeError('artifact_unreadable', `${git.repository} is not asked: ${refusal}`);
    return this.#scratched(async (path) => {
      const authorization = credentials && headerOf(await network.secrets.resolve(credentials));
      const workFolder = await store.scratch();
      await archiveCommit(git, {
        workFolder,
        to: path,
        environment,
        signal,
        ...(authorization && { authorization }),
      });
      const measured = await digestOf(path);
      await store.add(path, measured);
      return measured;
    });
  }

  async #tried(wanted: Wanted, signal: AbortSignal): Promise<Tried> {
    const { store } = this.#parts;
    const { sha256 } = wanted;
    // It may have come by another way meanwhile.
    const here = await store.measured(sha256);
    if (here?.sha256 === sha256) return { wanted, fault: null };
    if (here) await store.drop(sha256);
    return { wanted, fault: await this.#byAnyWay(wanted, signal) };
  }

  /** `null` once it is there. */
  async #byAnyWay(wanted: Wanted, signal: AbortSignal): Promise<EdgeError | null> {
    const faults: EdgeError[] = [];
    for (const way of this.#waysTo(wanted)) {
      try {
        await way(signal);
        return null;
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof EdgeError)) throw thrown;
        faults.push(thrown);
      }
    }
    return faults.find(({ code }) => CATALOGUE[code].retryable) ?? faults[0] ?? nowhere(wanted);
  }

  /** Its source first, and then the server, which may reach what this machine does not. */
  #waysTo(wanted: Wanted): readonly Way[] {
    const { network, server } = this.#parts;
    const overServer = server ? [this.#filled(wanted, fromServer(network, server, wanted.sha256))] : [];
    if ('url' in wanted) return [this.#filled(wanted, fromUrl(network, wanted)), ...overServer];
    if ('git' in wanted && !server) return [async (signal) => this.#archived(wanted, signal)];
    return overServer;
  }

  #filled(wanted: Wanted, supply: Supply): Way {
    return async (signal) => {
      const { store } = this.#parts;
      const path = await store.part(wanted.sha256);
      const filling = this.#filling(whatOf(wanted), supply, signal);
      await store.add(path, await fill({ ...filling, path, wanted }));
    };
  }

  async #archived(wanted: Wanted & GitPlace, signal: AbortSignal): Promise<void> {
    const { sha256 } = await this.archive(wanted, signal);
    if (sha256 === wanted.sha256) return;
    throw new EdgeError(
      'artifact_mismatch',
      `${whatOf(wanted)} is packed otherwise by this machine than when the release was made`,
      { hint: 'Another version of git or Node has other bytes for it: make a new release.' },
    );
  }

  #filling(what: string, supply: Supply, signal: AbortSignal) {
    const { store, sleep } = this.#parts;
    const makeRoom = (bytes: number) => store.makeRoom(bytes);
    return { what, supply, signal, sleep, makeRoom, mostBytes: store.limitBytes };
  }

  async #scratched<T>(work: (path: string) => Promise<T>): Promise<T> {
    const path = await this.#parts.store.scratch();
    try {
      return await work(path);
    } finally {
      await rm(path, { force: true });
    }
  }
}

export const whatOf = (artifact: Pick<Wanted, 'name'> & ArtifactPlace): string =>
  `The artifact ${artifact.name} (${placeText(artifact)})`;

function nowhere(wanted: Wanted): EdgeError {
  const hint = 'Send it again: `edge releases create` with --upload, the same file and the same version.';
  const more = 'upload' in wanted ? { hint } : {};
  return new EdgeError(
    'artifact_unreadable',
    `${whatOf(wanted)} is not in the artifact store of this machine`,
    more,
  );
}
