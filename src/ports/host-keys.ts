import type { ErrorBody } from '../domain/errors.ts';
import type { ShownKey } from '../domain/host-key.ts';
import type { HostAddress, HostKey } from './hosts.ts';

/** A host whose key may not be known yet; those of the jump hosts on the way must be. */
export type UnprovenHost = Omit<HostAddress, 'hostKey'> & { readonly hostKey?: HostKey };

/** `refused`: why nobody would log in to a host that shows this key, `host_key_*`; `null`: it is the known one. */
export type LookedAtKey = ShownKey & { readonly refused: ErrorBody | null };

/** What hosts show of themselves before anybody logs in. */
export interface HostKeys {
  /**
   * Connects as `Hosts` does, through the same jump hosts, and hangs up when the host has shown its key: no credential is ever
   * sent to it. Rejects with `host_unreachable`, `host_unfit`, and for a jump host with all that a log-in to it may end with.
   */
  shownKey(host: UnprovenHost): Promise<LookedAtKey>;
}
