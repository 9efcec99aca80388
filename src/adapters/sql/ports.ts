import { DRIVER_TOPIC, poolTopic } from '../../domain/topics.ts';
import type { Bell } from '../../ports/bell.ts';
import type { Journal, NewTask } from '../../ports/journal.ts';
import type { Records } from '../../ports/records.ts';
import type { TaskBoard } from '../../ports/task-board.ts';
import type { Views } from '../../ports/views.ts';
import type { Call } from './operations.ts';
import {
  type PackedAcquired,
  type PackedClaim,
  type PackedLot,
  packCommit,
  packReport,
  unpackClaim,
  unpackLot,
} from './packed.ts';

/** The four ports of one store. */
export type Store = {
  readonly journal: Journal;
  readonly tasks: TaskBoard;
  readonly records: Records;
  readonly views: Views;
  /** Waits for what is under way, then closes the database; calls after that reject with `store_unavailable`. */
  readonly close: () => Promise<void>;
};

export type StoreParts = {
  /** Runs an operation in a transaction of its own; the result is that operation's. */
  readonly call: <T>(call: Call) => Promise<T>;
  /** The same for `Views`, where they have a connection of their own. */
  readonly view: <T>(call: Call) => Promise<T>;
  readonly bell: Bell;
  /** A wait for work ends after this at the latest: for due times, and for other processes on the same database. */
  readonly pollMs: number;
  readonly close: () => Promise<void>;
};

/** The ports over a way to call operations. This is the only place where calls are made, and where they are typed. */
export function storePorts(parts: StoreParts): Store {
  return {
    journal: journalOver(parts),
    tasks: taskBoardOver(parts),
    records: recordsOver(parts),
    views: viewsOver(parts),
    close: parts.close,
  };
}

const journalOver = ({ call }: StoreParts): Journal => ({
  create: (...args) => call({ name: 'create', args, wakes: [DRIVER_TOPIC] }),
  submit: (...args) => call({ name: 'submit', args, wakes: [DRIVER_TOPIC] }),
  acquire: async (...args) => {
    const acquired = await call<readonly PackedAcquired[]>({ name: 'acquire', args });
    return acquired.map(({ lease, lot }) => ({ lease, lot: unpackLot(lot) }));
  },
  load: (...args) => call({ name: 'load', args }),
  read: async (...args) => unpackLot(await call<PackedLot>({ name: 'read', args })),
  commit: (lease, changes) =>
    call({ name: 'commit', args: [lease, packCommit(changes)], wakes: poolTopics(changes.open) }),
  release: (...args) => call({ name: 'release', args }),
});

const poolTopics = (tasks: readonly NewTask[]): readonly string[] => [
  ...new Set(tasks.map(({ pool }) => poolTopic(pool))),
];

const taskBoardOver = ({ call, bell, pollMs }: StoreParts): TaskBoard => ({
  claim: async (...args) => (await call<readonly PackedClaim[]>({ name: 'claim', args })).map(unpackClaim),
  renew: (...args) => call({ name: 'renew', args }),
  report: (worker, reports) =>
    call({ name: 'report', args: [worker, reports.map(packReport)], wakes: [DRIVER_TOPIC] }),
  appendOutput: (_worker, chunks) => call({ name: 'appendOutput', args: [chunks] }),
  keepOut: (...args) => call({ name: 'keepOut', args }),
  waitForWork: (pool, timeoutMs, signal) => bell.wait(poolTopic(pool), Math.min(timeoutMs, pollMs), signal),
});

const recordsOver = ({ call }: StoreParts): Records => ({
  get: (...args) => call({ name: 'getRecord', args }),
  list: (kind, prefix = '') => call({ name: 'listRecords', args: [kind, prefix] }),
  apply: (...args) => call({ name: 'applyRecords', args }),
});

const viewsOver = ({ view }: StoreParts): Views => ({
  deployments: (...args) => view({ name: 'viewDeployments', args }),
  plan: (...args) => view({ name: 'viewPlan', args }),
  events: (deployment, after, limit) => view({ name: 'viewEvents', args: [deployment, { after, limit }] }),
  tasks: (...args) => view({ name: 'viewTasks', args }),
  output: (...args) => view({ name: 'viewOutput', args }),
  fleet: (...args) => view({ name: 'viewFleet', args }),
  steps: (...args) => view({ name: 'viewSteps', args }),
});
