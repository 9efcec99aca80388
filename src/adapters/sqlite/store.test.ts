import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journalContract } from '../../../test/contracts/journal.ts';
import { journalHoldsContract } from '../../../test/contracts/journal-holds.ts';
import { madeFromContract } from '../../../test/contracts/journal-made-from.ts';
import { recordsContract } from '../../../test/contracts/records.ts';
import { sideBySideContract } from '../../../test/contracts/side-by-side.ts';
import { START, type TestStore } from '../../../test/contracts/store.ts';
import { taskBoardContract } from '../../../test/contracts/task-board.ts';
import { keepOutContract } from '../../../test/contracts/task-board-keep-out.ts';
import { viewsContract } from '../../../test/contracts/views.ts';
import { DRIVER_TOPIC } from '../../domain/topics.ts';
import { memoryBell } from '../memory/bell.ts';
import type { Store } from '../sql/ports.ts';
import { openSqliteStore } from './store.ts';

const open = async (): Promise<TestStore> => {
  let time = START;
  const folder = mkdtempSync(join(tmpdir(), 'edge-store-'));
  const bell = memoryBell();
  const options = { folder, bell, now: () => time, pollMs: 60_000 };
  const opened: Store[] = [];
  const openOne = async (): Promise<Store> => {
    const store = await openSqliteStore(options);
    opened.push(store);
    return store;
  };
  return {
    ...(await openOne()),
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
    second: openOne,
    driverWoken: () => bell.wait(DRIVER_TOPIC, 60_000, AbortSignal.timeout(60_000)),
    dispose: async () => {
      for (const store of opened) await store.close();
      rmSync(folder, { recursive: true });
    },
  };
};

journalContract('sqlite', open);
madeFromContract('sqlite', open);
journalHoldsContract('sqlite', open);
taskBoardContract('sqlite', open);
keepOutContract('sqlite', open);
recordsContract('sqlite', open);
viewsContract('sqlite', open);
sideBySideContract('sqlite', open);
