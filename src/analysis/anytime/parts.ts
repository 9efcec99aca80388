import { blocksOf, type Counted, type CountOptions, dispersionFrom } from './counts.ts';
import { RatioTest } from './ratios.ts';
import { lnWays } from './ways.ts';

export type PartOptions = CountOptions & {
  /** The ratio of the odds that there was before; ratios are those to it. */
  readonly usual: number;
};

/**
 * A sequential test of parts of a whole: whether more of the canary's requests are slow (CANARY.md section 3.3, B2). As one of counts, but
 * given all that was slow in a step, it is drawn without replacement from the requests of both sides: the same for what is rare, and far
 * sharper for what is not. The ratio is one of odds; it holds at any time, without any history, whatever part both sides share.
 */
export class PartTest extends RatioTest {
  readonly #options: PartOptions;

  constructor(options: PartOptions) {
    super(options.alpha);
    this.#options = options;
  }

  /** The next step, its exposures in whole requests; one without requests on both sides proves nothing. */
  add(counted: Counted): void {
    if (!isPart(counted)) {
      this.step();
      return;
    }
    const { tolerated, usual, dispersion } = this.#options;
    const drawn = drawnOf(counted);
    const without = lnWays(drawn, usual * tolerated);
    this.step((ratio) => {
      const times = Math.max(ratio, tolerated);
      const withIt = lnWays(drawn, usual * times);
      return (drawn.onCanary * Math.log(times / tolerated) - withIt + without) / dispersion;
    });
  }
}

const isPart = ({ canary, baseline, canaryExposure, baselineExposure }: Counted): boolean =>
  canary >= 0 &&
  baseline >= 0 &&
  canary <= canaryExposure &&
  baseline <= baselineExposure &&
  Math.round(canaryExposure) > 0 &&
  Math.round(baselineExposure) > 0 &&
  Number.isFinite(canaryExposure + baselineExposure);

/** In whole requests: of a rate over time a metrics system makes broken ones. */
function drawnOf(counted: Counted) {
  const onCanary = Math.round(counted.canary);
  const slow = onCanary + Math.round(counted.baseline);
  const [canary, baseline] = [Math.round(counted.canaryExposure), Math.round(counted.baselineExposure)];
  return { slow, canary, baseline, onCanary };
}

/** What the parts of two sides were like while both ran the same. */
export type PartsLearnt = {
  /** How much more they surely vary than those of independent requests; else 1. */
  readonly dispersion: number;
  /** The canary's odds by those of the baseline, where they were surely higher, as those of hot servers are; else 1. */
  readonly usual: number;
  /** From how many blocks in which some were slow and some not. */
  readonly blocks: number;
};

/** By chance the mean of so many ratios lies this many standard deviations of it, root of 2 by their number, over 1 at most. */
const PERHAPS = 1.7;
/** In standard deviations: by chance a ratio of odds is not so far from 1, but in one of 40. */
const SURELY = 2;

/**
 * Requests in one step share its fate: seen from step to step, which is the surer, and on blocks, which see bursts. And one side's part may be
 * higher at all times, by a ratio of odds that is estimated as Peto does. `isShared`: that requests share a fate is known from elsewhere.
 */
export function learnParts(history: readonly Counted[], isShared = false): PartsLearnt {
  const deviationsOf = (steps: readonly Counted[]) => steps.filter(isPart).map(deviationOf);
  const steps = deviationsOf(history).filter(({ variance }) => variance > 0);
  const blocks = blocksOf(history).map((block) => sumOf(deviationsOf(block)));
  const telling = blocks.filter(({ variance }) => variance > 0);
  const all = sumOf(steps);
  if (steps.length === 0) return { dispersion: 1, usual: 1, blocks: 0 };
  const shift = all.off / all.variance;
  const dispersion = Math.max(...[steps, telling].map((of) => surelyOf(of, { shift, isShared })));
  const deviation = Math.sqrt(dispersion / all.variance);
  const usual = shift > SURELY * deviation ? Math.exp(shift + deviation) : 1;
  return { dispersion, usual, blocks: telling.length };
}

/** Only what is clear costs anything, and then what is not known of it too. */
function surelyOf(
  deviations: readonly Deviation[],
  { shift, isShared }: { readonly shift: number; readonly isShared: boolean },
): number {
  const { of, blocks } = dispersionFrom(
    deviations.map(({ off, variance }) => (off - shift * variance) ** 2 / variance),
  );
  const doubt = Math.sqrt(2 / Math.max(1, blocks));
  return isShared || of > 1 + PERHAPS * doubt ? Math.max(1, of * (1 + doubt)) : 1;
}

/** By how many the canary had more slow requests than its part of them, and the variance that this has for independent ones. */
type Deviation = { readonly off: number; readonly variance: number };

function deviationOf(counted: Counted): Deviation {
  const { slow, canary, baseline, onCanary } = drawnOf(counted);
  const all = canary + baseline;
  const share = canary / all;
  return {
    off: onCanary - slow * share,
    variance: (slow * share * (1 - share) * (all - slow)) / (all - 1),
  };
}

const sumOf = (deviations: readonly Deviation[]): Deviation =>
  deviations.reduce((sum, { off, variance }) => ({ off: sum.off + off, variance: sum.variance + variance }), {
    off: 0,
    variance: 0,
  });
