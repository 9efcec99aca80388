import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logNormalCdf } from './normal.ts';

test('the normal distribution function is right to six digits, far out too', () => {
  // Values of R's pnorm(x, log.p = TRUE).
  const known = [
    [0, -0.693_147_180_6],
    [1, -0.172_753_779],
    [-1, -1.841_021_645],
    [-3, -6.607_726_221_5],
    [-10, -53.231_285_152_1],
    [-40, -804.608_442_013_7],
  ] as const;
  for (const [x, log] of known)
    assert.ok(Math.abs(logNormalCdf(x) - log) < 3e-7 * Math.max(1, Math.abs(log)), `${x}`);
  assert.ok(logNormalCdf(9) <= 0 && logNormalCdf(9) > -1e-15);
});
