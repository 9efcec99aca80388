import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rootOf } from './root.ts';

const search = { tolerance: 1e-9, maxSteps: 1_000 };

test('the root of a smooth function is found in few steps', () => {
  let steps = 0;
  const cube = (x: number) => {
    steps += 1;
    return x ** 3 - 2;
  };
  assert.ok(Math.abs(rootOf(cube, { from: 0, to: 10, ...search }) - Math.cbrt(2)) < 1e-9);
  assert.ok(steps < 30, `${steps} steps`);
});

test('of a function that jumps the jump is found, wherever it is', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e3, max: 1e3, noNaN: true }), (at) => {
      const found = rootOf((x) => (x < at ? 1 : -1), {
        from: -2e3,
        to: 2e3,
        tolerance: 1e-4,
        maxSteps: 1_000,
      });
      assert.ok(Math.abs(found - at) <= 1.01e-4, `${found} for ${at}`);
    }),
  );
});

test('an end that is the root is given as it is; one sign at both ends is refused, and so is what takes too long', () => {
  assert.equal(
    rootOf((x) => x, { from: 0, to: 1, ...search }),
    0,
  );
  assert.throws(() => rootOf(() => 1, { from: 0, to: 1, ...search }), RangeError);
  const cube = (x: number) => x ** 3 - 2;
  assert.throws(() => rootOf(cube, { from: 0, to: 10, tolerance: 1e-9, maxSteps: 3 }), /3 steps/);
});
