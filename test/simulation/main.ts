// `npm run simulate -- [--seeds N] [--from N] [--twice] [--first] [--lanes N] [--json]`: so many deployments of the whole
// product in a simulated world, each with its own faults, every invariant checked after every event. The last line says what
// came of it; exit 1 if anything that must hold did not. `npm run simulate -- --replay SEED` shows one seed event by event.
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Done, Lot } from './lane.ts';
import { replay } from './replay.ts';
import { added, NOTHING, type Tally, type Violated } from './tally.ts';

const LOT = 10;
const LANE = fileURLToPath(new URL('./lane.ts', import.meta.url));

type Options = {
  readonly seeds: number;
  readonly from: number;
  readonly lanes: number;
  readonly twice: boolean;
  readonly first: boolean;
};

async function simulate(options: Options, json: boolean): Promise<number> {
  const beganMs = performance.now();
  const { tally, hash } = await runAll(options);
  const wallS = Math.round((performance.now() - beganMs) / 1_000);
  for (const violation of tally.violations) console.error(told(violation));
  const { violations, ...counts } = tally;
  const perDeployment =
    Object.values(counts.faults).reduce((a, b) => a + b, 0) / Math.max(1, counts.deployments);
  const line = {
    ...counts,
    faultsPerDeployment: Math.round(perDeployment),
    violations: violations.length,
    wallS,
    hash,
  };
  const firstOne =
    options.first && violations[0] ? { seed: violations[0].seed, invariant: violations[0].invariant } : {};
  console.log(json ? JSON.stringify({ ...line, ...firstOne }) : line);
  return violations.length > 0 ? 1 : 0;
}

const told = ({ seed, invariant, atMs, message }: Violated): string =>
  `seed ${seed}: ${invariant} at ${(atMs / 1_000).toFixed(3)} s: ${message}\n  npm run simulate -- --replay ${seed}`;

/** Lanes take lots of seeds until there are none left, or, with `first`, until one of them was violated. */
async function runAll(options: Options): Promise<{ readonly tally: Tally; readonly hash: string }> {
  const { seeds, from, lanes, twice, first } = options;
  const hashes = new Map<number, readonly string[]>();
  let tally = NOTHING;
  let next = from;
  const take = (): Lot | undefined => {
    if (next >= from + seeds || (first && tally.violations.length > 0)) return undefined;
    const lot = { from: next, count: Math.min(LOT, from + seeds - next), twice, first };
    next += lot.count;
    return lot;
  };
  await Promise.all(
    Array.from({ length: lanes }, () =>
      lane(take, (lot, done) => {
        tally = added(tally, done.tally);
        hashes.set(lot.from, done.hashes);
        progress(tally, seeds);
      }),
    ),
  );
  const inOrder = [...hashes].sort(([a], [b]) => a - b).flatMap(([, of]) => of);
  return { tally, hash: createHash('sha256').update(inOrder.join('\n')).digest('hex').slice(0, 16) };
}

/** A child process that is fed until nothing is left. */
function lane(take: () => Lot | undefined, onDone: (lot: Lot, done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(LANE);
    let lot = take();
    const feed = (): void => {
      if (lot) child.send(lot);
      else child.disconnect();
    };
    child.on('message', (done: Done) => {
      if (lot) onDone(lot, done);
      lot = take();
      feed();
    });
    child.on('exit', (code) =>
      code === 0 && !lot ? resolve() : reject(new Error(`a lane ended with ${code}`)),
    );
    feed();
  });
}

/** How many seeds were done when that was last told. */
let toldAt = 0;
function progress({ seeds, violations }: Tally, of: number): void {
  if (!process.stderr.isTTY && seeds - toldAt < 500 && seeds < of) return;
  toldAt = seeds;
  const line = `${seeds} of ${of} seeds, ${violations.length} violations`;
  process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line}\n`);
  if (process.stderr.isTTY && seeds >= of) process.stderr.write('\n');
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
  },
});

if (values.replay !== undefined) process.exitCode = await replay(Number(values.replay));
else {
  const { seeds, from, lanes, twice, first, json } = values;
  process.exitCode = await simulate(
    { seeds: Number(seeds), from: Number(from), lanes: Number(lanes), twice, first },
    json,
  );
}
