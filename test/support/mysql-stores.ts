import { randomInt } from 'node:crypto';
import { memoryBell } from '../../src/adapters/memory/bell.ts';
import type { Endpoint } from '../../src/adapters/mysql/connection.ts';
import { type MysqlStoreOptions, openMysqlStore } from '../../src/adapters/mysql/store.ts';
import type { Store } from '../../src/adapters/sql/ports.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import type { Mariadb } from './mariadb.ts';

/** How a test reaches a database of this server: directly, or at the port of something between them. */
export const endpointOf = (
  { address, port, user, password }: Mariadb,
  database: string,
  via: { readonly host?: string; readonly port?: number } = {},
): Endpoint => ({ host: address, port, user, password, database, tls: null, ...via });

/** The store as `compose.ts` opens it, save what the test says. */
export const openStoreAt = (endpoint: Endpoint, options: Partial<MysqlStoreOptions> = {}): Promise<Store> =>
  openMysqlStore({
    endpoint: async () => endpoint,
    bell: memoryBell(),
    clock: systemClock,
    random: () => randomInt(2 ** 32) / 2 ** 32,
    ...options,
  });
