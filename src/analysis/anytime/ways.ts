/**
 * How the slow requests fall on both sides, given how many there are: drawn without replacement, and on the canary with `odds` times the
 * odds (Fisher's noncentral hypergeometric distribution).
 */
export type Drawn = {
  /** Requests. */
  readonly canary: number;
  readonly baseline: number;
  /** Slow ones of both together. */
  readonly slow: number;
};

/**
 * ln of the sum, over every number k of slow requests that the canary may have, of how many ways there are to draw them, times odds^k. Only
 * the terms about the largest one count, of which there are about the root of the number of requests.
 */
export function lnWays({ canary, baseline, slow }: Drawn, odds: number): number {
  const [least, most] = [Math.max(0, slow - baseline), Math.min(canary, slow)];
  const likeliest = Math.min(Math.max(likeliestOf({ canary, baseline, slow }, odds), least), most);
  /** By how much the term of k is larger than the one before it. */
  const rise = (k: number) => (odds * (canary - k + 1) * (slow - k + 1)) / (k * (baseline - slow + k));
  let sum = 1;
  for (let k = likeliest + 1, term = 1; k <= most && term > NOTHING * sum; k += 1) {
    term *= rise(k);
    sum += term;
  }
  for (let k = likeliest, term = 1; k > least && term > NOTHING * sum; k -= 1) {
    term /= rise(k);
    sum += term;
  }
  const ways = lnChoose(canary, likeliest) + lnChoose(baseline, slow - likeliest);
  return ways + likeliest * Math.log(odds) + Math.log(sum);
}

const NOTHING = 1e-17;

/** The k whose term is the largest, to one or so: where terms no longer rise (Liao and Rosen 2001). */
function likeliestOf({ canary, baseline, slow }: Drawn, odds: number): number {
  const half = odds * (canary + slow + 2) + baseline - slow;
  const last = odds * (canary + 1) * (slow + 1);
  return Math.floor((2 * last) / (half + Math.sqrt(half ** 2 - 4 * (odds - 1) * last)));
}

/** ln of the number of ways to choose some of all, without order; whole numbers. */
export const lnChoose = (all: number, some: number): number =>
  lnFactorial(all) - lnFactorial(some) - lnFactorial(all - some);

/** From here on Stirling's series is as good as the numbers are. */
const MANY = 16;

const FEW: readonly number[] = Array.from({ length: MANY }, (_, n) =>
  Array.from({ length: n }, (_, before) => Math.log(before + 1)).reduce((sum, log) => sum + log, 0),
);

function lnFactorial(n: number): number {
  if (n < MANY) return FEW[n] ?? Number.NaN;
  const series = 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + series;
}
