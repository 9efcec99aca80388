import { asEdgeError } from '../../domain/errors.ts';
import type { WorkerId } from '../../domain/ids.ts';
import type {
  Claim,
  ClaimedTask,
  Held,
  Keeping,
  Kept,
  Renewed,
  Report,
  TaskBoard,
  TaskOutput,
} from '../../ports/task-board.ts';

/** The worker's routes of the API; a client made by `edgeClient` with a worker's token has them. */
export type WorkerCalls = {
  claimTasks(input: Claim, options?: CallOptions): Promise<{ readonly tasks: readonly ClaimedTask[] }>;
  renewTasks(input: Of<{ readonly tasks: readonly Held[] }>): Promise<Renewed>;
  reportTasks(input: Of<{ readonly reports: readonly Report[] }>): Promise<unknown>;
  appendOutput(input: Of<{ readonly chunks: readonly TaskOutput[] }>): Promise<unknown>;
  keepOut(input: Keeping): Promise<Kept>;
  waitForWork(
    input: { readonly pool: string; readonly timeoutMs: number },
    options?: CallOptions,
  ): Promise<unknown>;
};
type Of<T> = T & { readonly worker: WorkerId };
type CallOptions = { readonly signal?: AbortSignal };

/** What the API takes at once; see worker-contract.ts. 256 chunks of 64 KB are half of what a body may have. */
const MOST_ITEMS = 1_000;
const MOST_CHUNKS = 256;
const LONGEST_WAIT_MS = 30_000;

/**
 * The task board of a server that is somewhere else. It adds nothing but the way there: every call is idempotent on the
 * server, so that a caller may repeat what was answered by `server_unreachable`.
 */
export function httpTaskBoard(calls: WorkerCalls): TaskBoard {
  return {
    claim: async (request) =>
      (await calls.claimTasks({ ...request, max: Math.min(request.max, MOST_ITEMS) })).tasks,
    renew: async (worker, tasks) => {
      const answers: Renewed[] = [];
      for (const lot of lots(tasks, MOST_ITEMS)) answers.push(await calls.renewTasks({ worker, tasks: lot }));
      return {
        lost: answers.flatMap(({ lost }) => lost),
        cancel: answers.flatMap(({ cancel }) => cancel),
      };
    },
    report: async (worker, reports) => {
      for (const lot of lots(reports, MOST_ITEMS)) await calls.reportTasks({ worker, reports: lot });
    },
    appendOutput: async (worker, chunks) => {
      for (const lot of lots(chunks, MOST_CHUNKS)) await calls.appendOutput({ worker, chunks: lot });
    },
    keepOut: (request) => calls.keepOut(request),
    waitForWork: async (pool, timeoutMs, signal) => {
      if (signal.aborted) return;
      try {
        await calls.waitForWork({ pool, timeoutMs: Math.min(timeoutMs, LONGEST_WAIT_MS) }, { signal });
      } catch (thrown) {
        // A wait that nobody waits for any more has done its work.
        if (!signal.aborted) throw asEdgeError(thrown);
      }
    },
  };
}

function lots<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
