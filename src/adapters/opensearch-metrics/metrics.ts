import type { MetricGrid, MetricsQuery } from '../../domain/metrics.ts';
import type { JsonPath } from '../../lib/json-path.ts';
import {
  type MetricsAddress,
  type MetricsAsk,
  type MetricsParts,
  metricsOver,
} from '../../outbound/ask-metrics.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import { faultIn } from './fault.ts';
import { parseReply } from './reply.ts';
import { bodyFor, type Search, searchIn } from './search.ts';

/**
 * `url`: what `/<index>/_search` comes behind. `index`: a name, several with commas, or a pattern such as `logs-*`. `delayMs`: longer than it
 * takes to gather, and to refresh.
 *
 * `valuePath`: where in a bucket its value is, such as `[latency, values, 99.0]`; left out: what the aggregation called `value` says, be it its
 * value, its only percentile or its count. `reachMs`: a value is that of points that are later by less than this; left out: one bucket.
 */
export type OpensearchOptions = MetricsAddress & {
  readonly index: string;
  readonly valuePath?: JsonPath;
  readonly reachMs?: number;
};

/**
 * OpenSearch 2, and Elasticsearch from 7.2 on, which has the same words (wire facts: INTEGRATIONS.md 7 and 8). A query is the body of a search with
 * one `date_histogram`, to which the grid gives its times: its buckets are as long as a step, or as its `fixed_interval`, and end at the points.
 * Around it stand groups, which tell series apart: `terms` and the like by what they are called, one called `name` as the name.
 */
export function createOpensearchMetrics(options: OpensearchOptions, parts: MetricsParts): MetricsSource {
  const { url, index, timeoutMs, valuePath } = options;
  const reachFor = ({ stepMs }: MetricGrid, search: Search): number =>
    options.reachMs ?? search.intervalMs ?? stepMs;
  const ask = (text: string, part: MetricGrid): MetricsAsk => {
    const search = searchIn(text, valuePath !== undefined);
    return {
      method: 'POST',
      url: `${url.replace(/\/$/, '')}/${encodeURIComponent(index)}/_search`,
      headers: { 'content-type': 'application/json' },
      body: bodyFor(search, { part, timeoutMs, reachMs: reachFor(part, search) }),
    };
  };
  const read = (body: unknown, query: MetricsQuery, completeToMs: number) => {
    const search = searchIn(query.text, valuePath !== undefined);
    return parseReply(body, query, { search, valuePath, reachMs: reachFor(query, search), completeToMs });
  };
  return metricsOver(options, { ask, read, faultIn }, parts);
}
