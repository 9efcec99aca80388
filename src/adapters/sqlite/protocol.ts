import type { ErrorBody } from '../../domain/errors.ts';
import type { Call } from '../sql/operations.ts';

/** Given to a thread when it starts. */
export type ThreadData = {
  readonly path: string;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
};

/** To the thread. `call` is JSON: quicker than a structured clone of many small objects. */
export type ToThread =
  | { readonly kind: 'calls'; readonly calls: readonly ThreadCall[] }
  | { readonly kind: 'close' };

export type ThreadCall = { readonly id: number; readonly call: string };

/** From the thread: that it is open, or why it is not; then answers, those of one transaction together. */
export type FromThread =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  | { readonly kind: 'answers'; readonly answers: readonly ThreadAnswer[] };

export type ThreadAnswer =
  | { readonly id: number; readonly value: string; readonly topics: readonly string[] }
  | { readonly id: number; readonly error: ErrorBody };

export const encodeCall = (call: Call): string => JSON.stringify(call);
export const decodeCall = (text: string): Call => JSON.parse(text) as Call;
/** `undefined`, the value of an operation that has none, is not JSON. */
export const encodeValue = (value: unknown): string => JSON.stringify(value ?? null);
export const decodeValue = <T>(text: string): T => JSON.parse(text) as T;
