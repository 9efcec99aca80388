import type { ErrorBody } from '../../domain/errors.ts';
import type { Call } from '../sql/operations.ts';

/** Given to a thread when it starts. */
export type ThreadData = {
  readonly path: string;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
};

/**
 * To the thread. Messages are cloned as they are, which costs little for texts and rows of them: what a store says much of it packs
 * so (sql/packed.ts).
 */
export type ToThread =
  | { readonly kind: 'calls'; readonly calls: readonly ThreadCall[] }
  | { readonly kind: 'close' };

export type ThreadCall = { readonly id: number; readonly call: Call };

/** From the thread: that it is open, or why it is not; then answers, those of one transaction together. */
export type FromThread =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  | { readonly kind: 'answers'; readonly answers: readonly ThreadAnswer[] };

export type ThreadAnswer =
  | { readonly id: number; readonly value: unknown; readonly topics: readonly string[] }
  | { readonly id: number; readonly error: ErrorBody };
