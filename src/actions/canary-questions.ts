import type { Said, SaidOfMetric } from '../analysis/measured.ts';
import { type MeasuredServer, serversOf } from '../analysis/servers.ts';
import { type AnalysedMetric, BALANCER } from '../domain/analysis.ts';
import { EdgeError } from '../domain/errors.ts';
import { fillQuery, type QueryLanguage, type QueryValues } from '../domain/metric-query.ts';
import type { MetricSourceConfig } from '../domain/metric-source.ts';
import type { MetricsAnswer } from '../domain/metrics.ts';
import { parseTemplate } from '../domain/template.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { CanaryJudgeInputs } from './canary-judge-inputs.ts';

/** One query, of which the same is asked once, whoever needs its answer. */
export type Question = { readonly metric: string; readonly source: string; readonly text: string };

type Asked = Pick<Said, 'about' | 'isOfOne'> & { readonly question: Question };

/** What has to be asked about a metric. */
export type MetricQuestions = {
  readonly metric: AnalysedMetric;
  readonly query: readonly Asked[];
  readonly of: readonly Asked[] | undefined;
};

/**
 * All queries of an analysis, with the values in them that are of this canary; balancers are asked none. Throws `metrics_refused` for one that
 * cannot be made.
 */
export function questionsOf(inputs: CanaryJudgeInputs): readonly MetricQuestions[] {
  const asked = inputs.analysis.metrics.filter(({ source }) => source !== BALANCER);
  return asked.map((metric) => ({
    metric,
    query: askedFor(inputs, metric, metric.query ?? ''),
    of: metric.of === undefined ? undefined : askedFor(inputs, metric, metric.of),
  }));
}

/** Of each server, or each zone, by itself where the query names it; else of all at once. */
function askedFor(inputs: CanaryJudgeInputs, metric: AnalysedMetric, template: string): readonly Asked[] {
  const servers = [...serversOf(inputs.pairs, 'canary'), ...serversOf(inputs.pairs, 'baseline')];
  const names = new Set(
    parseTemplate(template).parts.map((part) => (typeof part === 'string' ? '' : part.variable)),
  );
  const ask = (values: QueryValues, about: readonly MeasuredServer[], isOfOne = false): Asked => {
    const question = questionOf(inputs, metric, { template, values });
    return { question, about, isOfOne };
  };
  if (names.has('server'))
    return servers.map((server) => ask({ server: server.name, zone: server.zone }, [server], true));
  if (!names.has('zone')) return [ask({}, servers)];
  return Array.from(
    Map.groupBy(servers, ({ zone }) => zone),
    ([zone, about]) => ask({ zone }, about),
  );
}

/** What queries are written in. A source without a language of its own takes the whole text as one value. */
const LANGUAGES: Readonly<Record<MetricSourceConfig['kind'], QueryLanguage>> = {
  prometheus: 'promql',
  graphite: 'graphite',
  influxdb: 'influxql',
  opensearch: 'query-dsl',
  cloudwatch: 'cloudwatch',
  datadog: 'datadog',
  'new-relic': 'nrql',
  'http-json': 'plain',
};

type Filling = { readonly template: string; readonly values: QueryValues };

function questionOf(
  { analysis, sources }: CanaryJudgeInputs,
  { name: metric, source }: AnalysedMetric,
  { template, values }: Filling,
): Question {
  const config = Object.hasOwn(sources, source) ? sources[source] : undefined;
  if (!config)
    throw new EdgeError(
      'metrics_refused',
      `${metric}: no source of metrics is called ${source}. ${didYouMean(source, Object.keys(sources))}`,
    );
  const all = { ...values, windowMs: analysis.stepMs };
  const filled = fillQuery(template, all, LANGUAGES[config.kind]);
  if (filled.kind === 'filled') return { metric, source, text: filled.text };
  throw new EdgeError(
    'metrics_refused',
    `${metric}: its query cannot be filled: ${filled.problems.map(({ message }) => message).join('; ')}`,
  );
}

export const keyOf = ({ source, text }: Question): string => JSON.stringify([source, text]);

/** Each question once, in order. */
export function distinctOf(all: readonly MetricQuestions[]): readonly Question[] {
  const byKey = new Map<string, Question>();
  for (const { query, of = [] } of all)
    for (const { question } of [...query, ...of])
      if (!byKey.has(keyOf(question))) byKey.set(keyOf(question), question);
  return [...byKey.values()];
}

/** What was said of a metric; `undefined` unless all that was asked about it was answered. */
export function saidOf(
  { metric, query, of }: MetricQuestions,
  answers: ReadonlyMap<string, MetricsAnswer>,
): SaidOfMetric | undefined {
  const said = (asked: readonly Asked[]): readonly Said[] =>
    asked.flatMap(({ question, about, isOfOne }) => {
      const answer = answers.get(keyOf(question));
      return answer ? [{ answer, about, isOfOne }] : [];
    });
  const whole = { by: metric.by, query: said(query), of: of && said(of) };
  const isWhole = whole.query.length === query.length && whole.of?.length === of?.length;
  return isWhole ? whole : undefined;
}
