// `npm run simulate -- [--seeds N] [--from N] [--twice] [--first] [--lanes N] [--json]`: so many runs of the whole product in a
// simulated world, each with faults of its own and every invariant checked after every event. The last line says what came of
// it; exit 1 if anything that must hold did not, or if 10,000 seeds or more met too little.
// `--replay SEED` shows one seed fact by fact; `--shrink SEED` looks for the smallest scenario that fails in the same way.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { faultsPerDeployment, gapsOf } from './gaps.ts';
import { runSeeds, type SeedsOptions } from './lanes.ts';
import { replay, shrinkSeed } from './replay.ts';
import type { Tally, Violated } from './tally.ts';

/** From so many seeds on the run has to have met enough. */
const WHOLE = 10_000;

async function simulate(options: SeedsOptions, json: boolean): Promise<number> {
  const beganMs = performance.now();
  const { tally, hash } = await runSeeds({
    ...options,
    onProgress: (so) => progress(so, options.seeds),
  });
  const wallS = Math.round((performance.now() - beganMs) / 1_000);
  const gaps = gapsOf(tally);
  const { violations, ...counts } = tally;
  const [one] = options.first ? violations : [];
  const line = {
    ...counts,
    faultsPerDeployment: Math.round(faultsPerDeployment(tally)),
    violations: violations.length,
    wallS,
    hash,
    ...(options.seeds >= WHOLE && { gaps }),
    ...(one && { seed: one.seed, invariant: one.invariant }),
  };
  console.log(json ? JSON.stringify(line) : line);
  return violations.length > 0 || (options.seeds >= WHOLE && gaps.length > 0) ? 1 : 0;
}

const told = ({ seed, invariant, atMs, message }: Violated): string =>
  `seed ${seed}: ${invariant} at ${(atMs / 1_000).toFixed(3)} s: ${message}\n  npm run simulate -- --replay ${seed}`;

/** How many seeds were done, and how many violations met, when that was last told. */
let toldAt = 0;
let toldViolations = 0;

/** A violation is told at once: whoever waits for 10,000 seeds can look at it meanwhile. */
function progress({ seeds, violations }: Tally, of: number): void {
  for (const violation of violations.slice(toldViolations)) console.error(told(violation));
  toldViolations = violations.length;
  if (!process.stderr.isTTY && seeds - toldAt < 500 && seeds < of) return;
  toldAt = seeds;
  const line = `${seeds} of ${of} seeds, ${violations.length} violations`;
  process.stderr.write(process.stderr.isTTY ? `\r${line}${seeds >= of ? '\n' : ''}` : `${line}\n`);
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    lanes: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    twice: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    replay: { type: 'string' },
    shrink: { type: 'string' },
  },
});
const { seeds, from, lanes, twice, first, json } = values;
if (values.replay !== undefined) process.exitCode = await replay(Number(values.replay));
else if (values.shrink !== undefined) process.exitCode = await shrinkSeed(Number(values.shrink));
else {
  const options = { seeds: Number(seeds), from: Number(from), lanes: Number(lanes), twice, first };
  process.exitCode = await simulate(options, json);
}
