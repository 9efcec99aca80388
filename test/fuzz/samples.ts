import fc from 'fast-check';
import { sha256 } from '../../src/lib/hash.ts';
import type { Kind, Tally } from './tally.ts';

/** So many at once: they are of one seed, whatever comes before or after. */
export const LOT = 512;

export type Fuzzing = {
  readonly seed: number;
  readonly count: number;
  readonly tally: Tally;
  /** Called before each lot. */
  readonly onLot: () => void;
};

/** The values of a seed, lot by lot. */
export function* lots<T>(kind: Kind, of: fc.Arbitrary<T>, { seed, count, onLot }: Fuzzing): Generator<T[]> {
  for (let done = 0; done < count; done += LOT) {
    onLot();
    const own = Number.parseInt(sha256(`${seed} ${kind} ${done / LOT}`).slice(0, 8), 16) | 0;
    yield fc.sample(of, { seed: own, numRuns: Math.min(LOT, count - done) });
  }
}
