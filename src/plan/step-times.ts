import type { Analysis } from '../domain/analysis.ts';
import type { Step } from '../domain/plan.ts';
import type { StepRecord } from '../domain/step-record.ts';

/** What earlier deployments tell: those of the same project and environment, and those of the whole fleet. */
export type History = { readonly here: readonly StepRecord[]; readonly fleet: readonly StepRecord[] };
export const NO_HISTORY: History = { here: [], fleet: [] };

/** `plan`: the plan itself says how long the step waits. */
export type Source = 'plan' | 'here' | 'fleet' | 'guess';

/** How long a step takes on one target. */
export type StepTimes = {
  readonly sequence: string;
  readonly step: string;
  readonly from: Source;
  /** How many deployments and targets it was learnt from. */
  readonly deployments: number;
  readonly samples: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  /** In ascending order; a few hundred at most. What is drawn from them comes about as often as it was met. */
  readonly sortedMs: readonly number[];
};

/** Of fewer samples than this nothing is said. */
export const LEAST_SAMPLES = 3;
const MOST_SAMPLES = 400;

/** Usual times of steps without a wait of their own, in ms; what a first deployment is guessed by. */
const USUAL_MS: Readonly<Record<string, number>> = {
  fetch: 15_000,
  guard: 1_000,
  drain: 10_000,
  stop: 5_000,
  install: 5_000,
  start: 5_000,
  enable: 3_000,
};
const OTHERWISE_MS = 5_000;

/**
 * The times of a step of a sequence: of this place if it was done here often enough, else of the fleet, else the usual ones.
 * The same sequence counts before others, since nobody has a connection where nothing served.
 */
export function timesOf(sequence: string, step: Step, { here, fleet }: History): StepTimes {
  const of = { sequence, step };
  if (step.id === 'settle') return known(of, 'plan', ownWaitMs(step));
  return learnt(of, 'here', here) ?? learnt(of, 'fleet', fleet) ?? known(of, 'guess', guessMs(step));
}

type Of = { readonly sequence: string; readonly step: Step };

function learnt({ sequence, step }: Of, from: Source, records: readonly StepRecord[]): StepTimes | undefined {
  const done = records.filter((record) => record.step === step.id && record.doneMs.length > 0);
  const same = done.filter((record) => record.sequence === sequence);
  const used = countOf(same) >= LEAST_SAMPLES ? same : done;
  const all = used.flatMap(({ doneMs }) => doneMs);
  if (all.length < LEAST_SAMPLES) return undefined;
  // What the step waits by plan may have changed since.
  const least = ownWaitMs(step);
  const sortedMs = thinned(all.map((ms) => Math.max(least, ms)).toSorted((a, b) => a - b));
  return {
    ...{ sequence, step: step.id, from, samples: all.length, sortedMs },
    deployments: new Set(used.map(({ deployment }) => deployment)).size,
    p50Ms: quantile(sortedMs, 0.5),
    p90Ms: quantile(sortedMs, 0.9),
  };
}

const countOf = (records: readonly StepRecord[]): number =>
  records.reduce((sum, { doneMs }) => sum + doneMs.length, 0);

const known = ({ sequence, step }: Of, from: Source, ms: number): StepTimes => ({
  ...{ sequence, step: step.id, from, deployments: 0, samples: 0, sortedMs: [ms] },
  ...{ p50Ms: ms, p90Ms: ms },
});

function guessMs(step: Step): number {
  if (step.id === 'verify') return numberOf(step.inputs.passes) * numberOf(step.inputs.intervalMs);
  if (step.action.startsWith('canary.judge@')) return judgingMs(step);
  return USUAL_MS[step.id] ?? OTHERWISE_MS;
}

/** A clean canary is let pass after a third of its time, about. */
function judgingMs({ inputs: { analysis } }: Step): number {
  const times = analysis && 'value' in analysis ? (analysis.value as Partial<Analysis>) : {};
  return (times.warmUpMs ?? 0) + (times.mostMs ?? 0) / 3;
}

/** What the plan makes it wait, whatever else happens. */
function ownWaitMs({ id, inputs }: Step): number {
  if (id === 'settle') return numberOf(inputs.ms);
  if (id === 'verify') return Math.max(0, numberOf(inputs.passes) - 1) * numberOf(inputs.intervalMs);
  return 0;
}

function numberOf(input: Step['inputs'][string] | undefined): number {
  return input && 'value' in input && typeof input.value === 'number' ? input.value : 0;
}

/** Evenly over the whole range, its ends kept. */
function thinned(sorted: readonly number[]): readonly number[] {
  if (sorted.length <= MOST_SAMPLES) return sorted;
  return Array.from({ length: MOST_SAMPLES }, (_, n) => quantile(sorted, n / (MOST_SAMPLES - 1)));
}

/** Of numbers in ascending order; 0 of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
