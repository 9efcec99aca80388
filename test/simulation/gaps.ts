import type { Tally } from './tally.ts';

/** What a run of 10,000 seeds has to have met, or its silence proves little. */
const LEAST = { perFault: 100, faultsPerDeployment: 20, succeeded: 0.3, rolledBack: 0.1, takenOver: 0.2 };

export const faultsPerDeployment = ({ faults, deployments }: Tally): number =>
  Object.values(faults).reduce((a, b) => a + b, 0) / Math.max(1, deployments);

/** What was met too seldom, in words. */
export function gapsOf(tally: Tally): readonly string[] {
  const { deployments, outcomes, rolledBack, takeovers, faults, checks } = tally;
  const share = (count: number): number => count / Math.max(1, deployments);
  const rare = Object.entries(faults).filter(([, count]) => count < LEAST.perFault);
  const unchecked = Object.entries(checks).filter(([, count]) => count === 0);
  return [
    ...rare.map(([kind, count]) => `${kind} struck ${count} times`),
    ...unchecked.map(([invariant]) => `${invariant} was never checked`),
    ...(faultsPerDeployment(tally) < LEAST.faultsPerDeployment ? ['too few faults for each deployment'] : []),
    ...(share(outcomes.succeeded ?? 0) < LEAST.succeeded ? ['too few deployments succeeded'] : []),
    ...(share(rolledBack) < LEAST.rolledBack ? ['too few deployments were rollbacks'] : []),
    ...(share(takeovers) < LEAST.takenOver ? ['too few deployments were taken over'] : []),
  ];
}
