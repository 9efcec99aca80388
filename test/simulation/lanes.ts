import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Done, Lot } from './lane.ts';
import { added, NOTHING, type Tally } from './tally.ts';

const LOT = 10;
const LANE = fileURLToPath(new URL('./lane.ts', import.meta.url));

export type SeedsOptions = {
  readonly seeds: number;
  readonly from: number;
  readonly lanes: number;
  /** Each seed is run a second time, and must come out the same. */
  readonly twice?: boolean;
  /** Stops at the first violation. */
  readonly first?: boolean;
  readonly onProgress?: (tally: Tally) => void;
};

/** `hash`: of all event logs in the order of the seeds. */
export type Seeds = { readonly tally: Tally; readonly hash: string };

/** Runs seeds in processes of their own, side by side. */
export async function runSeeds(options: SeedsOptions): Promise<Seeds> {
  const { seeds, from, lanes, twice = false, first = false, onProgress } = options;
  const hashes = new Map<number, readonly string[]>();
  let tally = NOTHING;
  let next = from;
  const take = (): Lot | undefined => {
    if (next >= from + seeds || (first && tally.violations.length > 0)) return undefined;
    const lot = { from: next, count: Math.min(LOT, from + seeds - next), twice, first };
    next += lot.count;
    return lot;
  };
  const onDone = (lot: Lot, done: Done): void => {
    tally = added(tally, done.tally);
    hashes.set(lot.from, done.hashes);
    onProgress?.(tally);
  };
  await Promise.all(Array.from({ length: lanes }, () => lane(take, onDone)));
  const inOrder = [...hashes].sort(([a], [b]) => a - b).flatMap(([, of]) => of);
  return { tally, hash: createHash('sha256').update(inOrder.join('\n')).digest('hex').slice(0, 16) };
}

/** What a run leaves behind that nobody waits for any more is freed with its process. */
const LOTS_A_PROCESS = 40;

/** Child processes, one after the other, until nothing is left. */
async function lane(take: () => Lot | undefined, onDone: (lot: Lot, done: Done) => void): Promise<void> {
  for (let isLeft = true; isLeft; ) {
    let lots = 0;
    isLeft = false;
    const next = (): Lot | undefined => {
      isLeft = lots === LOTS_A_PROCESS;
      lots += 1;
      return isLeft ? undefined : take();
    };
    await fed(next, onDone);
  }
}

/** A child process that is fed until there is nothing more for it. */
function fed(take: () => Lot | undefined, onDone: (lot: Lot, done: Done) => void): Promise<void> {
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
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 && !lot ? resolve() : reject(new Error(`a lane ended with ${code}`)),
    );
    feed();
  });
}
