import { memoryBell } from '../../src/adapters/memory/bell.ts';
import { openSqliteStore } from '../../src/adapters/sqlite/store.ts';
import { deploymentId } from '../../src/domain/ids.ts';
import { commitOf, leasesOf, pause } from '../contracts/sample.ts';

// A process of its own that commits as fast as it can, and writes to stdout what was acknowledged, until it is killed.
// Arguments: the data folder, a deployment that exists, and a name that no other run has.

const [folder = '', id = '', run = ''] = process.argv.slice(2);
const { journal } = await openSqliteStore({ folder, bell: memoryBell() });
const deployment = deploymentId(id);

for (let n = 0; ; n++) {
  await journal.submit([pause(`${run}-${n}`, deployment)]);
  const [lease] = await leasesOf(journal, { owner: 'driver', leaseMs: 60_000, limit: 1, gone: [] });
  if (!lease) continue;
  const { events, snapshot } = await journal.load(deployment);
  const version = events.at(-1)?.version ?? snapshot?.version ?? 0;
  const { commands, rows } = await journal.read(lease, 10);
  const committed = await journal.commit(
    lease,
    commitOf({
      expectedVersion: version,
      handled: rows,
      events: commands.map((one) => ({ kind: 'command.refused', command: one.id, by: run, why: 'a test' })),
      snapshot: { version: version + commands.length },
    }),
  );
  if (committed.kind !== 'committed') continue;
  process.stdout.write(commands.map((one) => `${one.id}\n`).join(''));
}
