// A child of main.ts: takes lots of seeds from its parent, one after the other, and answers each with what came of it.
import { runScenario } from '../../src/simulation/run.ts';
import { scenarioOf } from '../../src/simulation/swarm.ts';
import { added, NOTHING, type Tally, tallyOf } from './tally.ts';

export type Lot = {
  readonly from: number;
  readonly count: number;
  readonly twice: boolean;
  readonly first: boolean;
};
export type Done = { readonly tally: Tally; readonly hashes: readonly string[] };

/** Errors are part of the game here; nobody reads where they came from. A replay (`replay.ts`) shows it. */
Error.stackTraceLimit = 0;

process.on('message', (lot: Lot) => {
  runLot(lot).then(
    (done) => process.send?.(done),
    (fault: unknown) => {
      console.error(fault);
      process.exit(70);
    },
  );
});

async function runLot({ from, count, twice, first }: Lot): Promise<Done> {
  let tally = NOTHING;
  const hashes: string[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await runScenario(scenarioOf(seed));
    tally = added(tally, tallyOf(result));
    hashes.push(result.hash);
    if (twice) tally = added(tally, await again(seed, result.hash));
    if (first && result.violations.length > 0) break;
  }
  return { tally, hashes };
}

/** The same seed must give the same run, to the last byte. */
async function again(seed: number, hash: string): Promise<Tally> {
  const second = await runScenario(scenarioOf(seed));
  if (second.hash === hash) return NOTHING;
  const message = `the second run has the hash ${second.hash.slice(0, 12)}, the first had ${hash.slice(0, 12)}`;
  return { ...NOTHING, violations: [{ invariant: 'determinism', atMs: 0, message, seed }] };
}
