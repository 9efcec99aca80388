import { EdgeError } from './errors.ts';

/** The times at which values are wanted: from, from + step, and so on up to `toMs`; ms since the epoch, whole numbers. */
export type MetricGrid = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

/** `text`: in the language of the source. */
export type MetricsQuery = MetricGrid & { readonly text: string };

/**
 * One value for each point of the grid, in its order: `null` where the source has none, NaN where it says NaN (and `Infinity`
 * where it says that), so JSON cannot carry them. Labels are those that the source gives; none is the name.
 */
export type Series = {
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly (number | null)[];
};

/**
 * What a source says to a query. `completeToMs`: up to when its data can be believed complete. Values after that are always
 * `null` and are still to come; a `null` up to then is a gap.
 *
 * `series`: found, each with a value somewhere. `empty`: nothing matches, or nothing that does has a value; it is not zero. `partial`: what is
 * here may lack series or values, and be empty; the source says why. `early`: no point of the grid is complete yet, so nobody was asked.
 */
export type MetricsAnswer =
  | { readonly kind: 'series'; readonly series: readonly Series[]; readonly completeToMs: number }
  | { readonly kind: 'empty'; readonly completeToMs: number }
  | {
      readonly kind: 'partial';
      readonly series: readonly Series[];
      readonly warnings: readonly string[];
      readonly completeToMs: number;
    }
  | { readonly kind: 'early'; readonly completeToMs: number };

/** A value as a source has it, before it is brought onto a grid; `null`: it says itself that there is none. */
export type MetricSample = { readonly atMs: number; readonly value: number | null };

/** Of one series. Prometheus takes one more (web/api/v1/api.go: 11,000 steps). */
export const MOST_POINTS = 11_000;
/** Of all series of an answer: some 16 MB of memory. */
export const MOST_VALUES = 2_000_000;

/** How many points a grid has. */
export const pointsOf = ({ fromMs, toMs, stepMs }: MetricGrid): number =>
  Math.floor((toMs - fromMs) / stepMs) + 1;

/** Throws `metrics_refused` for what is no grid, and `metrics_limit` for one of more than `MOST_POINTS`. */
export function requireGrid(grid: MetricGrid): void {
  const { fromMs, toMs, stepMs } = grid;
  const isGrid = [fromMs, toMs, stepMs].every(Number.isSafeInteger) && stepMs > 0 && fromMs <= toMs;
  if (!isGrid)
    throw new EdgeError('metrics_refused', `From ${fromMs} to ${toMs} in steps of ${stepMs} ms is no time`);
  const points = pointsOf(grid);
  if (points > MOST_POINTS)
    throw new EdgeError(
      'metrics_limit',
      `The query asks for ${points} points, and ${MOST_POINTS} is the most`,
    );
}

/** Throws `metrics_limit` where so many series would be more than `MOST_VALUES` on this grid. */
export function requireRoom(grid: MetricGrid, series: number): void {
  const points = pointsOf(grid);
  if (points * series <= MOST_VALUES) return;
  throw new EdgeError(
    'metrics_limit',
    `The answer has ${series} series of ${points} points, and ${MOST_VALUES} values is the most`,
  );
}

/** Throws `metrics_limit` for more samples than `MOST_VALUES`: while an answer is read, before it fills the memory. */
export function requireFewSamples(series: Iterable<{ readonly samples: readonly MetricSample[] }>): void {
  const count = Array.from(series).reduce((sum, { samples }) => sum + samples.length, 0);
  if (count <= MOST_VALUES) return;
  throw new EdgeError('metrics_limit', `The answer has more than ${MOST_VALUES} values, which is the most`);
}

/** The grid up to its last point that is complete; nothing where none is. */
export function completePart(grid: MetricGrid, completeToMs: number): MetricGrid | undefined {
  if (completeToMs < grid.fromMs) return undefined;
  const end = Math.min(grid.toMs, completeToMs);
  return { ...grid, toMs: grid.fromMs + (pointsOf({ ...grid, toMs: end }) - 1) * grid.stepMs };
}

/** A grid as several of so many points, one after another. */
export function piecesOf(grid: MetricGrid, points: number): readonly MetricGrid[] {
  const { fromMs, toMs, stepMs } = grid;
  const count = Math.ceil(pointsOf(grid) / points);
  return Array.from({ length: count }, (_, index) => {
    const beginMs = fromMs + index * points * stepMs;
    return { fromMs: beginMs, toMs: Math.min(toMs, beginMs + (points - 1) * stepMs), stepMs };
  });
}

/** `reachMs`: a sample is the value of points that are later by less than this. */
export type Alignment = { readonly reachMs: number; readonly completeToMs: number };

/** For each point the newest sample that reaches it, in whatever order the samples came. */
export function aligned(
  samples: readonly MetricSample[],
  grid: MetricGrid,
  { reachMs, completeToMs }: Alignment,
): readonly (number | null)[] {
  const sorted = samples.toSorted((a, b) => a.atMs - b.atMs);
  let next = 0;
  return Array.from({ length: pointsOf(grid) }, (_, index) => {
    const pointMs = grid.fromMs + index * grid.stepMs;
    if (pointMs > completeToMs) return null;
    while ((sorted[next]?.atMs ?? Number.POSITIVE_INFINITY) <= pointMs) next += 1;
    const newest = sorted[next - 1];
    return newest && newest.atMs > pointMs - reachMs ? newest.value : null;
  });
}

type Found = {
  readonly series: readonly Series[];
  readonly warnings: readonly string[];
  readonly completeToMs: number;
};

/**
 * What was found as an answer: a source that warns gives a part, whatever it gives. Series without any value are left out, as Prometheus
 * does, whichever source it is.
 */
export function answerOf({ series: all, warnings, completeToMs }: Found): MetricsAnswer {
  const series = all.filter(({ values }) => values.some((value) => value !== null));
  if (warnings.length > 0) return { kind: 'partial', series, warnings, completeToMs };
  if (series.length === 0) return { kind: 'empty', completeToMs };
  return { kind: 'series', series, completeToMs };
}

const WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  '+Inf': Number.POSITIVE_INFINITY,
  Inf: Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
};

/** A number as sources write it in a text, such as `1e-3`, `NaN` or `+Inf`; nothing for any other text. */
export function numberFrom(text: string): number | undefined {
  if (Object.hasOwn(WORDS, text)) return WORDS[text];
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
