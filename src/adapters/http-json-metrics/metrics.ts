import { EdgeError } from '../../domain/errors.ts';
import type { MetricGrid, MetricsQuery } from '../../domain/metrics.ts';
import { parseTemplate, type Template } from '../../domain/template.ts';
import { didYouMean } from '../../lib/nearest.ts';
import {
  type MetricsAddress,
  type MetricsAsk,
  type MetricsParts,
  metricsOver,
} from '../../outbound/ask-metrics.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import { parseReply, type ReplyRules, type TimeUnit } from './reply.ts';

/**
 * `url`: what is asked by GET, with `{{query}}`, `{{from}}`, `{{to}}` and `{{step}}` (in `unit`) in its path or query, such as
 * `https://stats.example.net/series?q={{query}}&from={{from}}&until={{to}}`.
 *
 * `reachMs`: a sample is the value of points that are later by less than this; left out: one step of the grid. `{{from}}` is so much before the
 * first point.
 */
export type HttpJsonOptions = MetricsAddress & ReplyRules;

/** Any address that gives times and values as JSON. Throws `config_invalid` for an address that cannot be filled. */
export function createHttpJsonMetrics(options: HttpJsonOptions, parts: MetricsParts): MetricsSource {
  const template = templateOf(options.url);
  const ask = (text: string, part: MetricGrid): MetricsAsk => {
    const fromMs = part.fromMs - (options.reachMs ?? part.stepMs);
    return { method: 'GET', url: filled(template, wordsOf({ ...part, fromMs, text }, options.unit)) };
  };
  const read = (body: unknown, grid: MetricGrid, completeToMs: number) =>
    parseReply(body, options, { grid, completeToMs });
  return metricsOver(options, { ask, read }, parts);
}

const NAMES = ['query', 'from', 'to', 'step'] as const;
type Words = Readonly<Record<string, string>>;

/** A name before the path would let a query choose who is asked, with the credentials of another. */
function templateOf(url: string): Template {
  const template = parseTemplate(url);
  const unknown = template.parts.find((part) => typeof part !== 'string' && !isName(part.variable));
  const [first = ''] = template.parts;
  if (template.problems.length > 0) throw invalid(url, template.problems[0]?.message ?? '');
  if (typeof unknown === 'object')
    throw invalid(url, `{{${unknown.variable}}} is not known. ${didYouMean(unknown.variable, NAMES)}`);
  if (typeof first !== 'string' || !/^https?:\/\/[^/?#@\s]+[/?]/.test(first))
    throw invalid(url, 'it has to begin with http:// or https://, a host, and a path');
  return template;
}

const isName = (name: string): boolean => NAMES.some((known) => known === name);

const invalid = (url: string, why: string): EdgeError =>
  new EdgeError('config_invalid', `The address of a source of metrics, ${url}, cannot be used: ${why}`);

function wordsOf({ text, fromMs, toMs, stepMs }: MetricsQuery, unit: TimeUnit): Words {
  const inUnit = (ms: number): string => String(unit === 'seconds' ? ms / 1_000 : ms);
  return { query: text, from: inUnit(fromMs), to: inUnit(toMs), step: inUnit(stepMs) };
}

/** Each word is one piece of the address. Of those, dots alone would lead to another path. */
function filled({ parts }: Template, words: Words): string {
  if (/^\.{1,2}$/.test(words.query ?? ''))
    throw new EdgeError('metrics_refused', `${words.query} is no query that an address can hold`);
  return parts
    .map((part) => (typeof part === 'string' ? part : encodeURIComponent(words[part.variable] ?? '')))
    .join('');
}
