import { EdgeError } from '../../domain/errors.ts';
import { completePart, type MetricGrid, type MetricsQuery, requireGrid } from '../../domain/metrics.ts';
import { parseTemplate, type Template } from '../../domain/template.ts';
import { didYouMean } from '../../lib/nearest.ts';
import { type MetricsAddress, metricsClient } from '../../outbound/ask-metrics.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { parseReply, type ReplyRules, type TimeUnit } from './reply.ts';

/**
 * `url`: what is asked by GET, with `{{query}}`, `{{from}}`, `{{to}}` and `{{step}}` (in `unit`) in its path or query, such as
 * `https://stats.example.net/series?q={{query}}&from={{from}}&until={{to}}`.
 *
 * `reachMs`: a sample is the value of points that are later by less than this; left out: one step of the grid. `{{from}}` is so much before the
 * first point.
 */
export type HttpJsonOptions = MetricsAddress &
  ReplyRules & {
    /** Only what is older is believed complete: what the source takes to gather, with what the clocks differ. */
    readonly delayMs: number;
  };

export type HttpJsonParts = { readonly clock: Pick<Clock, 'now' | 'sleep'>; readonly secrets: Secrets };

/** Any address that gives times and values as JSON. Throws `config_invalid` for an address that cannot be filled. */
export function createHttpJsonMetrics(
  options: HttpJsonOptions,
  { clock, secrets }: HttpJsonParts,
): MetricsSource {
  const template = templateOf(options.url);
  const client = metricsClient(options, { secrets, sleep: (ms, signal) => clock.sleep(ms, signal) });
  return {
    query: async (query, signal) => {
      signal.throwIfAborted();
      requireGrid(query);
      const completeToMs = clock.now() - options.delayMs;
      const part = completePart(query, completeToMs);
      if (!part) return { kind: 'early', completeToMs };
      const fromMs = part.fromMs - (options.reachMs ?? part.stepMs);
      const url = filled(template, wordsOf({ ...part, fromMs, text: query.text }, options.unit));
      const body = await client.ask({ method: 'GET', url }, signal);
      return parseReply(body, options, { grid: query, completeToMs });
    },
    close: () => client.close(),
  };
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

function wordsOf({ text, ...grid }: MetricsQuery, unit: TimeUnit): Words {
  const { fromMs, toMs, stepMs }: MetricGrid = grid;
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
