import { EdgeError } from '../../domain/errors.ts';
import type { MetricGrid, MetricsQuery } from '../../domain/metrics.ts';
import {
  type MetricsAddress,
  type MetricsAsk,
  type MetricsParts,
  metricsOver,
} from '../../outbound/ask-metrics.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import { parseReply } from './reply.ts';

/**
 * `url`: what `/query` comes behind, such as `https://influxdb.example.net`. The user of `credentials` should have no right but to read, since
 * nothing here looks at what else a query does.
 *
 * `reachMs`: a value is that of points that are later by less than this; left out: one step of the grid.
 */
export type InfluxdbOptions = MetricsAddress & {
  readonly database: string;
  /** Left out: that which the database has by default. */
  readonly retentionPolicy?: string;
  readonly reachMs?: number;
};

/**
 * InfluxDB 1.x, asked in InfluxQL (wire facts: INTEGRATIONS.md 7). A query is one SELECT of one value, and takes its times from `$from` and `$to`:
 * `SELECT "value" FROM "errors" WHERE time > $from AND time <= $to GROUP BY *`. Where it makes windows they are those of the grid:
 * `GROUP BY time($step, $offset)`. A window of InfluxDB bears the time at which it begins; here it is the value of its end, when it is known.
 */
export function createInfluxdbMetrics(options: InfluxdbOptions, parts: MetricsParts): MetricsSource {
  const reachFor = ({ stepMs }: MetricGrid): number => options.reachMs ?? stepMs;
  const ask = (text: string, part: MetricGrid): MetricsAsk => {
    requireTimes(text);
    return askFor(text, { ...part, fromMs: part.fromMs - reachFor(part) - part.stepMs }, options);
  };
  const read = (body: unknown, query: MetricsQuery, completeToMs: number) => {
    const laterMs = isWindowed(query.text) ? query.stepMs - OFFSET_MS : 0;
    return parseReply(body, query, { reachMs: reachFor(query), completeToMs, laterMs });
  };
  return metricsOver(options, { ask, read }, parts);
}

/** What is measured at a point belongs to the window that ends there. */
const OFFSET_MS = 1;

const isWindowed = (text: string): boolean => /\btime\s*\(/i.test(text);

/** Without its times a query would read all that there is; with windows of its own it would tell of a time before that has passed. */
function requireTimes(text: string): void {
  const hint = 'Write WHERE time > $from AND time <= $to, and time($step, $offset) for windows.';
  if (!text.includes('$from') || !text.includes('$to'))
    throw new EdgeError('metrics_refused', 'The query does not take its times from $from and $to', { hint });
  if (isWindowed(text) && !/\btime\s*\(\s*\$step\s*,\s*\$offset\s*\)/i.test(text))
    throw new EdgeError('metrics_refused', 'The query has windows that are not those of the grid', { hint });
}

/** The times are bound to the query by the server (`params`), which knows them by their types. */
function askFor(
  text: string,
  { fromMs, toMs, stepMs }: MetricGrid,
  { url, database, retentionPolicy }: InfluxdbOptions,
): MetricsAsk {
  const params = {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    step: { duration: `${stepMs}ms` },
    offset: { duration: `${(toMs % stepMs) + OFFSET_MS}ms` },
  };
  const form = {
    ...{ db: database, q: text, epoch: 'ms', params: JSON.stringify(params) },
    ...(retentionPolicy !== undefined && { rp: retentionPolicy }),
  };
  return {
    method: 'POST',
    url: `${url.replace(/\/$/, '')}/query`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  };
}
