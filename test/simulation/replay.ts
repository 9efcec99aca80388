import { runScenario } from '../../src/simulation/run.ts';
import { shrink } from '../../src/simulation/shrink.ts';
import { scenarioOf } from '../../src/simulation/swarm.ts';

/** Prints a seed's scenario and every fact of its run. 1 if something was violated. */
export async function replay(seed: number): Promise<number> {
  const scenario = scenarioOf(seed);
  console.log(JSON.stringify(scenario, null, 2));
  const result = await runScenario(scenario, {
    log: (atMs, fact) => console.log((atMs / 1_000).toFixed(3), JSON.stringify(fact)),
  });
  const { violations, ...rest } = result;
  console.log(JSON.stringify(rest));
  for (const { invariant, atMs, message } of violations)
    console.log(`${invariant} at ${atMs} ms: ${message}`);
  return violations.length > 0 ? 1 : 0;
}

/** Prints the smallest scenario found that fails as the seed does, ready for test/simulation/regressions/. */
export async function shrinkSeed(seed: number): Promise<number> {
  Error.stackTraceLimit = 0;
  const scenario = scenarioOf(seed);
  const [violation] = (await runScenario(scenario)).violations;
  if (!violation) {
    console.log(`nothing is violated by the seed ${seed}`);
    return 0;
  }
  const { invariant } = violation;
  const smallest = await shrink(scenario, async (smaller) => {
    const { violations } = await runScenario(smaller);
    return violations.some((one) => one.invariant === invariant);
  });
  console.error(`${smallest.runs} runs; ${invariant}: ${violation.message}`);
  console.log(JSON.stringify({ story: violation.message, scenario: smallest.scenario }, null, 2));
  return 1;
}
