import type { StoreAccess } from '../edge-processes.ts';

/** A store that deployments are crashed on. */
export type CrashStore = {
  readonly name: string;
  /** An empty store for one run of this name. */
  make(run: string): Promise<StoreAccess>;
  /** Ends whatever serves it. */
  close(): Promise<void>;
};

export type StoreKind = { readonly name: string; open(): Promise<CrashStore> };

/** Each run has a data folder of its own, and its store is a file in there. */
export const SQLITE: CrashStore = {
  name: 'sqlite',
  make: async () => ({ options: [], env: {} }),
  close: async () => {},
};

export const STORE_KINDS: readonly StoreKind[] = [{ name: SQLITE.name, open: async () => SQLITE }];
