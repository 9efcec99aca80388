import { INVARIANTS, type Violation } from '../../src/simulation/eyes.ts';
import { FAULT_KINDS } from '../../src/simulation/faults.ts';
import type { SeedResult } from '../../src/simulation/run.ts';

export type Counts = Readonly<Record<string, number>>;
export type Violated = Violation & { readonly seed: number };

/** What came of many seeds. */
export type Tally = {
  readonly seeds: number;
  readonly deployments: number;
  readonly rolledBack: number;
  readonly takeovers: number;
  readonly outcomes: Counts;
  readonly events: number;
  readonly faults: Counts;
  readonly checks: Counts;
  readonly violations: readonly Violated[];
};

const zeros = (names: readonly string[]): Counts => Object.fromEntries(names.map((name) => [name, 0]));

export const NOTHING: Tally = {
  ...{ seeds: 0, deployments: 0, rolledBack: 0, takeovers: 0, events: 0 },
  ...{ outcomes: {}, faults: zeros(FAULT_KINDS), checks: zeros(INVARIANTS), violations: [] },
};

export function tallyOf(result: SeedResult): Tally {
  const { seed, violations, deployments, rolledBack, takeovers, outcomes, events, faults, checks } = result;
  return {
    ...{ seeds: 1, deployments, rolledBack, takeovers, outcomes, events, faults, checks },
    violations: violations.map((one) => ({ ...one, seed })),
  };
}

export function added(a: Tally, b: Tally): Tally {
  return {
    seeds: a.seeds + b.seeds,
    deployments: a.deployments + b.deployments,
    rolledBack: a.rolledBack + b.rolledBack,
    takeovers: a.takeovers + b.takeovers,
    events: a.events + b.events,
    outcomes: sum(a.outcomes, b.outcomes),
    faults: sum(a.faults, b.faults),
    checks: sum(a.checks, b.checks),
    violations: [...a.violations, ...b.violations],
  };
}

function sum(a: Counts, b: Counts): Counts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}
