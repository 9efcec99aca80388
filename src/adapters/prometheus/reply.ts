import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import {
  aligned,
  answerOf,
  type MetricGrid,
  type MetricSample,
  type MetricsAnswer,
  numberFrom,
  requireRoom,
  type Series,
} from '../../domain/metrics.ts';

/** Values are texts, at seconds since the epoch. A series of native histograms has `histograms` in their place. */
const WireSeries = z.object({
  metric: z.record(z.string(), z.string()),
  values: z.array(z.tuple([z.number(), z.string()])).optional(),
});
type WireSeries = z.infer<typeof WireSeries>;

/** `warnings`: parts of the data could not be read. `infos` (3.0 and later) are advice on the query, and left alone. */
const WireReply = z.object({
  status: z.literal('success'),
  data: z.object({ resultType: z.literal('matrix'), result: z.array(WireSeries) }),
  warnings: z.array(z.string()).default([]),
});

/** The times of samples are those of the grid, to the millisecond. */
const EXACT_MS = 1;

/**
 * The answer of `/api/v1/query_range` (as 2.42 gives it; INTEGRATIONS.md 7). Throws `metrics_refused` for what is none, and for what
 * are no numbers, and `metrics_limit`.
 */
export function parseReply(body: unknown, grid: MetricGrid, completeToMs: number): MetricsAnswer {
  const reply = WireReply.safeParse(body).data;
  if (!reply) throw new EdgeError('metrics_refused', 'The answer is none that Prometheus gives to a query');
  const { data, warnings } = reply;
  requireRoom(grid, data.result.length);
  const series = data.result.map(({ metric, values }): Series => {
    const { __name__: name, ...labels } = metric;
    const samples = samplesIn(values);
    return {
      ...(name !== undefined && { name }),
      labels,
      values: aligned(samples, grid, { reachMs: EXACT_MS, completeToMs }),
    };
  });
  return answerOf({ series, warnings, completeToMs });
}

function samplesIn(values: WireSeries['values']): readonly MetricSample[] {
  if (!values) {
    const hint = 'Make numbers of them, such as with histogram_quantile().';
    throw new EdgeError('metrics_refused', 'The query gives histograms, not numbers', { hint });
  }
  return values.map(([seconds, text]) => {
    const value = numberFrom(text);
    if (value !== undefined) return { atMs: Math.round(seconds * 1_000), value };
    throw new EdgeError('metrics_refused', `The answer has ${JSON.stringify(text)} in place of a number`);
  });
}
