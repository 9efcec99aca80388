// Runs seeds of the simulation in this one process, `--seeds N --from M`, or those of `--list 1,2,3`, until one violates an
// invariant. Each seed is a line, with the guards that it would have missed where `plant-diverging.ts` observes them; the last line
// is JSON. The bug that `plant.ts` was told of is in the code that it runs.
import { parseArgs } from 'node:util';
import { runScenario } from '../../src/simulation/run.ts';
import { scenarioOf } from '../../src/simulation/swarm.ts';
import { DIVERGED } from './diverged.ts';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    list: { type: 'string' },
  },
  strict: false,
});

/** As in a lane of the simulation: errors are part of the game, and nobody reads where they came from. */
Error.stackTraceLimit = 0;

const from = Number(options.from);
const list =
  typeof options.list === 'string'
    ? options.list.split(',').map(Number)
    : Array.from({ length: Number(options.seeds) }, (_, n) => from + n);
let found: object = { seeds: list.length, violations: 0 };
for (const [done, seed] of list.entries()) {
  DIVERGED.clear();
  const { violations } = await runScenario(scenarioOf(seed));
  console.log(JSON.stringify({ seed, diverged: [...DIVERGED] }));
  const [first] = violations;
  if (!first) continue;
  const { invariant, message } = first;
  found = { seeds: done + 1, violations: violations.length, seed, invariant, message };
  process.exitCode = 1;
  break;
}
console.log(JSON.stringify(found));
