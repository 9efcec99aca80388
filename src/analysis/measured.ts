import type { MetricsAnswer, Series } from '../domain/metrics.ts';
import type { MetricStep } from './anytime/metric-step.ts';
import { meanOf, type Pair } from './anytime/paired.ts';
import { type MeasuredServer, type ServerPair, type Side, serverFinder, serversOf } from './servers.ts';

/** What a source said. `about`: of which servers it was asked; `isOfOne`: of one alone, so that no label needs to say so. */
export type Said = {
  readonly answer: MetricsAnswer;
  readonly about: readonly MeasuredServer[];
  readonly isOfOne: boolean;
};

/** All that was said of a metric. `of`: how much there was in which it counts something. `by`: the label that names the server. */
export type SaidOfMetric = {
  readonly by: string;
  readonly query: readonly Said[];
  readonly of?: readonly Said[] | undefined;
};

/** What was measured of one server at each point, NaN where there is nothing. `of`: of what is counted. */
export type Measured = { readonly values: readonly number[]; readonly of?: readonly number[] };

/** By the name of the server. */
export type MeasuredServers = ReadonlyMap<string, Measured>;

/** `isLeftOut`: points that nothing is taken of. */
export type Points = { readonly count: number; readonly isLeftOut: (point: number) => boolean };

/**
 * What was measured of each server, from all that was said: counts where it is known of how much, else gauges. Series that are of none of the
 * servers are left aside; `null`, NaN and what is infinite is not there.
 *
 * Several series of one server are added up where they count, since each has counted other events (of another path, another status). Gauges of
 * them are averaged: a sum would fall each time that one of them says nothing.
 */
export function measuredOf(
  said: SaidOfMetric,
  pairs: readonly ServerPair[],
  points: Points,
): MeasuredServers {
  const servers = [...serversOf(pairs, 'canary'), ...serversOf(pairs, 'baseline')];
  const find = serverFinder(servers);
  const query = ownOf(said.query, said.by, find);
  const of = said.of && ownOf(said.of, said.by, find);
  const measured = (name: string) =>
    of
      ? countedOf(query(name), of(name), points)
      : { values: at(points, (point) => mean(query(name), point)) };
  return new Map(servers.map(({ name }) => [name, measured(name)]));
}

type Own = { readonly series: readonly Series[]; readonly isPartial: boolean };

/** What was said of each server. */
function ownOf(
  all: readonly Said[],
  by: string,
  find: (label: string) => MeasuredServer | undefined,
): (name: string) => Own {
  const owned = all.flatMap((said) =>
    seriesIn(said.answer).map((series) => ({ series, owner: ownerOf(series.labels[by], said, find) })),
  );
  const byOwner = Map.groupBy(owned, ({ owner }) => owner?.name);
  const parts = all.filter(({ answer }) => answer.kind === 'partial').flatMap(({ about }) => about);
  const partial = new Set(parts.map(({ name }) => name));
  return (name) => ({
    series: (byOwner.get(name) ?? []).map(({ series }) => series),
    isPartial: partial.has(name),
  });
}

/** Nothing of a server that was not asked about is taken for one that was. */
function ownerOf(
  label: string | undefined,
  { about, isOfOne }: Said,
  find: (label: string) => MeasuredServer | undefined,
): MeasuredServer | undefined {
  const owner = (label === undefined ? undefined : find(label)) ?? (isOfOne ? about[0] : undefined);
  return about.find(({ name }) => name === owner?.name);
}

const seriesIn = (answer: MetricsAnswer): readonly Series[] => ('series' in answer ? answer.series : []);

const at = ({ count, isLeftOut }: Points, value: (point: number) => number): readonly number[] =>
  Array.from({ length: count }, (_, point) => (isLeftOut(point) ? Number.NaN : value(point)));

const mean = ({ series }: Own, point: number): number =>
  meanOf(series.map(({ values }) => values[point] ?? Number.NaN).filter(Number.isFinite));

/**
 * Where there is no series of what is counted at a point, nothing was counted: Prometheus has none of errors that never happened, and how much
 * there was proves that the server was asked. Of an answer that may lack series nobody knows. A server without one of both is not there.
 */
function countedOf(query: Own, of: Own, points: Points): Measured {
  const none = query.isPartial ? Number.NaN : 0;
  const both = Array.from({ length: points.count }, (_, point) => {
    const exposure = sum(of, point) ?? Number.NaN;
    const value = sum(query, point) ?? none;
    const isThere = !points.isLeftOut(point) && exposure > 0 && !Number.isNaN(value);
    return isThere ? { value, exposure } : { value: Number.NaN, exposure: Number.NaN };
  });
  return { values: both.map(({ value }) => value), of: both.map(({ exposure }) => exposure) };
}

/** `undefined` where no series has a value, NaN where one is no count. */
function sum({ series }: Own, point: number): number | undefined {
  let all: number | undefined;
  for (const { values } of series) {
    const value = values[point] ?? null;
    if (value === null) continue;
    all = (all ?? 0) + (Number.isFinite(value) && value >= 0 ? value : Number.NaN);
  }
  return all;
}

type Compared = { readonly pairs: readonly ServerPair[]; readonly kind: 'counts' | 'gauge' };

/** So many steps of a metric from the first point on: of all servers of each side that are there, or of each pair. */
export function stepsOf(
  measured: MeasuredServers,
  { pairs, kind }: Compared,
  count: number,
): readonly MetricStep[] {
  const points = Array.from({ length: count }).keys();
  const of = ({ name }: MeasuredServer) => measured.get(name);
  if (kind === 'gauge') {
    const both = pairs.map(({ canary, baseline }) => ({ canary: of(canary), baseline: of(baseline) }));
    return Array.from(points, (point) => ({ kind, pairs: both.map((pair) => pairAt(pair, point)) }));
  }
  const all = (side: Side) => serversOf(pairs, side).flatMap((server) => of(server) ?? []);
  const [canary, baseline] = [all('canary'), all('baseline')];
  return Array.from(points, (point) => ({
    kind,
    ...{ canary: total(canary, 'values', point), baseline: total(baseline, 'values', point) },
    ...{ canaryExposure: total(canary, 'of', point), baselineExposure: total(baseline, 'of', point) },
  }));
}

type Both = { readonly canary: Measured | undefined; readonly baseline: Measured | undefined };

const pairAt = ({ canary, baseline }: Both, point: number): Pair => ({
  canary: canary?.values[point] ?? Number.NaN,
  baseline: baseline?.values[point] ?? Number.NaN,
});

const total = (all: readonly Measured[], what: 'values' | 'of', point: number): number =>
  all.reduce((added, one) => added + (one[what]?.[point] || 0), 0);
