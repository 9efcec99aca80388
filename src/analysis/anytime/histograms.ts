import { quantileOf } from '../quantile.ts';

/** How many requests lie in each bucket: up to the first bound, above it and up to the second, and so on, and above the last. */
export type Histogram = readonly number[];

/** What both sides served in one step, in the same buckets. */
export type LatencyStep = { readonly canary: Histogram; readonly baseline: Histogram };

const QUANTILES = [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999] as const;

/** Bounds for a canary, from durations before it; they are to be fixed before it starts. Those bounds are in the durations' unit. */
export function boundsOf(durations: readonly number[]): readonly number[] {
  const sorted = durations.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  return [...new Set(QUANTILES.map((part) => quantileOf(sorted, part)))];
}

/** Of durations, in the unit of the ascending bounds. One that is not a number was not measured; one without end lies above all. */
export function histogramOf(durations: readonly number[], bounds: readonly number[]): Histogram {
  const counts: number[] = Array(bounds.length + 1).fill(0);
  for (const duration of durations) {
    if (Number.isNaN(duration)) continue;
    const place = placeOf(duration, bounds);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

/** By halving: of how many bounds it lies above. */
function placeOf(duration: number, bounds: readonly number[]): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (duration > (bounds[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `all` requests, and for each bound how many took longer. */
export type Slower = { readonly all: number; readonly than: readonly number[] };

/** `undefined` of a histogram that is of other bounds, has no requests, or counts that are none. */
export function slowerOf(histogram: Histogram, bounds: readonly number[]): Slower | undefined {
  if (histogram.length !== bounds.length + 1 || !histogram.every((count) => count >= 0)) return undefined;
  let all = 0;
  const above = histogram.toReversed().map((count) => {
    all += count;
    return all;
  });
  if (!(all > 0 && Number.isFinite(all))) return undefined;
  return { all, than: above.reverse().slice(1) };
}
