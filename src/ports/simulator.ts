import type { PlanSimulation, PlanSimulationReport } from '../domain/plan-simulation.ts';

/** Runs plans in a simulated world, in virtual time; touches nothing real, and leaves the caller's thread free. */
export interface Simulator {
  /** The same request gives the same report. Rejects with the reason of the signal, once nothing of it runs any more. */
  simulate(request: PlanSimulation, watch: SimulationWatch): Promise<PlanSimulationReport>;
}

export type SimulationWatch = {
  readonly signal: AbortSignal;
  /** Called after each lot, with how many runs are done. */
  readonly onProgress: (done: number) => void;
};
