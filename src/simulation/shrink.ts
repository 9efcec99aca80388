import type { FaultKind, Strengths } from './faults.ts';
import type { Scenario } from './scenario.ts';

/** How often it tries something smaller, at most. */
const TRIES = 400;

export type Shrunk = { readonly scenario: Scenario; readonly runs: number };

/**
 * The smallest scenario found that still fails: with fewer faults first, then fewer processes, asks and targets, then a shorter
 * time in which things break. Every attempt is a whole run.
 */
export async function shrink(
  scenario: Scenario,
  fails: (scenario: Scenario) => Promise<boolean>,
): Promise<Shrunk> {
  let best = scenario;
  let runs = 0;
  for (let isSmaller = true; isSmaller && runs < TRIES; ) {
    isSmaller = false;
    for (const smaller of candidates(best)) {
      if (runs >= TRIES) break;
      runs += 1;
      if (!(await fails(smaller))) continue;
      best = smaller;
      isSmaller = true;
      break;
    }
  }
  return { scenario: best, runs };
}

/** What is left out, from the most to the least. */
function* candidates(scenario: Scenario): Generator<Scenario> {
  const kinds = Object.keys(scenario.strengths) as FaultKind[];
  for (let size = kinds.length; size >= 1; size = Math.floor(size / 2))
    for (let from = 0; from < kinds.length; from += size)
      yield { ...scenario, strengths: without(scenario.strengths, kinds.slice(from, from + size)) };
  if (scenario.servers > 1) yield { ...scenario, servers: scenario.servers - 1 };
  yield* fewerWorkers(scenario);
  for (const ask of scenario.asks) yield { ...scenario, asks: scenario.asks.filter((one) => one !== ask) };
  yield* fewerTargets(scenario);
  const faultsUntilMs = Math.round(scenario.faultsUntilMs / 2);
  if (faultsUntilMs > 5_000) yield { ...scenario, faultsUntilMs };
}

const without = (strengths: Strengths, kinds: readonly FaultKind[]): Strengths =>
  Object.fromEntries(Object.entries(strengths).filter(([kind]) => !kinds.includes(kind as FaultKind)));

function* fewerWorkers(scenario: Scenario): Generator<Scenario> {
  for (const zone of scenario.zones) {
    if (zone.workers < 2) continue;
    const zones = scenario.zones.map((one) => (one === zone ? { ...one, workers: 1 } : one));
    yield { ...scenario, zones };
  }
}

/** Each project and zone keeps one, or its configuration would not be valid. */
function* fewerTargets(scenario: Scenario): Generator<Scenario> {
  for (const target of scenario.targets.toReversed()) {
    const targets = scenario.targets.filter((one) => one !== target);
    const isNeeded = !targets.some(({ project }) => project === target.project);
    if (!isNeeded) yield { ...scenario, targets };
  }
}
