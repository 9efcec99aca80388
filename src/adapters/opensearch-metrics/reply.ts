import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import {
  type Alignment,
  aligned,
  answerOf,
  type MetricGrid,
  type MetricSample,
  type MetricsAnswer,
  numberFrom,
  requireRoom,
  type Series,
} from '../../domain/metrics.ts';
import { type JsonPath, valueAt } from '../../lib/json-path.ts';
import { type Group, groupsIn } from './groups.ts';
import type { Search } from './search.ts';

/** A search of which shards fail is answered with 200 while one does not. A pattern of indices that matches none has no aggregations. */
const WireReply = z.object({
  timed_out: z.boolean(),
  terminated_early: z.boolean().default(false),
  _shards: z.object({
    total: z.number(),
    failed: z.number(),
    failures: z.array(z.object({ reason: z.object({ reason: z.string().nullish() }) })).default([]),
  }),
  _clusters: z.object({ total: z.number(), successful: z.number() }).optional(),
  aggregations: z.record(z.string(), z.unknown()).optional(),
});
type WireReply = z.infer<typeof WireReply>;

const Bucket = z.looseObject({ key: z.number(), doc_count: z.number() });

type Reading = Alignment & { readonly search: Search; readonly valuePath: JsonPath | undefined };

/**
 * The answer of `_search` (as OpenSearch 2.19.1 gives it; INTEGRATIONS.md 7). Throws `metrics_refused` for what is none, and
 * `metrics_limit`.
 */
export function parseReply(body: unknown, grid: MetricGrid, reading: Reading): MetricsAnswer {
  const reply = WireReply.safeParse(body).data;
  if (!reply || (!reply.aggregations && reply._shards.total > 0))
    throw new EdgeError('metrics_refused', 'The answer is none that OpenSearch gives to a search');
  const { search, completeToMs } = reading;
  const { groups, otherDocuments } = groupsIn(reply.aggregations ?? {}, search);
  requireRoom(grid, groups.length);
  const laterMs = (search.intervalMs ?? grid.stepMs) - 1;
  const series = groups.map(
    ({ labels: { name, ...labels }, buckets }): Series => ({
      ...{ ...(name !== undefined && { name }), labels },
      values: aligned(samplesIn(buckets, reading.valuePath, laterMs), grid, reading),
    }),
  );
  return answerOf({ series, warnings: warningsIn(reply, otherDocuments), completeToMs });
}

/** A bucket begins at its key. One without documents has measured nothing, whatever it says. */
function samplesIn(
  buckets: Group['buckets'],
  valuePath: JsonPath | undefined,
  laterMs: number,
): readonly MetricSample[] {
  return buckets.flatMap((one) => {
    const bucket = Bucket.safeParse(one).data;
    if (!bucket) throw new EdgeError('metrics_refused', 'The answer has buckets that are none of times');
    if (bucket.doc_count === 0) return [];
    const said = valuePath ? valueAt(bucket, valuePath) : mainValue(bucket.value);
    const value = numberIn(said);
    if (value === undefined)
      throw new EdgeError('metrics_refused', `The answer has ${shown(said)} in place of a number`);
    return value === null ? [] : [{ atMs: bucket.key + laterMs, value }];
  });
}

/** An aggregation of which a bucket has nothing, as of a script that was not run, is null too. */
function numberIn(said: unknown): number | null | undefined {
  if (said === null || said === undefined) return null;
  if (typeof said === 'string') return numberFrom(said);
  return typeof said === 'number' ? said : undefined;
}

const Said = z.object({
  value: z.unknown().optional(),
  values: z.record(z.string(), z.unknown()).optional(),
  doc_count: z.number().optional(),
});

/** Of one metric, of percentiles where there is one, or of a filter, which counts. */
function mainValue(aggregation: unknown): unknown {
  if (aggregation === undefined) return null;
  const said = Said.safeParse(aggregation).data;
  if (!said || said.value !== undefined) return said ? said.value : aggregation;
  if (!said.values) return said.doc_count ?? aggregation;
  const values = Object.values(said.values);
  return values.length === 1 ? values[0] : said.values;
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 100);

const MOST_REASONS = 3;

function warningsIn(reply: WireReply, otherDocuments: number): readonly string[] {
  const { timed_out, terminated_early, _shards, _clusters } = reply;
  const reasons = new Set(_shards.failures.map(({ reason }) => reason.reason ?? 'it does not say why'));
  const away = _clusters ? _clusters.total - _clusters.successful : 0;
  return [
    ...(timed_out ? ['The search has taken too long, and tells of what it had found'] : []),
    ...(terminated_early ? ['The search has ended before it had read all'] : []),
    ...(_shards.failed > 0 ? [`${_shards.failed} of ${_shards.total} shards have failed`] : []),
    ...[...reasons].slice(0, MOST_REASONS),
    ...(away > 0 ? [`${away} of ${_clusters?.total} clusters have not answered in full`] : []),
    ...(otherDocuments > 0
      ? [`${otherDocuments} documents are in groups that were left out: give their terms a larger size`]
      : []),
  ];
}
