export type Search = {
  readonly from: number;
  readonly to: number;
  /** What the two ends of the bracket may be apart. */
  readonly tolerance: number;
  readonly maxSteps: number;
};

type Point = { readonly x: number; readonly y: number };

/**
 * Where `f` changes its sign between `from` and `to`, by Brent's method (Algorithms for Minimization without Derivatives, 1973,
 * chapter 4): bisection, and a secant or an inverse parabola where they get nearer. Throws `RangeError` if `f` has one sign at both ends,
 * or is not found in so many steps. Of a function with jumps it gives a point within the tolerance of one, on either side.
 */
export function rootOf(f: (x: number) => number, { from, to, tolerance, maxSteps }: Search): number {
  let before: Point = { x: from, y: f(from) };
  let best: Point = { x: to, y: f(to) };
  if (before.y === 0) return from;
  if (best.y === 0) return to;
  if (before.y > 0 === best.y > 0) throw new RangeError('the function has one sign at both ends');
  let opposite = before;
  for (let steps = 0; steps <= maxSteps; steps += 1) {
    const stepBefore = best.x - before.x;
    if (Math.abs(opposite.y) < Math.abs(best.y)) [before, best, opposite] = [best, opposite, best];
    const least = 2 * Number.EPSILON * Math.abs(best.x) + tolerance / 2;
    const half = (opposite.x - best.x) / 2;
    if (Math.abs(half) <= least || best.y === 0) return best.x;
    const guess = guessed({ before, best, opposite, stepBefore, least }) ?? half;
    const step = Math.abs(guess) < least ? Math.sign(guess) * least : guess;
    before = best;
    best = { x: best.x + step, y: f(best.x + step) };
    if (best.y > 0 === opposite.y > 0 && best.y !== 0) opposite = before;
  }
  throw new RangeError(`no root within ${maxSteps} steps`);
}

type Guess = {
  readonly before: Point;
  readonly best: Point;
  readonly opposite: Point;
  readonly stepBefore: number;
  readonly least: number;
};

/** A step by interpolation, if it can be trusted: it stays well inside of the bracket, and is less than half of the one before. */
function guessed({ before, best, opposite, stepBefore, least }: Guess): number | undefined {
  if (Math.abs(stepBefore) < least || Math.abs(before.y) <= Math.abs(best.y)) return undefined;
  const width = opposite.x - best.x;
  const toBefore = best.y / before.y;
  let p: number;
  let q: number;
  if (before.x === opposite.x) {
    p = width * toBefore;
    q = 1 - toBefore;
  } else {
    const r = before.y / opposite.y;
    const toOpposite = best.y / opposite.y;
    p = toBefore * (width * r * (r - toOpposite) - (best.x - before.x) * (toOpposite - 1));
    q = (r - 1) * (toOpposite - 1) * (toBefore - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  const isInside = p < 0.75 * width * q - Math.abs(least * q) / 2;
  return isInside && p < Math.abs((stepBefore * q) / 2) ? p / q : undefined;
}
