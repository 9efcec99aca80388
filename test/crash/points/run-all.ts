import { startSshdFleet } from '../../support/sshd.ts';
import type { CrashPoint, Strategy } from './catalogue.ts';
import { POINTS, SILENT_STRIKES, STRATEGIES } from './catalogue.ts';
import { type PointResult, pointRun } from './point-run.ts';
import type { PointRunOptions } from './scene.ts';
import type { CrashStore } from './stores.ts';

export type Planned = Omit<PointRunOptions, 'fleet' | 'name'>;

export type Wanted = {
  readonly points: readonly CrashPoint[];
  readonly strategies: readonly Strategy[];
  readonly stores: readonly CrashStore[];
  /** So many incarnations are struck, one after the other; one if it is left out. */
  readonly strikes?: number;
};

/** Every point with every strategy on every store, with proof of death. */
export const plannedRuns = ({ points, strategies, stores, strikes = 1 }: Wanted): readonly Planned[] =>
  stores.flatMap((store) =>
    points.flatMap((point) =>
      strategies.map((strategy) => {
        const nth = point.nth[STRATEGIES.indexOf(strategy)] ?? 1;
        return { point, nth, act: 'kill', strikes, proof: true, strategy, store } as const;
      }),
    ),
  );

/** Those without proof; one target at a time, so that what is waited for is the quarantine and nothing else. */
export const silentRuns = (stores: readonly CrashStore[]): readonly Planned[] =>
  stores.flatMap((store) =>
    SILENT_STRIKES.flatMap(({ point: name, nth, act }) => {
      const point = POINTS.find((one) => one.name === name);
      return point
        ? [{ point, nth, act, strikes: 1, proof: false, strategy: 'growing', store } as const]
        : [];
    }),
  );

export type RunAll = {
  readonly runs: readonly Planned[];
  readonly lanes: number;
  readonly sshdPath: string;
  /** First two numbers of the addresses, and the third one of the first lane. */
  readonly network: { readonly prefix: string; readonly first: number };
  readonly onResult: (result: PointResult) => void;
};

const HOSTS = 3;

/** Runs side by side; each lane has hosts of its own. */
export async function runAll({
  runs,
  lanes,
  sshdPath,
  network,
  onResult,
}: RunAll): Promise<readonly PointResult[]> {
  const results: PointResult[] = [];
  const left = [...runs.entries()];
  const lane = async (n: number): Promise<void> => {
    const fleet = await startSshdFleet({
      count: HOSTS,
      sshdPath,
      network: `${network.prefix}.${network.first + n}`,
    });
    try {
      for (let next = left.shift(); next !== undefined; next = left.shift())
        results.push(await one({ fleet, name: `point-${network.first}-${next[0]}` }, next[1], onResult));
    } finally {
      await fleet.stop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, runs.length) }, (_, n) => lane(n)));
  return results;
}

async function one(
  place: Pick<PointRunOptions, 'fleet' | 'name'>,
  planned: Planned,
  onResult: RunAll['onResult'],
): Promise<PointResult> {
  const result = await pointRun({ ...planned, ...place });
  onResult(result);
  return result;
}
