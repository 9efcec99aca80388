import type { RecordKind, RecordTypes } from '../domain/records.ts';

/** Configuration, releases, tokens and the keys of hosts that people trust. Rejects with `store_unavailable` (EdgeError). */
export interface Records {
  get<K extends RecordKind>(kind: K, key: string): Promise<Kept<K> | null>;
  /** All of a kind whose key starts with `prefix`, by key; newest version only. */
  list<K extends RecordKind>(kind: K, prefix?: string): Promise<readonly Kept<K>[]>;
  /** All changes or none. `conflict`: a record has another version than `expected`, or exists although `expected` is 0. */
  apply(changes: readonly RecordChange[]): Promise<Applied>;
}

/** `version` counts the writes of this key from 1; `at` is the store's time of the last. */
export type Kept<K extends RecordKind> = {
  readonly key: string;
  readonly version: number;
  readonly at: number;
  readonly value: RecordTypes[K];
};

export type RecordChange = {
  [K in RecordKind]: {
    readonly kind: K;
    readonly key: string;
    /** `null` removes. */
    readonly value: RecordTypes[K] | null;
    /** The version that the writer saw; 0 for "must not exist"; left out for "whatever". */
    readonly expected?: number;
  };
}[RecordKind];

export type Applied = { readonly kind: 'applied' } | { readonly kind: 'conflict'; readonly key: string };
