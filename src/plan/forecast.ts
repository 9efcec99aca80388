import type { Batch, Plan, Step } from '../domain/plan.ts';

/** Usual times of steps without a wait of their own, in ms; what a first deployment is guessed by. */
const USUAL_MS: Readonly<Record<string, number>> = {
  guard: 1_000,
  drain: 10_000,
  stop: 5_000,
  install: 15_000,
  start: 5_000,
  enable: 3_000,
};

/** When the plan may be done, in ms from its start, if nothing fails and nobody is asked. */
export function expectedMs(plan: Pick<Plan, 'stages' | 'sequences'>): number {
  const batchMs = ({ sequence, targets, parallel }: Batch) =>
    Math.ceil(targets.length / parallel) * sum((plan.sequences[sequence] ?? []).map(stepMs));
  return sum(
    plan.stages.map(({ lanes }) => Math.max(...lanes.map(({ batches }) => sum(batches.map(batchMs))))),
  );
}

function stepMs({ id, inputs }: Step): number {
  if (id === 'verify') return numberOf(inputs.passes) * numberOf(inputs.intervalMs);
  if (id === 'settle') return numberOf(inputs.ms);
  return USUAL_MS[id] ?? 5_000;
}

function numberOf(input: Step['inputs'][string] | undefined): number {
  return input && 'value' in input && typeof input.value === 'number' ? input.value : 0;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
