import { RatioTest } from './ratios.ts';

/** Events of one step, such as errors, and of how much: requests, or minutes of servers. */
export type Counted = {
  readonly canary: number;
  readonly baseline: number;
  readonly canaryExposure: number;
  readonly baselineExposure: number;
};

/** Whether both sides were there, and what was counted are numbers. */
export const isCounted = ({ canary, baseline, canaryExposure, baselineExposure }: Counted): boolean =>
  canaryExposure > 0 &&
  baselineExposure > 0 &&
  canary >= 0 &&
  baseline >= 0 &&
  Number.isFinite(canary + baseline + canaryExposure + baselineExposure);

export type CountOptions = {
  /** The most that may be wrong, however often it is looked at. */
  readonly alpha: number;
  /** A ratio of the rates of which nobody needs to hear: 1.05 is 5 % more. Below 1, what is looked for is smaller too. */
  readonly tolerated: number;
  /** How much more counts vary than those of independent events: at least 1. */
  readonly dispersion: number;
};

/**
 * A sequential test of counts: whether events come more often on the canary (CANARY.md section 3.2). Given all that was counted in a step,
 * the canary's part is binomial, whatever rate both share; so it holds at any time, without any history, for every ratio up to the
 * tolerated one.
 */
export class CountTest extends RatioTest {
  readonly #options: CountOptions;

  constructor(options: CountOptions) {
    super(options.alpha);
    this.#options = options;
  }

  /** The next step; one without exposure on both sides proves nothing. */
  add(counted: Counted): void {
    if (!isCounted(counted)) {
      this.step();
      return;
    }
    const { canary, baseline, canaryExposure, baselineExposure } = counted;
    const { tolerated, dispersion } = this.#options;
    const share = (ratio: number) => (ratio * canaryExposure) / (ratio * canaryExposure + baselineExposure);
    const without = share(tolerated);
    this.step((ratio) => {
      const withIt = share(Math.max(ratio * Math.min(tolerated, 1), tolerated));
      const gain = canary * Math.log(withIt / without) + baseline * Math.log((1 - withIt) / (1 - without));
      return gain / dispersion;
    });
  }
}

/** `of`: how much more counts vary than those of independent events would, which have 1. `blocks`: from how many blocks of steps. */
export type Dispersion = { readonly of: number; readonly blocks: number };

/** Of two sides that ran the same, on blocks of five steps, which see bursts. Blocks without events tell nothing. */
export function dispersionOf(history: readonly Counted[]): Dispersion {
  const ratios: number[] = [];
  for (const block of blocksOf(history)) {
    const total = (of: (one: Counted) => number) => block.reduce((sum, one) => sum + of(one), 0);
    const [x, y] = [total(({ canary }) => canary), total(({ baseline }) => baseline)];
    const [a, b] = [total((one) => one.canaryExposure), total((one) => one.baselineExposure)];
    const share = a / (a + b);
    // Of independent events (x - n share)² has n share (1 - share) for its mean.
    if (x + y > 0 && share > 0 && share < 1)
      ratios.push((x - (x + y) * share) ** 2 / ((x + y) * share * (1 - share)));
  }
  return dispersionFrom(ratios);
}

const BLOCK = 5;

/** A block is five steps; what is left at the end is none. */
export function blocksOf<Step>(history: readonly Step[]): readonly (readonly Step[])[] {
  const count = Math.floor(history.length / BLOCK);
  return Array.from({ length: count }, (_, at) => history.slice(at * BLOCK, (at + 1) * BLOCK));
}

/** Of the ratios, one for each block, of how far counts lay off, squared, to the mean that it has for independent events. */
export function dispersionFrom(ratios: readonly number[]): Dispersion {
  const sum = ratios.reduce((all, ratio) => all + ratio, 0);
  return { of: ratios.length === 0 ? 1 : sum / ratios.length, blocks: ratios.length };
}
