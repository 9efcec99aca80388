import type { MemberState } from '../../domain/balancer.ts';
import type { Serial } from '../../lib/serial.ts';
import type { ActiveUnit, F5Session } from './session.ts';
import { bringInSync, type SyncOptions, saveConfig } from './sync.ts';

export type UpkeepPolicy = {
  readonly sync: 'auto' | 'off';
  readonly save: 'after-changes' | 'off';
  readonly poll: SyncOptions;
};

export type Upkeep = {
  /** Sees to it that all that has been written up to now lasts. */
  keep(): Promise<Kept>;
  /** Are there writes that it has not looked at yet? Then what waits on the active unit is our own. */
  isDue(): boolean;
  /** What a failover would forget of this member, as far as is known. */
  noteOf(unit: ActiveUnit, state: MemberState): string | undefined;
};

/** `origin`: the unit that was active then. `note`: what is still to be feared. */
export type Kept = { readonly origin: string; readonly note?: string };

type Parts = {
  readonly session: F5Session;
  readonly policy: UpkeepPolicy;
  /** The queue of the device's writes. */
  readonly serial: Serial;
  readonly signal: AbortSignal;
};

/**
 * Sees to it that changes last: brought to the peer, and saved. It takes its turn behind the writes that wait already, so
 * that one push and one save do for all of them.
 */
export function createUpkeep({ session, policy, serial, signal }: Parts): Upkeep {
  let next: Promise<Kept> | undefined;
  /** Why the peer does not have the last change. */
  let apart: string | undefined;

  const work = async (unit: ActiveUnit): Promise<Kept> => {
    const synced = policy.sync === 'auto' ? await bringInSync(unit, policy.poll, signal) : undefined;
    if (synced?.kind === 'late') return Promise.reject(new Late(synced.error));
    apart = synced?.kind === 'apart' ? `unknown to the peer: ${synced.why}` : undefined;
    if (policy.save === 'after-changes') await saveConfig(unit);
    await unit.confirm();
    const note = apart ?? offNote(unit);
    return { origin: unit.origin, ...(note !== undefined && { note }) };
  };
  const offNote = (unit: ActiveUnit): string | undefined => {
    if (unit.mute) return `set on ${unit.origin}; the account may not see whether a peer has it`;
    return policy.sync === 'off' && unit.paired ? `set on ${unit.origin} only: sync is off` : undefined;
  };
  const turn = async (): Promise<Kept> => {
    next = undefined;
    try {
      return await session.run(work, signal);
    } catch (error) {
      throw error instanceof Late ? error.error : error;
    }
  };
  return {
    keep: () => {
      next ??= serial(turn);
      return next;
    },
    isDue: () => next !== undefined,
    noteOf: (unit, { admin }) => (admin === 'enabled' ? undefined : (apart ?? offNote(unit))),
  };
}

/** Carries an error past the session, which would look for another unit. */
class Late extends Error {
  readonly error: Error;

  constructor(error: Error) {
    super(error.message);
    this.error = error;
  }
}
