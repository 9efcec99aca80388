import type { WorldSample } from '../contracts/metrics.ts';
import { type JsonDouble, type JsonReply, type JsonRequest, startJsonDouble } from './json-double.ts';

export const DATADOG_KEYS = { api: 'api-key', application: 'application-key' };

/**
 * Datadog's `GET /api/v1/query` as documented: `avg:<metric>{<tag>:<value>} by {<tags>}.rollup(avg, <seconds>)` over these samples, points at
 * the beginnings of buckets, 1,500 of them at the most.
 */
export const startDatadogDouble = (samples: readonly WorldSample[]): Promise<JsonDouble> =>
  startJsonDouble((request) => answerTo(request, samples));

function answerTo({ url, headers }: JsonRequest, samples: readonly WorldSample[]): JsonReply {
  const areKeys =
    headers['dd-api-key'] === DATADOG_KEYS.api && headers['dd-application-key'] === DATADOG_KEYS.application;
  if (!areKeys) return { status: 403, body: { errors: ['Forbidden'] } };
  if (url.pathname !== '/api/v1/query') return { status: 404, body: { errors: ['Not found'] } };
  const query = url.searchParams.get('query') ?? '';
  const asked = askedIn(query);
  const [from, to] = [Number(url.searchParams.get('from')), Number(url.searchParams.get('to'))];
  if (!asked || !(from < to))
    return { body: { status: 'error', error: `Error parsing query: ${query}`, series: [] } };
  const intervalS = longEnough(asked.rollupS, to - from);
  const found = samples.filter(
    (one) =>
      one.name === asked.metric &&
      (asked.server === undefined || one.labels.server === asked.server) &&
      one.atMs >= from * 1_000 &&
      one.atMs < to * 1_000,
  );
  const groups = Map.groupBy(found, ({ labels }) => tagsOf(labels).join(','));
  const series = [...groups].map(([scope, those]) => seriesOf(asked.metric, scope, { those, intervalS }));
  return {
    body: {
      status: 'ok',
      res_type: 'time_series',
      query,
      from_date: from * 1_000,
      to_date: to * 1_000,
      series,
    },
  };
}

type Asked = { readonly metric: string; readonly server?: string; readonly rollupS: number };

function askedIn(query: string): Asked | undefined {
  const [, metric, server, rollup] =
    /^avg:(\w+)\{(?:\*|server:([\w.:/-]+))\} by \{server,zone\}\.rollup\(avg, (\d+)\)$/.exec(query) ?? [];
  if (metric === undefined) return undefined;
  return { metric, rollupS: Number(rollup), ...(server !== undefined && { server }) };
}

/** A graph has 1,500 points at the most, whatever was asked for. */
const longEnough = (rollupS: number, spanS: number): number => Math.max(rollupS, Math.ceil(spanS / 1_500));

const tagsOf = (labels: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(labels).map(([key, value]) => `${key}:${value}`);

function seriesOf(
  metric: string,
  scope: string,
  { those, intervalS }: { readonly those: readonly WorldSample[]; readonly intervalS: number },
) {
  const intervalMs = intervalS * 1_000;
  const buckets = Map.groupBy(those, ({ atMs }) => Math.floor(atMs / intervalMs) * intervalMs);
  const pointlist = [...buckets]
    .map(([beginMs, all]) => [beginMs, all.reduce((sum, { value }) => sum + value, 0) / all.length])
    .toSorted(([a = 0], [b = 0]) => a - b);
  const [first, last] = [pointlist.at(0)?.[0] ?? 0, pointlist.at(-1)?.[0] ?? 0];
  return {
    ...{ metric, display_name: metric, expression: `avg:${metric}{${scope}}`, unit: null, aggr: 'avg' },
    ...{ scope, tag_set: scope.split(','), query_index: 0, interval: intervalS, length: pointlist.length },
    ...{ start: first, end: last + intervalMs - 1, pointlist },
  };
}
