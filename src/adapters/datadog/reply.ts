import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import {
  type Alignment,
  aligned,
  answerOf,
  type MetricGrid,
  type MetricSample,
  type MetricsAnswer,
  requireFewSamples,
  requireRoom,
  type Series,
} from '../../domain/metrics.ts';
import { oneLine } from '../../lib/inert-text.ts';
import type { MetricsFault } from '../../outbound/ask-metrics.ts';

/** `interval`: of its buckets, in seconds; a point stands at the beginning of one, in ms. */
const WireSeries = z.object({
  metric: z.string().optional(),
  scope: z.string().default(''),
  tag_set: z.array(z.string()).nullish(),
  interval: z.number().positive(),
  pointlist: z.array(z.tuple([z.number(), z.number().nullable()])),
});
type WireSeries = z.infer<typeof WireSeries>;

const WireReply = z.object({
  status: z.string(),
  series: z.array(WireSeries).default([]),
  error: z.string().nullish(),
});

/** What came of one series in all pieces. */
type Gathered = Omit<Series, 'values'> & { readonly samples: MetricSample[]; longestMs: number };

/**
 * The answers of `/api/v1/query` to the pieces of a grid (docs.datadoghq.com/api/latest/metrics). A query that is wrong comes with status 200 and an
 * error. Throws `metrics_refused`, `metrics_unreachable` and `metrics_limit`.
 */
export function parseReply(
  bodies: readonly unknown[],
  grid: MetricGrid,
  { reachMs, completeToMs }: Alignment,
): MetricsAnswer {
  const gathered = new Map<string, Gathered>();
  const warnings = new Set<string>();
  for (const body of bodies) {
    const { series, error } = replyIn(body);
    if (error) warnings.add(oneLine(error));
    for (const one of series) gather(one, gathered);
    requireFewSamples(gathered.values());
  }
  requireRoom(grid, gathered.size);
  const series = [...gathered.values()].map(({ samples, longestMs, ...names }): Series => {
    const alignment = { reachMs: Math.max(reachMs, longestMs), completeToMs };
    return { ...names, values: aligned(samples, grid, alignment) };
  });
  return answerOf({ series, warnings: [...warnings], completeToMs });
}

function replyIn(body: unknown): z.infer<typeof WireReply> {
  const reply = WireReply.safeParse(body).data;
  if (!reply) throw new EdgeError('metrics_refused', 'The answer is none that Datadog gives to a query');
  if (reply.status === 'ok') return reply;
  const words = oneLine(reply.error ?? '').slice(0, MOST_WORDS);
  const message = `Datadog says ${reply.status}: ${words}`;
  throw new EdgeError(
    /time[d ]*out|try again/i.test(words) ? 'metrics_unreachable' : 'metrics_refused',
    message,
  );
}

const MOST_WORDS = 500;

/** The value of a bucket is known at its end. One with nothing in it is `null`, or left out: that is no sample, and ends the reach of none. */
function gather(one: WireSeries, gathered: Map<string, Gathered>): void {
  const names = namesOf(one);
  const key = JSON.stringify([names.name, one.scope, one.tag_set]);
  const intervalMs = one.interval * 1_000;
  const known = gathered.get(key) ?? { ...names, samples: [], longestMs: 0 };
  gathered.set(key, known);
  known.longestMs = Math.max(known.longestMs, intervalMs);
  for (const [atMs, value] of one.pointlist)
    if (value !== null) known.samples.push({ atMs: atMs + intervalMs, value });
}

/** Its tags are its labels; a key that comes several times has all its values. */
function namesOf({ metric, scope, tag_set }: WireSeries): Omit<Series, 'values'> {
  const tags = tag_set ?? scope.split(',').filter((tag) => tag.includes(':'));
  const labels: Record<string, string> = {};
  for (const tag of tags) {
    const [, key = tag, value = ''] = /^([^:]*):(.*)$/s.exec(tag) ?? [];
    labels[key] = labels[key] === undefined ? value : `${labels[key]},${value}`;
  }
  return { ...(metric !== undefined && { name: metric }), labels };
}

/** With another status than 200: `{"errors": ["…"]}`. */
const WireErrors = z.object({ errors: z.array(z.string()) });

export function faultIn(body: string): MetricsFault | undefined {
  try {
    const said = WireErrors.safeParse(JSON.parse(body)).data;
    return said && { words: said.errors.join('; ') };
  } catch {
    return undefined;
  }
}
