import type { Plan, Step } from '../domain/plan.ts';
import type { Mishap, Odds, StepOdds } from '../domain/plan-simulation.ts';
import type { FailureCounts, StepRecord } from '../domain/step-record.ts';
import { type History, timesOf } from './step-times.ts';

/** How often a mishap is met on a target where the log tells nothing: a guess, and told as one. */
const USUAL: Readonly<Record<Mishap, number>> = {
  fails: 0.0005,
  hangs: 0.0002,
  lost: 0.0002,
  unreachable: 0.001,
  unwell: 0.001,
  stays: 0.005,
  'not-up': 0.0003,
};
/** What is usual counts as much as so many tasks of the log. */
const WEIGHT = 100;
/** With fewer tasks than this here, those of the fleet count too. */
const ENOUGH = 20;

/** What can happen to each kind of work; to others what can happen to a command. */
const POSSIBLE: Readonly<Record<string, readonly Mishap[]>> = {
  'capacity.guard': ['unreachable'],
  'balancer.drain': ['unreachable', 'stays'],
  'balancer.enable': ['unreachable', 'not-up'],
  'health.verify': ['unwell'],
  'wait.settle': [],
};
const OF_COMMANDS: readonly Mishap[] = ['fails', 'hangs', 'lost', 'unreachable'];

/** How each step of a plan, and of its rollback, may go: from what the log tells of it here, else of the fleet. */
export function oddsOf(plan: Plan, history: History): readonly StepOdds[] {
  return Object.entries(plan.sequences).flatMap(([sequence, steps]) =>
    steps.map((step) => ({
      ...{ sequence, step: step.id, sortedMs: timesOf(sequence, step, history).sortedMs },
      mishaps: mishapsOf(step, history),
    })),
  );
}

function mishapsOf(step: Step, { here, fleet }: History): StepOdds['mishaps'] {
  const possible = POSSIBLE[step.action.split('@')[0] ?? ''] ?? OF_COMMANDS;
  const own = here.filter((record) => record.step === step.id);
  const records =
    sum(own.map(tasksOf)) >= ENOUGH ? own : [...own, ...fleet.filter(({ step: id }) => id === step.id)];
  return Object.fromEntries(possible.map((mishap) => [mishap, oddsFor(mishap, records)]));
}

function oddsFor(mishap: Mishap, records: readonly StepRecord[]): Odds {
  // A release that failed on most targets was bad: that tells nothing of one that is not.
  const used = mishap === 'unwell' ? records.filter((record) => !wasBad(record)) : records;
  const met = sum(used.map((record) => metIn(record, mishap)));
  const of = sum(used.map(tasksOf));
  return { met, of, share: (met + USUAL[mishap] * WEIGHT) / (of + WEIGHT) };
}

const tasksOf = ({ doneMs, failed, unknown }: StepRecord): number => doneMs.length + total(failed) + unknown;
const wasBad = (record: StepRecord): boolean => metIn(record, 'unwell') * 2 >= tasksOf(record);

/** Failures, and tries that were followed by another one. */
function metIn(record: StepRecord, mishap: Mishap): number {
  const both = [...Object.entries(record.failed), ...Object.entries(record.retried)];
  const coded = sum(both.map(([code, count]) => (mishapOf(code) === mishap ? count : 0)));
  if (mishap === 'lost') return coded + record.unknown;
  return mishap === 'stays' ? coded + record.forced : coded;
}

function mishapOf(code: string): Mishap {
  if (code === 'health_failed') return 'unwell';
  if (code === 'drain_timeout') return 'stays';
  if (code === 'member_not_up') return 'not-up';
  if (code === 'task_cancelled') return 'hangs';
  if (code === 'outcome_unknown') return 'lost';
  return /^(host|balancer)_/.test(code) ? 'unreachable' : 'fails';
}

const total = (counts: FailureCounts): number => sum(Object.values(counts));
const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
