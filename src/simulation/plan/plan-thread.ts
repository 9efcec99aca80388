import { parentPort, workerData } from 'node:worker_threads';
import type { PlanSimulation } from '../../domain/plan-simulation.ts';
import { type Lot, type LotDone, seedOf } from './lot.ts';
import { runPlan } from './run-plan.ts';
import type { PlanRun } from './run-watch.ts';

// A thread that runs lots of one plan, one after the other. The trap of the simulation is laid here and nowhere else.

/** Errors are part of the game here; nobody reads where they came from. */
Error.stackTraceLimit = 0;

if (parentPort) serve(parentPort, workerData as PlanSimulation);

function serve(port: NonNullable<typeof parentPort>, request: PlanSimulation): void {
  port.on('message', (lot: Lot) => {
    // A fault ends the thread, and whoever started it hears of it.
    void runLot(request, lot).then((done) => port.postMessage(done));
  });
}

async function runLot(request: PlanSimulation, { release, from, count }: Lot): Promise<LotDone> {
  const runs: PlanRun[] = [];
  for (let run = from; run < from + count; run += 1)
    runs.push(await runPlan({ request, release, seed: seedOf(request.seed, run) }));
  return { runs };
}
