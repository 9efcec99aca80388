import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFuzz } from './run-fuzz.ts';
import { KINDS } from './tally.ts';

/** The same values in every run; `npm run fuzz -- --runs 1000000` for more, and for others. */
const SEED = 1;
const RUNS = 5_000;

test('whatever values, names and archives hold, none of it is run, nothing breaks, and what is refused says why', async () => {
  const tally = await runFuzz({ runs: RUNS, seed: SEED });
  assert.ok(tally.isClean, `seed ${SEED}: ${JSON.stringify(tally.faults, null, 2)}`);
  assert.equal(tally.runs, RUNS);
  for (const kind of KINDS) assert.ok(tally.shell[kind] > 0, `no ${kind} went through a shell`);
});
