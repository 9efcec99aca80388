/**
 * ln of the standard normal distribution function, with a relative error of the function below 1.2e-7, also far in the lower tail.
 * By the Chebyshev fit of erfc(z) exp(z²) in 1 / (1 + z/2) (Press et al., Numerical Recipes, "erfc").
 */
export function logNormalCdf(x: number): number {
  const tail = Math.LN2 * -1 + logErfc(Math.abs(x) / Math.SQRT2);
  return x <= 0 ? tail : Math.log1p(-Math.exp(tail));
}

const FIT = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
] as const;

/** For z of 0 and more. */
function logErfc(z: number): number {
  const t = 1 / (1 + 0.5 * z);
  return Math.log(t) - z * z + FIT.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
}
