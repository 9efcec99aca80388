import { createInterface } from 'node:readline';
import { memoryBell } from '../../src/adapters/memory/bell.ts';
import type { Endpoint } from '../../src/adapters/mysql/connection.ts';
import type { Store } from '../../src/adapters/sql/ports.ts';
import { openSqliteStore } from '../../src/adapters/sqlite/store.ts';
import { deploymentId } from '../../src/domain/ids.ts';
import type { Created } from '../../src/ports/journal.ts';
import { commitOf, deployment, ENDED, leasesOf } from '../contracts/sample.ts';
import { openStoreAt } from './mysql-stores.ts';

// A server process as far as a start needs one: a store of its own on the state that others share. Told what to do by lines of
// JSON on standard input, it answers each with one. Arguments: its name, and where the state is.

/** Where the state is. */
export type Place = { readonly folder: string } | { readonly endpoint: Endpoint };
/** `start`: create all of these at once. `end`: drive this one to its end. */
export type Order =
  | { readonly kind: 'start'; readonly ids: readonly string[] }
  | { readonly kind: 'end'; readonly id: string };
export type Started = { readonly id: string; readonly created: Created };

export const openPlace = (place: Place): Promise<Store> =>
  'folder' in place
    ? openSqliteStore({ folder: place.folder, bell: memoryBell(), busyTimeoutMs: 30_000 })
    : openStoreAt(place.endpoint);

if (import.meta.main) await serve(process.argv[2] ?? '', JSON.parse(process.argv[3] ?? '{}') as Place);

async function serve(name: string, place: Place): Promise<void> {
  const { journal, close } = await openPlace(place);
  const answer = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  const start = async (id: string): Promise<Started> => ({
    id,
    created: await journal.create(deployment(id)),
  });
  const end = async (id: string): Promise<boolean> => {
    const leases = await leasesOf(journal, { owner: name, leaseMs: 60_000, limit: 10, gone: [] });
    const lease = leases.find((one) => one.deployment === deploymentId(id));
    return (
      lease !== undefined && (await journal.commit(lease, commitOf({ summary: ENDED }))).kind === 'committed'
    );
  };
  answer('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as Order;
    answer(order.kind === 'start' ? await Promise.all(order.ids.map(start)) : await end(order.id));
  }
  await close();
}
