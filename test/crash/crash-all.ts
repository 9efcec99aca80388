import { seeded } from '../support/seeded.ts';
import { type SshdFleet, startSshdFleet } from '../support/sshd.ts';
import { type CrashResult, crashRun } from './crash-run.ts';
import { SCENARIOS, type Scenario, WITHOUT_PROOF, workloadOf } from './scenarios.ts';

export type CrashAll = {
  readonly sshdPath: string;
  readonly seed: number;
  /** The one without proof of death counted in. */
  readonly runs: number;
  readonly onResult: (n: number, result: CrashResult) => void;
};

/** Runs side by side; each lane has hosts of its own, since a cut meets all connections of a host. */
const LANES = 2;
const HOSTS = 4;

/** All scenarios in turn, each run with random moments of its own; the slow one without proof beside them. */
export async function crashAll({
  sshdPath,
  seed,
  runs,
  onResult,
}: CrashAll): Promise<readonly CrashResult[]> {
  const results: CrashResult[] = [];
  let next = 0;
  const one = async (fleet: SshdFleet, scenario: Scenario, n: number): Promise<void> => {
    const random = seeded(seed + n);
    const workload = workloadOf(random, `run-${n}`, scenario.balancer ? 10 : 40);
    const result = await crashRun({ scenario, fleet, random, workload });
    results.push(result);
    onResult(n, result);
  };
  const lane = async (fleet: SshdFleet): Promise<void> => {
    while (next < runs - 1) {
      next += 1;
      const scenario = SCENARIOS[(next - 1) % SCENARIOS.length];
      if (scenario) await one(fleet, scenario, next);
    }
  };
  const fleets: SshdFleet[] = [];
  try {
    for (let n = 0; n <= LANES; n += 1)
      fleets.push(await startSshdFleet({ count: HOSTS, sshdPath, network: `127.75.${n + 1}` }));
    const [first, ...others] = fleets;
    await Promise.all([...(first ? [one(first, WITHOUT_PROOF, 0)] : []), ...others.map(lane)]);
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
  }
  return results;
}
