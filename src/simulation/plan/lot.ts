import type { PlanSimulation } from '../../domain/plan-simulation.ts';
import type { PlanRun } from './run-watch.ts';

/** Runs of a plan that a thread does without a pause. */
export type Lot = {
  readonly release: 'good' | 'bad';
  /** Indexes of runs, from `from` on. */
  readonly from: number;
  readonly count: number;
};
export type LotDone = { readonly runs: readonly PlanRun[] };

/** So that a cancel is heard soon, and the thread that is behind need not hold up the others for long. */
const LOT = 10;

/** All runs that were asked for, in an order that does not depend on who does them. */
export function lotsOf({ runs }: PlanSimulation): readonly Lot[] {
  const of = (release: 'good' | 'bad', all: number): readonly Lot[] =>
    Array.from({ length: Math.ceil(all / LOT) }, (_, n) => ({
      ...{ release, from: n * LOT, count: Math.min(LOT, all - n * LOT) },
    }));
  return [...of('bad', runs.bad), ...of('good', runs.good)];
}

/** Each run has a seed of its own, whoever does it. */
export const seedOf = (seed: number, run: number): number =>
  (Math.imul(seed, 0x9e3779b1) + Math.imul(run + 1, 0x85ebca6b)) >>> 0;
