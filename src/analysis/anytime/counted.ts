import { type Counted, CountTest, dispersionOf } from './counts.ts';
import { GaugeTest } from './gauge.ts';
import { learn } from './learnt.ts';
import type { Standing } from './standing.ts';

export type CountedOptions = {
  /** The most that may be wrong, however often it is looked at. */
  readonly alpha: number;
  /** A rise of which nobody needs to hear: 0.02 is 2 %. */
  readonly tolerance: number;
  /** From which ratio of the rates on it is a rise: left out, 1. */
  readonly from?: number;
};

export type CountedTest = {
  readonly kind: 'counts' | 'gauge';
  readonly standing: Standing;
  /** The next step. */
  add(counted: Counted): void;
};

/** By chance the mean of so many blocks lies this many standard deviations of it, root of 2 by their number, over 1 at most. */
const PERHAPS = 1.7;
const SURELY = 3.2;

/**
 * The test for a count, by how it varied while both sides ran the same: as counts, where its events were independent; as counts that
 * weigh less, where they may not have been; and as a gauge, of the square roots, where they came in bursts (CANARY.md section 3.2). Without
 * a history they are taken for independent.
 */
export function countedTest(history: readonly Counted[], options: CountedOptions): CountedTest {
  const { alpha, tolerance, from = 1 } = options;
  const { of, blocks } = dispersionOf(history);
  const beyond = (of - 1) / Math.sqrt(2 / Math.max(1, blocks));
  const asGauge = beyond > SURELY ? gaugeOf(history, options) : undefined;
  if (asGauge) return asGauge;
  const dispersion = beyond > PERHAPS ? of : 1;
  const standing = new CountTest({ alpha, tolerated: from * (1 + tolerance), dispersion });
  return { kind: 'counts', standing, add: (counted) => standing.add(counted) };
}

function gaugeOf(history: readonly Counted[], options: CountedOptions): CountedTest | undefined {
  const learnt = learn(history.map(rootsOf));
  const total = (of: (one: Counted) => number) => history.reduce((sum, one) => sum + of(one), 0);
  const events = total(({ canary, baseline }) => canary + baseline);
  const level = events / total(({ canaryExposure, baselineExposure }) => canaryExposure + baselineExposure);
  if (!learnt || !(level > 0)) return undefined;
  // Of a rise by r the root rises by about half of r.
  const { from = 1 } = options;
  const standing = new GaugeTest(learnt, {
    ...options,
    ...{ from: Math.log(from), fleetSpread: 0, unit: Math.sqrt(level) / 2 },
  });
  return { kind: 'gauge', standing, add: (counted) => standing.add(rootsOf(counted)) };
}

/** The difference of the roots of both rates, whose spread does not depend on the rate (Anscombe); NaN without exposure. */
function rootsOf({ canary, baseline, canaryExposure, baselineExposure }: Counted): number {
  if (!(canaryExposure > 0 && baselineExposure > 0)) return Number.NaN;
  return Math.sqrt((canary + 3 / 8) / canaryExposure) - Math.sqrt((baseline + 3 / 8) / baselineExposure);
}
