import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { EdgeError } from '../../domain/errors.ts';
import type { PlanSimulation, PlanSimulationReport } from '../../domain/plan-simulation.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import type { SimulationWatch, Simulator } from '../../ports/simulator.ts';
import { type Lot, type LotDone, lotsOf } from './lot.ts';
import type { PlanRun } from './run-watch.ts';
import { summedUp } from './sum-up.ts';

/** Source is TypeScript when Edge runs from its repository, and JavaScript in the published package. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './plan-thread.ts' : './plan-thread.js',
  import.meta.url,
);

const MOST_THREADS = 4;
/** What a run leaves behind that nobody waits for any more is freed with its thread. */
const LOTS_A_THREAD = 20;
const MEMORY_MB = 768;
/** Most of a run is rubbish when it ends: it should not be copied before. */
const YOUNG_MB = 96;
const MOST_VIOLATIONS = 20;

/** Runs plans in threads of their own, one plan at a time, so that the server goes on answering meanwhile. */
export function threadedSimulator(threads = Math.min(MOST_THREADS, availableParallelism())): Simulator {
  const turn = new Semaphore(1);
  return {
    simulate: async (request, watch) => {
      const done = await turn.acquire(watch.signal);
      try {
        return await simulate(request, watch, threads);
      } finally {
        done();
      }
    },
  };
}

type Done = { readonly lot: Lot; readonly runs: readonly PlanRun[] };

async function simulate(
  request: PlanSimulation,
  { signal, onProgress }: SimulationWatch,
  threads: number,
): Promise<PlanSimulationReport> {
  const lots = [...lotsOf(request)];
  const all: Done[] = [];
  const onDone = (lot: Lot, { runs }: LotDone): void => {
    all.push({ lot, runs });
    onProgress(all.reduce((sum, done) => sum + done.runs.length, 0));
  };
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  const lane = async (): Promise<void> => {
    while (lots.length > 0) await oneThread({ request, lots, onDone, signal: until });
  };
  const lanes = Array.from({ length: Math.min(threads, lots.length) }, () =>
    lane().catch((fault: unknown) => {
      failed.abort(fault);
      throw fault;
    }),
  );
  const ends = await Promise.allSettled(lanes);
  signal.throwIfAborted();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return report(request, all);
}

type Lane = {
  readonly request: PlanSimulation;
  /** Taken from by all threads. */
  readonly lots: Lot[];
  readonly onDone: (lot: Lot, done: LotDone) => void;
  readonly signal: AbortSignal;
};

/** A thread that is fed until there is nothing more for it, or it has done its share. Settled once it has ended. */
function oneThread({ request, lots, onDone, signal }: Lane): Promise<void> {
  signal.throwIfAborted();
  const thread = new Worker(ENTRY, {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: YOUNG_MB },
  });
  return new Promise((resolve, reject) => {
    let lot: Lot | undefined;
    let fed = 0;
    let fault: unknown;
    const feed = (): void => {
      lot = fed < LOTS_A_THREAD && !signal.aborted ? lots.shift() : undefined;
      fed += 1;
      if (lot) thread.postMessage(lot);
      else void thread.terminate();
    };
    const stop = (): void => void thread.terminate();
    signal.addEventListener('abort', stop, { once: true });
    thread.on('message', (done: LotDone) => {
      if (lot) onDone(lot, done);
      feed();
    });
    thread.on('error', (error) => {
      fault = new EdgeError('internal', `The simulation failed: ${error.message}`, { cause: error });
    });
    thread.on('exit', () => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(signal.reason);
      else if (fault !== undefined) reject(fault);
      else if (lot) reject(new EdgeError('internal', 'The thread of the simulation ended before its time'));
      else resolve();
    });
    feed();
  });
}

function report(request: PlanSimulation, all: readonly Done[]): PlanSimulationReport {
  const runsOf = (release: 'good' | 'bad') =>
    all
      .filter(({ lot }) => lot.release === release)
      .toSorted((a, b) => a.lot.from - b.lot.from)
      .flatMap(({ runs }) => runs);
  const cases = (['good', 'bad'] as const).flatMap((release) => {
    const runs = runsOf(release);
    return runs.length === 0 ? [] : [{ release, runs }];
  });
  return {
    cases: cases.map(({ release, runs }) => summedUp(release, runs, request)),
    violations: cases
      .flatMap(({ release, runs }) =>
        runs.flatMap(({ violation }, run) => (violation ? [{ run, release, ...violation }] : [])),
      )
      .slice(0, MOST_VIOLATIONS),
  };
}
