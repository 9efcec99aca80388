import type { MetricReport, Verdict } from './judgement.ts';
import type { Effect } from './metric-test.ts';

/** Why a canary has its verdict, in one sentence: which metrics, by how much, and since when. */
export function reasonOf(verdict: Verdict, metrics: readonly MetricReport[]): string {
  const those = (...states: readonly MetricReport['state'][]) =>
    metrics.filter(({ state }) => states.includes(state));
  switch (verdict) {
    case 'fail':
      return `${those('worse').toSorted(byEvidence).map(worse).join('; ')}.`;
    case 'no data':
      return `${missing(metrics)}.`;
    case 'unsure':
      return `Harm enough to fail is neither shown nor ruled out: ${those('worse', 'uneven', 'suspicious').map(doubtful).join('; ')}.`;
    case 'pass':
      return `${counted(metrics.length)} without harm, ${surely(those('clear').length, metrics.length)} surely without more than is allowed.`;
    case 'undecided':
      return `${those('clear').length} of ${counted(metrics.length)} clear so far, ${soFar(those('worse'))}.`;
    default:
      return verdict satisfies never;
  }
}

const counted = (metrics: number): string => (metrics === 1 ? '1 metric' : `${metrics} metrics`);

const soFar = (worse: readonly MetricReport[]): string =>
  worse.length === 0 ? 'and none worse' : `and worse, but not enough to fail: ${namesOf(worse)}`;

const byEvidence = (one: MetricReport, other: MetricReport): number => one.p - other.p;

const worse = (metric: MetricReport): string =>
  `${metric.name} ${effectOf(metric)}${since(metric)}, which comes without harm in ${oneOf(metric.p)} canaries`;

const since = ({ since: steps }: MetricReport): string =>
  steps === null || steps === 0 ? ' from the start' : ` since step ${steps + 1}`;

function doubtful(metric: MetricReport): string {
  return `${metric.name} ${effectOf(metric)} (${whyOf(metric)})`;
}

function whyOf({ state, p }: MetricReport): string {
  if (state === 'worse') return 'shown, in too few of the metrics';
  return state === 'uneven' ? 'its servers differ too much to blame the release' : `p ${p.toPrecision(2)}`;
}

function effectOf({ effect, slowerThan }: MetricReport): string {
  if (slowerThan !== null) return `lies above ${slowerThan} more often than that of the baseline`;
  if (!effect) return 'differs';
  return `is ${round(effect.ratio)} times that of the baseline (${between(effect)})`;
}

function missing(metrics: readonly MetricReport[]): string {
  if (metrics.length === 0) return 'There is no metric';
  const without = metrics.filter(({ state }) => state === 'no data');
  const lacking = [
    ['no data', without.filter(({ steps }) => steps === 0)],
    ['too little data', without.filter(({ steps }) => steps > 0)],
    ['too little history', metrics.filter(({ state }) => state === 'no history')],
  ] as const;
  const parts = lacking.flatMap(([what, of]) => (of.length > 0 ? [`${what} of ${namesOf(of)}`] : []));
  return `There is ${parts.join(', and ')}`;
}

const namesOf = (metrics: readonly MetricReport[]): string => metrics.map(({ name }) => name).join(', ');

const surely = (clear: number, all: number): string => (clear === all ? 'all' : `${clear} of them`);

/** The chance is p at most. */
const oneOf = (p: number): string =>
  p < 1e-6 ? 'fewer than 1 of a million' : `at most 1 of ${Math.floor(1 / p).toLocaleString('en')}`;

/** An end that is not known is left out. */
function between({ least, most }: Effect): string {
  if (!Number.isFinite(most)) return `at least ${round(least)}`;
  return Number.isFinite(least) && least !== 0
    ? `${round(least)} to ${round(most)}`
    : `at most ${round(most)}`;
}

const round = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(2))) : 'any number of';
