import { requireService } from '../../../scripts/services.ts';
import { startMariadb } from '../../support/mariadb.ts';
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

/** A server for all runs; each has a database of its own. */
async function openMariadb(): Promise<CrashStore> {
  const { path, skip } = requireService('mariadb');
  if (path === undefined) throw new Error(skip);
  const mariadb = await startMariadb({ path, address: '127.76.0.4' });
  return {
    name: 'mariadb',
    make: async (run) => {
      const database = `edge_${run.replaceAll(/[^a-z0-9]/gi, '_')}`;
      await mariadb.sql(`CREATE DATABASE ${database}`);
      const env = { EDGE_STORE_PASSWORD: mariadb.password };
      return { options: ['--store', mariadb.url(database)], env };
    },
    close: () => mariadb.stop(),
  };
}

export const STORE_KINDS: readonly StoreKind[] = [
  { name: SQLITE.name, open: async () => SQLITE },
  { name: 'mariadb', open: openMariadb },
];
