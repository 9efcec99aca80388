import { type Batch, type Lane, NEXT_SHARE, type Plan, type Stage } from '../domain/plan.ts';
import { type History, NO_HISTORY, quantile, type StepTimes, timesOf } from './step-times.ts';

/**
 * How long a plan takes, from its start, if nothing fails and nobody is asked: half of the times it is done by `p50Ms`, nine
 * times of ten by `p90Ms`. Beside the plan and not in its hash.
 */
export type Forecast = {
  readonly p50Ms: number;
  readonly p90Ms: number;
  /** Of each step that the plan does, and where that is known from. */
  readonly steps: readonly Omit<StepTimes, 'sortedMs'>[];
  /** In words: what it was learnt from. */
  readonly basis: string;
};

type Planned = Pick<Plan, 'stages' | 'sequences' | 'policy'>;

/** So much work one forecast may cost, in draws; a plan of many targets needs fewer rounds, since sums even out. */
const DRAWS = 300_000;
const MOST_ROUNDS = 200;
const LEAST_ROUNDS = 5;

/** Plays the plan through many times, each step with a time that it took somewhere. The same arguments give the same forecast. */
export function forecast(plan: Planned, history: History = NO_HISTORY): Forecast {
  const times = timesOfPlan(plan, history);
  const isCertain = [...times.values()].every(({ sortedMs }) => sortedMs.length === 1);
  const rounds = isCertain ? 1 : roundsFor(plan);
  const draw = drawing();
  const totals = Array.from({ length: rounds }, () => playedMs(plan, times, draw)).toSorted((a, b) => a - b);
  const steps = [...times.values()].map(({ sortedMs: _, ...rest }) => rest);
  return { p50Ms: quantile(totals, 0.5), p90Ms: quantile(totals, 0.9), steps, basis: basisOf(steps) };
}

type Times = ReadonlyMap<string, StepTimes>;
/** From 0 up to, and never, 1. */
type Drawing = () => number;

/** Of what is done if nothing fails. */
const stagesOf = ({ stages }: Planned): readonly Stage[] => stages.filter(({ when }) => when !== 'failed');

const batchesOf = (plan: Planned): readonly Batch[] =>
  stagesOf(plan).flatMap(({ lanes }) => lanes.flatMap(({ batches }) => batches));

/** By sequence and step. */
function timesOfPlan(plan: Planned, history: History): Times {
  const used = [...new Set(batchesOf(plan).map(({ sequence }) => sequence))];
  const all = used.flatMap((sequence) =>
    (plan.sequences[sequence] ?? []).map((step) => timesOf(sequence, step, history)),
  );
  return new Map(all.map((times) => [`${times.sequence}/${times.step}`, times]));
}

function roundsFor(plan: Planned): number {
  const work = batchesOf(plan).map(
    ({ sequence, targets }) => targets.length * (plan.sequences[sequence]?.length ?? 0),
  );
  return Math.max(LEAST_ROUNDS, Math.min(MOST_ROUNDS, Math.floor(DRAWS / Math.max(1, sum(work)))));
}

/** One time through: stages one after the other, their lanes side by side, batches of a lane in order. */
function playedMs(plan: Planned, times: Times, draw: Drawing): number {
  return sum(
    stagesOf(plan).map(({ lanes }) =>
      Math.max(0, ...lanes.map((lane) => laneMs(plan, lane, { lanes, times, draw }))),
    ),
  );
}

type Playing = { readonly lanes: readonly Lane[]; readonly times: Times; readonly draw: Drawing };

function laneMs(plan: Planned, lane: Lane, { lanes, times, draw }: Playing): number {
  // What may be worked on at once over all lanes is shared between them.
  const share = Math.max(1, Math.floor(plan.policy.parallel / lanes.length));
  let atMs = 0;
  let beforeMs = 0;
  for (const { sequence, targets, parallel } of lane.batches) {
    const atOnce = Math.min(parallel, share);
    const takenBy = (isAhead: boolean, count: number, side = atOnce) => {
      const steps = (plan.sequences[sequence] ?? []).filter(({ ahead = false }) => ahead === isAhead);
      const sorted = steps.map(({ id }) => times.get(`${sequence}/${id}`)?.sortedMs ?? []);
      const targetMs = () => sum(sorted.map((of) => of[Math.floor(draw() * of.length)] ?? 0));
      return scheduledMs(count, side, targetMs);
    };
    // Some of its targets were prepared while the batch before it was worked on; the first ones hold up all of it, the last ones themselves.
    const all = targets.length;
    const first = Math.min(all, atOnce);
    const headStart = Math.min(1, beforeMs / Math.max(1, takenBy(true, all, Math.ceil(atOnce / NEXT_SHARE))));
    const left = 1 - headStart;
    const workMs = takenBy(false, all);
    beforeMs = Math.max(
      left * takenBy(true, first) + workMs,
      left * takenBy(true, all) + takenBy(false, first),
    );
    atMs += beforeMs;
  }
  return atMs;
}

/** So many targets, so many at once: whoever is done makes room for the next. */
function scheduledMs(count: number, parallel: number, targetMs: () => number): number {
  const freeAtMs = Array.from({ length: Math.max(1, Math.min(parallel, count)) }, () => 0);
  for (let n = 0; n < count; n += 1) {
    let first = 0;
    for (let place = 1; place < freeAtMs.length; place += 1)
      if ((freeAtMs[place] ?? 0) < (freeAtMs[first] ?? 0)) first = place;
    freeAtMs[first] = (freeAtMs[first] ?? 0) + targetMs();
  }
  return Math.max(...freeAtMs);
}

/** mulberry32 from a fixed seed: a forecast depends on its arguments alone. */
function drawing(): Drawing {
  let state = 0x2545f491;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function basisOf(steps: Forecast['steps']): string {
  const of = (source: StepTimes['from']) => steps.filter(({ from }) => from === source);
  const [here, fleet, guessed] = [of('here'), of('fleet'), of('guess')];
  if (here.length + fleet.length === 0) return guessed.length > 0 ? 'a guess' : 'from the plan alone';
  const deployments = Math.max(0, ...here.map((step) => step.deployments));
  const parts = [
    ...(here.length > 0
      ? [`from ${deployments} ${deployments === 1 ? 'deployment' : 'deployments'} here`]
      : []),
    ...named('from the fleet', fleet, here.length > 0),
    ...named('guessed', guessed, true),
  ];
  return parts.join('; ');
}

const named = (what: string, steps: Forecast['steps'], isPart: boolean): readonly string[] =>
  steps.length === 0
    ? []
    : [isPart ? `${what}: ${[...new Set(steps.map(({ step }) => step))].join(', ')}` : what];

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
