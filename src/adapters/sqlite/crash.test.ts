import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deployment } from '../../../test/contracts/sample.ts';
import { memoryBell } from '../memory/bell.ts';
import { openSqliteStore } from './store.ts';

const WRITER = fileURLToPath(new URL('../../../test/support/acknowledging-writer.ts', import.meta.url));
const ROUNDS = 5;

/** Starts a writer, kills it when it has acknowledged some commands, and says which. */
async function killedWriter(folder: string, id: string, run: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WRITER, folder, id, run], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === 10) child.kill('SIGKILL');
  }
  return acknowledged;
}

const integrity = (folder: string): unknown => {
  const database = new DatabaseSync(join(folder, 'edge.db'));
  const row = database.prepare('PRAGMA integrity_check').get();
  database.close();
  return row?.integrity_check;
};

test('what was acknowledged before a kill -9 is there, once, and the file is whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-crash-'));
  const made = deployment('d1');
  const acknowledged: string[] = [];
  try {
    // Open all the while: what a killed process left in the WAL is taken over by one that lives, as on a real machine.
    const store = await openSqliteStore({ folder, bell: memoryBell() });
    await store.journal.create(made);
    for (let round = 0; round < ROUNDS; round++) {
      acknowledged.push(...(await killedWriter(folder, made.id, `run-${round}`)));
    }
    const events = await store.views.events(made.id, 0, 1_000_000);
    await store.close();
    const seen = events.flatMap(({ event }) => (event.kind === 'command.refused' ? [event.command] : []));
    assert.ok(acknowledged.length >= ROUNDS * 10);
    assert.deepEqual(
      acknowledged.filter((one) => !seen.includes(one)),
      [],
    );
    assert.equal(new Set(seen).size, seen.length, 'no command took effect twice');
    assert.deepEqual(
      events.map(({ version }) => version),
      events.map((_, index) => index + 1),
    );
    assert.equal(integrity(folder), 'ok');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
