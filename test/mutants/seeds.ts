// Runs seeds of the simulation in this one process, `--seeds N --from M`, until one violates an invariant. Its last line is
// JSON. The bug that `plant.ts` was told of is in the code that it runs.
import { parseArgs } from 'node:util';
import { runScenario } from '../../src/simulation/run.ts';
import { scenarioOf } from '../../src/simulation/swarm.ts';

const { values: options } = parseArgs({
  options: { seeds: { type: 'string', default: '100' }, from: { type: 'string', default: '1' } },
  strict: false,
});

/** As in a lane of the simulation: errors are part of the game, and nobody reads where they came from. */
Error.stackTraceLimit = 0;

const from = Number(options.from);
const seeds = Number(options.seeds);
let found: object = { seeds, violations: 0 };
for (let seed = from; seed < from + seeds; seed += 1) {
  const { violations } = await runScenario(scenarioOf(seed));
  console.log(seed);
  const [first] = violations;
  if (!first) continue;
  const { invariant, message } = first;
  found = { seeds: seed - from + 1, violations: violations.length, seed, invariant, message };
  process.exitCode = 1;
  break;
}
console.log(JSON.stringify(found));
