import type { RecordVersion } from '../domain/records.ts';
import type { Holds } from './ledger.ts';

/** What `decide` may know beside the state. */
export type Facts = {
  /** The store's time, ms since the epoch (contract C13). */
  readonly now: number;
  readonly holds: Holds;
  /** Of what the plan was made from, as far as somebody has met it. */
  readonly changed: readonly RecordVersion[];
};
