import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runModel } from './run-model.ts';

/** Some seconds' worth; fewer on a machine that is busy. `npm run model -- --runs 10000` for many more. */
const RUNS = 200;
const WITHIN_MS = 12_000;

test('whatever operators ask in whatever order, Edge does what the model of its promises says', async () => {
  const { failure, runs } = await runModel({ runs: RUNS, withinMs: WITHIN_MS });
  assert.equal(failure, null, failure ?? '');
  assert.ok(runs > 0);
});
