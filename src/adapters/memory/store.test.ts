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
import { memoryBell } from './bell.ts';
import { openMemoryStore } from './store.ts';

const open = async (): Promise<TestStore> => {
  let time = START;
  const bell = memoryBell();
  const store = openMemoryStore({ bell, now: () => time, pollMs: 60_000 });
  return {
    ...store,
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
    second: async () => store,
    driverWoken: () => bell.wait(DRIVER_TOPIC, 60_000, AbortSignal.timeout(60_000)),
    dispose: () => store.close(),
  };
};

journalContract('memory', open);
madeFromContract('memory', open);
journalHoldsContract('memory', open);
taskBoardContract('memory', open);
keepOutContract('memory', open);
recordsContract('memory', open);
viewsContract('memory', open);
sideBySideContract('memory', open);
