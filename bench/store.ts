import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { provideService } from '../scripts/services.ts';
import { memoryBell } from '../src/adapters/memory/bell.ts';
import { openMemoryStore } from '../src/adapters/memory/store.ts';
import type { Store } from '../src/adapters/sql/ports.ts';
import { openSqliteStore } from '../src/adapters/sqlite/store.ts';
import type { Event } from '../src/domain/event.ts';
import type { TaskId } from '../src/domain/ids.ts';
import { DRIVER_TOPIC } from '../src/domain/topics.ts';
import type { Commit, Lease } from '../src/ports/journal.ts';
import { claimOf, commitOf, deployment, done, lease, task, WORKER } from '../test/contracts/sample.ts';
import { startMariadb } from '../test/support/mariadb.ts';
import { endpointOf, openStoreAt } from '../test/support/mysql-stores.ts';

// What the store alone allows: the engine's loop with an engine that only passes rows on.
// bin/node bench/store.ts [--steps 60000] [--lot 512] [--memory | --mariadb]

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '60000' },
    lot: { type: 'string', default: '512' },
    memory: { type: 'boolean', default: false },
    mariadb: { type: 'boolean', default: false },
  },
});
const steps = Number(values.steps);
const lot = Number(values.lot);

const NEVER = new AbortController().signal;
const bell = memoryBell();
const INPUTS = {
  host: { name: 'web-17', address: '10.1.2.17', port: 22, user: 'deploy' },
  argv: ['/opt/shop/bin/stop', '--graceful', '--timeout', '30'],
  timeoutMs: 60_000,
};

const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));
const mariadb = values.mariadb
  ? await startMariadb({ path: provideService('mariadb').path ?? '' })
  : undefined;
const store = await openStore();
const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
const spent = await loop(store);
const { user, system } = process.cpuUsage(cpuBefore);
const cpuUs = user + system;
const seconds = (performance.now() - startedAt) / 1000;
console.log(
  JSON.stringify({
    steps,
    lot,
    stepsPerS: Math.round(steps / seconds),
    cpuUsPerStep: +(cpuUs / steps).toFixed(1),
    msPerLot: spent,
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  }),
);
await store.close();
await mariadb?.stop();
rmSync(folder, { recursive: true });

async function openStore(): Promise<Store> {
  if (values.memory) return openMemoryStore({ bell, now: Date.now });
  if (!mariadb) return openSqliteStore({ folder, bell });
  await mariadb.sql('CREATE DATABASE bench');
  return openStoreAt(endpointOf(mariadb, 'bench'), { bell });
}

/** Two lots side by side, so that workers and driver have something to do at once, as in the product. */
async function loop({ journal, tasks }: Store): Promise<Record<string, number>> {
  const own = await lease(journal, deployment('bench'), 'bench');
  const spent: Record<string, number> = {};
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work;
    spent[name] = (spent[name] ?? 0) + performance.now() - from;
    return result;
  };
  let next = 0;
  let version = 1;
  const open = (count: number) =>
    Array.from({ length: count }, () => task(own.deployment, next++, { inputs: INPUTS }));
  const commit = async (changes: Partial<Commit>): Promise<void> => {
    const result = await journal.commit(own, commitOf({ expectedVersion: version, ...changes }));
    if (result.kind !== 'committed') throw new Error(result.kind);
    version = result.version;
  };
  await commit({ open: open(2 * lot) });
  let ended = 0;
  const worker = async (): Promise<void> => {
    while (ended < steps) {
      const claimed = await timed('claim', tasks.claim(claimOf({ max: lot })));
      if (claimed.length > 0) await timed('report', tasks.report(WORKER, claimed.map(done)));
      else await tasks.waitForWork('dc-1', 250, NEVER);
    }
  };
  const driver = async (): Promise<void> => {
    while (ended < steps) {
      const read = await timed('read', journal.read(own, lot));
      const close = read.commands.flatMap((one) => (one.kind === 'report' ? [one.task] : []));
      if (close.length === 0) {
        await timed(
          'acquire',
          journal.acquire({ owner: 'bench', leaseMs: 30_000, limit: 16, gone: [], lot: 512 }),
        );
        await bell.wait(DRIVER_TOPIC, 250, NEVER);
        continue;
      }
      const more = open(close.length);
      await timed('commit', commit({ events: eventsOf(own, close), handled: read.rows, close, open: more }));
      ended += close.length;
    }
  };
  await Promise.all([worker(), driver()]);
  return Object.fromEntries(
    Object.entries(spent).map(([name, ms]) => [name, +(ms / (steps / lot)).toFixed(2)]),
  );
}

function eventsOf(_own: Lease, ended: readonly TaskId[]): readonly Event[] {
  const succeeded = ended.map(
    (_, index): Event => ({
      kind: 'task.succeeded',
      target: index,
      step: 1,
      group: 0,
      attempt: 1,
      worker: WORKER,
      startedAt: 1_800_000_000_000,
      outputs: { code: 0 },
    }),
  );
  const targets = ended.map((_, index) => index);
  return [...succeeded, { kind: 'tasks.granted', targets, steps: targets }];
}
