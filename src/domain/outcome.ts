import type { Json, JsonObject } from '../lib/json.ts';
import type { FailureCode } from './errors.ts';

/**
 * A failure as data: `message` says what is wrong, `code` leads to what to do (docs/reference/errors.md). No secrets. `exitStatus`: of
 * a command that ended. `evidence`: what a verdict was based on, for those who want more than the message; small, as outputs are.
 */
export type Failure = {
  readonly code: FailureCode;
  readonly message: string;
  readonly cause?: FailureCause;
  readonly exitStatus?: number;
  readonly evidence?: JsonObject;
};

/** What kind of failure it is; reactions are chosen by it (DESIGN.md section 5). */
export type FailureCause =
  | 'health'
  | 'command'
  | 'unreachable'
  | 'balancer'
  | 'timeout'
  | 'cancelled'
  | 'artifact'
  | 'canary'
  | 'unsure'
  | 'no-data';

/**
 * What an action says of a task (contract C4). `outputs`, `checkpoint` and `evidence` are small: 16 KB of JSON at most.
 * `wait`: the lease ends now; the task is run again from its checkpoint after `wakeAfterMs`, by the clock of the store.
 */
export type Outcome =
  | { readonly kind: 'done'; readonly outputs: JsonObject }
  | {
      readonly kind: 'wait';
      readonly checkpoint: Json;
      readonly wakeAfterMs: number;
      readonly progress?: string;
    }
  | { readonly kind: 'failed'; readonly error: Failure; readonly retryable: boolean }
  | { readonly kind: 'unknown'; readonly seen: string };

export const OUTCOME_LIMIT_BYTES = 16_384;
