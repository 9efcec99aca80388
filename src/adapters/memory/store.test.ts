import { journalContract } from '../../../test/contracts/journal.ts';
import { journalHoldsContract } from '../../../test/contracts/journal-holds.ts';
import type { TestStore } from '../../../test/contracts/store.ts';
import { taskBoardContract } from '../../../test/contracts/task-board.ts';
import { DRIVER_TOPIC } from '../../domain/topics.ts';
import { memoryBell } from './bell.ts';
import { openMemoryStore } from './store.ts';

const open = async (): Promise<TestStore> => {
  let time = 1_800_000_000_000;
  const bell = memoryBell();
  const store = openMemoryStore({ bell, now: () => time, pollMs: 60_000 });
  return {
    ...store,
    advance: (ms) => {
      time += ms;
    },
    second: async () => store,
    driverWoken: () => bell.wait(DRIVER_TOPIC, 60_000, AbortSignal.timeout(60_000)),
    dispose: () => store.close(),
  };
};

journalContract('memory', open);
journalHoldsContract('memory', open);
taskBoardContract('memory', open);
