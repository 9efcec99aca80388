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

/** It writes infinity as 1e9999, which JSON reads as that, and NaN as null. */
const Value = z.custom<number | null>((value) => value === null || typeof value === 'number');

/** The value comes first, and its time in seconds since the epoch. Before 1.1 there are no tags. */
const WireReply = z.array(
  z.object({
    target: z.string(),
    tags: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
    datapoints: z.array(z.tuple([Value, z.number()])),
  }),
);
type WireSeries = z.infer<typeof WireReply>[number];

/** The answer of `/render` as JSON. Throws `metrics_refused` for what is none, and `metrics_limit`. */
export function parseReply(body: unknown, grid: MetricGrid, alignment: Alignment): MetricsAnswer {
  const reply = WireReply.safeParse(body).data;
  if (!reply) throw new EdgeError('metrics_refused', 'The answer is none that Graphite gives to a target');
  requireRoom(grid, reply.length);
  const series = reply.map(
    (one): Series => ({ ...namesIn(one), values: aligned(samplesIn(one), grid, alignment) }),
  );
  return answerOf({ series, warnings: [], completeToMs: alignment.completeToMs });
}

/** There is null for each interval without a value, of which a value may reach over many. */
const samplesIn = ({ datapoints }: WireSeries): readonly MetricSample[] =>
  datapoints.flatMap(([value, seconds]) =>
    value === null ? [] : [{ atMs: Math.round(seconds * 1_000), value }],
  );

/** A series with tags is written with them (`errors;server=web-1`); any other bears as its name what was asked for, or its alias. */
function namesIn({ target, tags: { name, ...tags } }: WireSeries): Pick<Series, 'name' | 'labels'> {
  const labels = Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, String(value)]));
  return { name: name !== undefined && target.startsWith(`${name};`) ? String(name) : target, labels };
}
