import { fuzzArchives } from './archives.ts';
import { fuzzFileNames } from './file-names.ts';
import { fuzzParameters } from './parameters.ts';
import { RealHost } from './real-host.ts';
import type { Fuzzing } from './samples.ts';
import { KINDS, type Kind, Tally } from './tally.ts';
import { fuzzVariables } from './variables.ts';

/** Of all values; an archive takes as long as some hundred others. */
const SHARES: Readonly<Record<Kind, number>> = {
  parameter: 0.4,
  variable: 0.3,
  fileName: 0.28,
  archive: 0.02,
};

const FUZZERS: Readonly<Record<Kind, (host: RealHost, fuzzing: Fuzzing) => Promise<void>>> = {
  parameter: fuzzParameters,
  variable: fuzzVariables,
  fileName: fuzzFileNames,
  archive: fuzzArchives,
};

export type FuzzRuns = {
  readonly runs: number;
  readonly seed: number;
  /** Only this kind, as many as it has of all. */
  readonly kind?: Kind;
  readonly onProgress?: (tally: Tally) => void;
};

/** Gives Edge so many hostile values, all kinds at the same time; the same ones for the same seed. */
export async function runFuzz({ runs, seed, kind, onProgress = () => {} }: FuzzRuns): Promise<Tally> {
  const tally = new Tally();
  const counts = countsOf(runs);
  const chosen = KINDS.filter((each) => kind === undefined || each === kind);
  await Promise.all(
    chosen.map(async (each) => {
      const host = new RealHost();
      try {
        await FUZZERS[each](host, { seed, count: counts[each], tally, onLot: () => onProgress(tally) });
      } finally {
        host.close();
      }
    }),
  );
  return tally;
}

/** All together are `runs`. */
function countsOf(runs: number): Readonly<Record<Kind, number>> {
  const of = (kind: Kind) => Math.round(runs * SHARES[kind]);
  const [variable, fileName, archive] = [of('variable'), of('fileName'), of('archive')];
  return { parameter: runs - variable - fileName - archive, variable, fileName, archive };
}
