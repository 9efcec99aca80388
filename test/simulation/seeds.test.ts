import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { runScenario } from '../../src/simulation/run.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import { runSeeds } from './lanes.ts';

const LANES = 2;
const SEEDS = 1_000;
const AT_ONCE = 100;

describe('the whole product in a simulated world', () => {
  for (let from = 1; from <= SEEDS; from += AT_ONCE) {
    test(`the seeds from ${from} on keep every promise`, async () => {
      const { tally } = await runSeeds({ seeds: AT_ONCE, from, lanes: LANES });
      assert.deepEqual(tally.violations, []);
      assert.equal(tally.seeds, AT_ONCE);
    });
  }

  test('the same seed is the same run, twice in one process and once in another', async () => {
    const twice = await runSeeds({ seeds: 20, from: 5_000, lanes: 1, twice: true });
    assert.deepEqual(twice.tally.violations, []);
    assert.equal((await runSeeds({ seeds: 20, from: 5_000, lanes: 2 })).hash, twice.hash);
  });
});

type Regression = { readonly story: string; readonly scenario: Scenario };
const FOLDER = new URL('./regressions/', import.meta.url);

describe('what once went wrong', () => {
  for (const file of readdirSync(FOLDER)) {
    const { story, scenario } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Regression;
    test(`${file.replace(/\.json$/, '').replaceAll('-', ' ')}: ${story}`, async () => {
      assert.deepEqual((await runScenario(scenario)).violations, []);
    });
  }
});
