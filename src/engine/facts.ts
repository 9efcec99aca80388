import type { Holds } from './ledger.ts';

/** What `decide` may know beside the state. */
export type Facts = {
  /** The store's time, ms since the epoch (contract C13). */
  readonly now: number;
  readonly holds: Holds;
};
