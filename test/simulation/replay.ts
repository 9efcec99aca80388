import { runScenario } from '../../src/simulation/run.ts';
import { scenarioOf } from '../../src/simulation/swarm.ts';

/** Prints a seed's scenario and every fact of its run. 1 if something was violated. */
export async function replay(seed: number): Promise<number> {
  const scenario = scenarioOf(seed);
  console.log(JSON.stringify(scenario, null, 2));
  const result = await runScenario(scenario, {
    log: (atMs, fact) => console.log((atMs / 1_000).toFixed(3), JSON.stringify(fact).slice(0, 2_000)),
  });
  const { violations, ...rest } = result;
  console.log(JSON.stringify(rest));
  for (const { invariant, atMs, message } of violations)
    console.log(`${invariant} at ${atMs} ms: ${message}`);
  return violations.length > 0 ? 1 : 0;
}
