/** The quantile of sorted values by linear interpolation between order statistics at h = (n - 1) p (type 7 of R). NaN of none. */
export function quantileOf(sorted: ArrayLike<number>, p: number): number {
  const h = (sorted.length - 1) * p;
  const below = sorted[Math.floor(h)] ?? Number.NaN;
  const above = sorted[Math.ceil(h)] ?? Number.NaN;
  return below + (h - Math.floor(h)) * (above - below);
}
