/**
 * Time of this process (contract C13): `monotonicMs` for durations, `now` (ms since the epoch) for what is written down
 * where the store does not do it. What must hold between processes is timed by the store instead.
 */
export interface Clock {
  now(): number;
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
