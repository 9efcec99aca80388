import type { MetricReport, Verdict } from './judgement.ts';

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
      return `Harm is neither shown nor ruled out: ${those('worse', 'uneven', 'suspicious').map(doubtful).join('; ')}.`;
    case 'pass':
      return `${metrics.length} metrics show no harm${surely(those('clear').length, metrics.length)}.`;
    case 'undecided':
      return `${those('clear').length} of ${metrics.length} metrics are clear so far, none is worse.`;
    default:
      return verdict satisfies never;
  }
}

const byEvidence = (one: MetricReport, other: MetricReport): number => one.p - other.p;

const worse = (metric: MetricReport): string =>
  `${metric.name} ${effectOf(metric)}${metric.since ? ` since step ${metric.since + 1}` : ''}, which comes without harm in ${oneOf(metric.p)} canaries`;

function doubtful(metric: MetricReport): string {
  const why =
    metric.state === 'uneven'
      ? 'its servers differ too much to blame the release'
      : `p ${metric.p.toPrecision(2)}`;
  return `${metric.name} ${effectOf(metric)} (${why})`;
}

function effectOf({ effect, slowerThan }: MetricReport): string {
  if (slowerThan !== null) return `lies above ${slowerThan} more often than that of the baseline`;
  if (!effect) return 'differs';
  return `is ${round(effect.ratio)} times that of the baseline (${round(effect.least)} to ${round(effect.most)})`;
}

function missing(metrics: readonly MetricReport[]): string {
  const names = (state: MetricReport['state']) =>
    metrics.filter((metric) => metric.state === state).map(({ name }) => name);
  const [without, empty] = [names('no history'), names('no data')];
  const parts = [
    ...(empty.length > 0 ? [`There is no data of ${empty.join(', ')}`] : []),
    ...(without.length > 0 ? [`there is too little history of ${without.join(', ')}`] : []),
  ];
  return parts.join('; ') || `There is too little data of ${metrics.map(({ name }) => name).join(', ')}`;
}

const surely = (clear: number, all: number): string =>
  clear === all ? ' of more than is allowed' : `, ${clear} of them surely not more than is allowed`;

/** The chance is p at most. */
const oneOf = (p: number): string =>
  p < 1e-6 ? 'fewer than 1 of a million' : `at most 1 of ${Math.floor(1 / p).toLocaleString('en')}`;

const round = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(2))) : 'any';
