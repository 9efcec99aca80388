import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireService } from '../../scripts/services.ts';
import { type ExclusivityFigures, exclusiveStarts } from '../support/exclusive-starts.ts';
import { startMariadb } from '../support/mariadb.ts';
import { endpointOf } from '../support/mysql-stores.ts';

export type StoreName = 'sqlite' | 'mariadb';

/** Plays the rounds on one SQLite file, or on a MariaDB of their own. */
export async function exclusivityOn(
  store: StoreName,
  rounds: number,
  onRound?: (n: number) => void,
): Promise<ExclusivityFigures> {
  const options = { rounds, ...(onRound && { onRound }) };
  if (store === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'edge-exclusivity-'));
    return exclusiveStarts({ place: { folder }, ...options }).finally(() =>
      rmSync(folder, { recursive: true, force: true }),
    );
  }
  const { path, skip } = requireService('mariadb');
  if (path === undefined) throw new Error(skip);
  const mariadb = await startMariadb({ path, address: '127.61.0.5' });
  try {
    await mariadb.sql('CREATE DATABASE edge');
    return await exclusiveStarts({ place: { endpoint: endpointOf(mariadb, 'edge') }, ...options });
  } finally {
    await mariadb.stop();
  }
}

/** `npm run crash -- exclusivity [--rounds 1000] [--store sqlite|mariadb] [--json]`; exit status 1 on a violation. */
export async function crashExclusivity(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '1000' },
      store: { type: 'string', multiple: true, default: ['sqlite', 'mariadb'] },
      json: { type: 'boolean', default: false },
    },
  });
  const stores: Partial<Record<StoreName, ExclusivityFigures>> = {};
  for (const store of values.store) {
    if (store !== 'sqlite' && store !== 'mariadb') throw new Error(`no store "${store}"`);
    const onRound = (n: number): void => {
      if (!values.json && n % 100 === 0) console.log(`${store}: ${n} rounds`);
    };
    stores[store] = await exclusivityOn(store, Number(values.rounds), onRound);
  }
  const all = Object.values(stores);
  const sum = (of: (figures: ExclusivityFigures) => number) => all.reduce((total, one) => total + of(one), 0);
  const violations = sum((one) => one.violations);
  console.log(
    JSON.stringify({
      rounds: sum((one) => one.rounds),
      starts: sum((one) => one.starts),
      violations,
      stores,
    }),
  );
  return violations === 0 ? 0 : 1;
}
