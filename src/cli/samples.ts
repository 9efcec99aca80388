import { CsvError, parse } from 'csv-parse/sync';
import type { MetricStep } from '../analysis/anytime/metric-step.ts';
import { meanOf } from '../analysis/anytime/paired.ts';
import { EdgeError } from '../domain/errors.ts';
import { numberFrom } from '../domain/metrics.ts';

/** One value that was measured: of a server of one side at a time, `of` so many requests where it counts something. */
export type Sample = {
  readonly atMs: number;
  readonly metric: string;
  readonly side: 'canary' | 'baseline';
  readonly server: string;
  readonly value: number;
  readonly of: number | null;
};

/** What there is of a metric, a step after another from the first sample of all metrics on. */
export type SampledMetric = {
  readonly name: string;
  readonly kind: MetricStep['kind'];
  readonly steps: readonly MetricStep[];
};

/** `steps`: how many there are of each metric; `history`: how many of them lie before the canary began. */
export type Sampled = {
  readonly history: number;
  readonly steps: number;
  readonly metrics: readonly SampledMetric[];
};

const COLUMNS = ['time', 'metric', 'side', 'value'] as const;
/** A month of minutes. */
const MOST_STEPS = 43_200;

type Row = Readonly<Record<string, string>>;
type Read = { readonly record: Row; readonly info: { readonly lines: number } };

/**
 * The samples of a CSV with the columns `time` (ISO 8601, or seconds since 1970), `metric`, `side` (`canary` or `baseline`), `value`, and
 * as they are there `server` and `of` (RFC 4180, a header row). Throws `samples_invalid` with the line.
 */
export function samplesIn(text: string, file: string): readonly Sample[] {
  const invalid = (message: string, line?: number) =>
    new EdgeError('samples_invalid', message, { where: { file, ...(line !== undefined && { line }) } });
  const rows = recordsOf(text, invalid);
  const [first] = rows;
  if (!first) throw invalid('There is no sample in it');
  const missing = COLUMNS.find((column) => !(column in first.record));
  if (missing) throw invalid(`The first row does not name the columns: none of them is "${missing}"`, 1);
  return rows.map(({ record, info }) => sampleOf(record, (message) => invalid(message, info.lines)));
}

type Invalid = (message: string, line?: number) => EdgeError;

function recordsOf(text: string, invalid: Invalid): readonly Read[] {
  try {
    return parse<Read>(text, {
      ...{ columns: true, info: true, bom: true, skip_empty_lines: true, trim: true },
      max_record_size: 65_536,
    });
  } catch (thrown) {
    if (!(thrown instanceof CsvError)) throw thrown;
    const line = 'lines' in thrown && typeof thrown.lines === 'number' ? thrown.lines : undefined;
    throw invalid(`It is not valid CSV: ${thrown.code}`, line);
  }
}

function sampleOf(row: Row, invalid: Invalid): Sample {
  const { metric = '', side, server = '', value = '', of = '' } = row;
  const atMs = timeOf(row.time ?? '');
  if (atMs === undefined)
    throw invalid(`"${row.time}" is no time; write it as 2026-03-01T10:00:00Z, or in seconds since 1970`);
  if (metric === '') throw invalid('It names no metric');
  if (side !== 'canary' && side !== 'baseline')
    throw invalid(`"${side}" is no side; it is canary or baseline`);
  return {
    ...{ atMs, metric, side, server },
    value: numberOf(value, invalid),
    of: of === '' ? null : numberOf(of, invalid),
  };
}

/** A moment in ms since 1970, of ISO 8601 with its zone or of seconds; `undefined` of anything else. */
export function timeOf(text: string): number | undefined {
  if (/^\d{9,11}(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** An empty cell and NaN are a value that is not there. */
function numberOf(text: string, invalid: Invalid): number {
  if (text === '' || text.toLowerCase() === 'nan') return Number.NaN;
  const number = numberFrom(text);
  if (number !== undefined && Number.isFinite(number)) return number;
  throw invalid(`"${text}" is no number`);
}

/**
 * The steps of each metric, each of `stepMs`, of which one begins with `beganMs`: so none is history and canary at once. A metric whose
 * samples say of how much they are is counted; others are gauges.
 */
export function stepsOf(
  samples: readonly Sample[],
  { stepMs, beganMs }: { readonly stepMs: number; readonly beganMs: number },
): Sampled {
  const fromMs = samples.reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY);
  const toMs = samples.reduce((last, { atMs }) => Math.max(last, atMs), Number.NEGATIVE_INFINITY);
  const start = beganMs - Math.max(0, Math.ceil((beganMs - fromMs) / stepMs)) * stepMs;
  const steps = Math.floor((toMs - start) / stepMs) + 1;
  if (steps > MOST_STEPS)
    throw new EdgeError('samples_invalid', `${steps} steps lie between the first and the last sample`, {
      hint: `At most ${MOST_STEPS}: take longer steps with --step.`,
    });
  const metrics = Map.groupBy(samples, ({ metric }) => metric);
  const grid = { start, steps, stepMs };
  const history = (beganMs - start) / stepMs;
  return { history, steps, metrics: Array.from(metrics, ([name, own]) => sampledOf(name, own, grid)) };
}

type Grid = { readonly start: number; readonly steps: number; readonly stepMs: number };

function sampledOf(name: string, samples: readonly Sample[], { start, steps, stepMs }: Grid): SampledMetric {
  const places = Array.from({ length: steps }, (): Sample[] => []);
  for (const sample of samples) places[Math.floor((sample.atMs - start) / stepMs)]?.push(sample);
  if (samples.some(({ of }) => of !== null))
    return { name, kind: 'counts', steps: places.map((place) => ({ kind: 'counts', ...countedOf(place) })) };
  const serversOf = (wanted: Sample['side']) =>
    [...new Set(samples.filter(({ side }) => side === wanted).map(({ server }) => server))].sort();
  const servers = { canary: serversOf('canary'), baseline: serversOf('baseline') };
  return {
    name,
    kind: 'gauge',
    steps: places.map((place) => ({ kind: 'gauge', pairs: pairsOf(place, servers) })),
  };
}

/** Of all servers of each side together. */
function countedOf(samples: readonly Sample[]) {
  const sum = (wanted: Sample['side'], of: (sample: Sample) => number) =>
    samples.filter(({ side }) => side === wanted).reduce((all, sample) => all + (of(sample) || 0), 0);
  return {
    ...{ canary: sum('canary', ({ value }) => value), baseline: sum('baseline', ({ value }) => value) },
    canaryExposure: sum('canary', ({ of }) => of ?? 0),
    baselineExposure: sum('baseline', ({ of }) => of ?? 0),
  };
}

type Servers = { readonly canary: readonly string[]; readonly baseline: readonly string[] };

/** By their names, in order; where the baseline has fewer, some of its servers are in several pairs. */
function pairsOf(samples: readonly Sample[], { canary, baseline }: Servers) {
  const measured = (wanted: Sample['side'], name: string | undefined) =>
    meanOf(
      samples.filter(({ side, server }) => side === wanted && server === name).map(({ value }) => value),
    );
  return canary.map((name, index) => ({
    canary: measured('canary', name),
    baseline: measured('baseline', baseline[index % baseline.length]),
  }));
}
