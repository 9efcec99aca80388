import type { StoreAccess } from '../edge-processes.ts';

/** A kind of store that deployments are crashed on. */
export type CrashStore = {
  readonly name: string;
  /** An empty store for one run of this name. */
  make(run: string): Promise<StoreAccess>;
};

/** Each run has a data folder of its own. */
const sqlite: CrashStore = { name: 'sqlite', make: async () => ({ options: [], env: {} }) };

export const STORES: readonly CrashStore[] = [sqlite];
