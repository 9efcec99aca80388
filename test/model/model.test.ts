import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runModel } from './run-model.ts';

/** Enough for a few seconds; `npm run model -- --runs 10000` for many more. */
const RUNS = 150;

test('whatever operators ask in whatever order, Edge does what the model of its promises says', async () => {
  const { failure } = await runModel({ runs: RUNS });
  assert.equal(failure, null, failure ?? '');
});
