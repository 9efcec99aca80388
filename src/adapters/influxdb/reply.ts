import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import {
  type Alignment,
  aligned,
  answerOf,
  type MetricGrid,
  type MetricSample,
  type MetricsAnswer,
  requireRoom,
  type Series,
} from '../../domain/metrics.ts';
import { oneLine } from '../../lib/inert-text.ts';

/** Times are milliseconds since the epoch, as `epoch` asks for. `partial`: rows lack, as the server gives no more at once. */
const WireSeries = z.object({
  name: z.string(),
  tags: z.record(z.string(), z.string()).default({}),
  columns: z.array(z.string()),
  values: z.array(z.array(z.unknown())).default([]),
  partial: z.boolean().default(false),
});
type WireSeries = z.infer<typeof WireSeries>;

/** One for each statement; an error stands here too, with the status 200. */
const WireResult = z.object({
  series: z.array(WireSeries).default([]),
  error: z.string().optional(),
  partial: z.boolean().default(false),
  messages: z.array(z.object({ level: z.string(), text: z.string() })).default([]),
});
type WireResult = z.infer<typeof WireResult>;

const WireReply = z.object({ results: z.array(WireResult).default([]), error: z.string().optional() });

/** `laterMs`: a time is that of its values so much later. */
type Reading = Alignment & { readonly laterMs: number };

/**
 * The answer of `/query` (as 1.6.7 gives it; INTEGRATIONS.md 7). Throws `metrics_refused`, `metrics_limit` or `metrics_unreachable` for what it
 * says is wrong, and the first also for what is no answer, or none to one question.
 */
export function parseReply(body: unknown, grid: MetricGrid, reading: Reading): MetricsAnswer {
  const reply = WireReply.safeParse(body).data;
  if (!reply) throw new EdgeError('metrics_refused', 'The answer is none that InfluxDB gives to a query');
  const error = reply.error ?? reply.results.find((one) => one.error !== undefined)?.error;
  if (error !== undefined) throw faultOf(error);
  const [result, ...others] = reply.results;
  if (!result || others.length > 0)
    throw new EdgeError('metrics_refused', `The query is ${reply.results.length} statements, and not one`);
  requireRoom(grid, result.series.length);
  const series = result.series.map(
    (one): Series => ({
      ...{ name: one.name, labels: one.tags },
      values: aligned(samplesIn(one, reading.laterMs), grid, reading),
    }),
  );
  return answerOf({ series, warnings: warningsIn(result), completeToMs: reading.completeToMs });
}

/** `max-select-point` and its like are limits of one query; a queue that is full, or a time that is up, may be otherwise the next time. */
function faultOf(words: string): EdgeError {
  const message = `InfluxDB says: ${oneLine(words).slice(0, 500)}`;
  if (/^(?:max-concurrent-queries|query-timeout) limit|\btimeout\b|engine is closed/.test(words))
    return new EdgeError('metrics_unreachable', message);
  return new EdgeError(/^max-select-\w+ limit/.test(words) ? 'metrics_limit' : 'metrics_refused', message);
}

/** A window without a value has null, and no window of it is a value. */
function samplesIn({ columns, values }: WireSeries, laterMs: number): readonly MetricSample[] {
  if (columns.length !== 2 || columns[0] !== 'time') {
    const hint = 'Select one value, and put what tells series apart into GROUP BY.';
    throw new EdgeError('metrics_refused', `The query gives [${columns.join(', ')}], not one value`, {
      hint,
    });
  }
  return values.flatMap(([atMs, value]) => {
    if (value === null) return [];
    if (typeof atMs === 'number' && typeof value === 'number') return [{ atMs: atMs + laterMs, value }];
    throw new EdgeError('metrics_refused', `The answer has ${JSON.stringify(value)} in place of a number`);
  });
}

function warningsIn({ series, partial, messages }: WireResult): readonly string[] {
  const isCut = partial || series.some((one) => one.partial);
  const cut = isCut
    ? ['InfluxDB has left out rows: there are more than it gives at once (max-row-limit)']
    : [];
  return [...cut, ...messages.map(({ text }) => text)];
}
