import { Draws } from './draws.ts';

/** Two series of so many minutes, of which neither is worse: CANARY.md section 4.1. */
export type Family = (draws: Draws, minutes: number) => readonly [number[], number[]];

const series = (minutes: number, at: (minute: number) => number) =>
  Array.from({ length: minutes }, (_, minute) => at(minute));

const twice =
  (one: (draws: Draws, minutes: number) => number[]): Family =>
  (draws, minutes) => [one(draws, minutes), one(draws, minutes)];

const gauge = (draws: Draws) => 100 * (1 + 0.1 * draws.normal());

const autoregressive = (memory: number): Family =>
  twice((draws, minutes) => {
    let u = draws.normal();
    return series(minutes, () => {
      u = memory * u + Math.sqrt(1 - memory ** 2) * draws.normal();
      return 100 + 10 * u;
    });
  });

/** Those of gauges, by the names that the benchmark has for them. */
export const GAUGES: Readonly<Record<string, Family>> = {
  normal: twice((draws, minutes) => series(minutes, () => gauge(draws))),
  lognormal: twice((draws, minutes) => series(minutes, () => 200 * Math.exp(0.35 * draws.normal()))),
  'ar.5': autoregressive(0.5),
  'ar.8': autoregressive(0.8),
  'ar.95': autoregressive(0.95),
  diurnal: (draws, minutes) => {
    const phase = 2 * Math.PI * draws.next();
    const level = (minute: number) => 100 * (1 + 0.4 * Math.sin((2 * Math.PI * minute) / 120 + phase));
    return twice((_, count) => series(count, (minute) => level(minute) * (1 + 0.05 * draws.normal())))(
      draws,
      minutes,
    );
  },
  spikes: twice((draws, minutes) =>
    series(minutes, () => gauge(draws) * (draws.chance(0.03) ? 3 + 7 * draws.next() : 1)),
  ),
  missing: twice((draws, minutes) => {
    const hole = draws.int(0, minutes - 10);
    return series(minutes, (minute) => {
      const isGone = draws.chance(0.2) || (minute >= hole && minute < hole + 10);
      return isGone ? Number.NaN : gauge(draws);
    });
  }),
  hotserver: twice((draws, minutes) => {
    const level = Math.exp(0.05 * draws.normal());
    return series(minutes, () => level * gauge(draws));
  }),
  tiny: twice((draws, minutes) => series(minutes, () => 2e-6 * gauge(draws))),
};

/** Two series of counts of so many minutes; the canary's mean is `effect` times as high at a minute. */
export type CountFamily = (
  draws: Draws,
  minutes: number,
  effect: (minute: number) => number,
) => readonly [number[], number[]];

/** By multiplying uniform numbers (Knuth): for small means. */
function poisson(draws: Draws, mean: number): number {
  const least = Math.exp(-mean);
  let count = -1;
  for (let product = 1; product > least; product *= draws.next()) count += 1;
  return count;
}

const counts =
  (mean: number): CountFamily =>
  (draws, minutes, effect) => [
    series(minutes, () => poisson(draws, mean)),
    series(minutes, (minute) => poisson(draws, mean * effect(minute))),
  ];

const bursts: CountFamily = (draws, minutes, effect) => {
  const one = (of: (minute: number) => number) => {
    let u = draws.normal();
    return series(minutes, (minute) => {
      u = 0.7 * u + Math.sqrt(1 - 0.7 ** 2) * draws.normal();
      return poisson(draws, 6 * Math.exp(0.7 * u - 0.245) * of(minute));
    });
  };
  return [one(() => 1), one(effect)];
};

/** Those of counts. */
export const COUNTS: Readonly<Record<string, CountFamily>> = {
  poisson6: counts(6),
  'poisson.3': counts(0.3),
  negbin6: bursts,
};

export const HISTORY_MINUTES = 240;
const CANARY_MINUTES = 60;

/** What became of a canary up to a minute of it, in which it was looked at. */
export type Watched = { add(minute: number): void; readonly isAlarm: boolean };

/** `from`: the minute in which harm begins. */
export type Watch = { readonly canaries?: number; readonly from?: number };

/**
 * The minutes after the harm began at which canaries alarmed that were looked at each minute, sorted; negative: before it. `watch` makes a
 * canary of random numbers and of the minutes, history and canary together, that it has.
 */
export function alarmsOf(
  watch: (draws: Draws, minutes: number) => Watched,
  { canaries = 200, from = 0 }: Watch,
): readonly number[] {
  const at: number[] = [];
  for (let seed = 1; seed <= canaries; seed += 1) {
    const watched = watch(new Draws(seed), HISTORY_MINUTES + CANARY_MINUTES);
    for (let minute = 0; minute < CANARY_MINUTES && !watched.isAlarm; minute += 1) {
      watched.add(HISTORY_MINUTES + minute);
      if (watched.isAlarm) at.push(minute + 1 - from);
    }
  }
  return at.sort((a, b) => a - b);
}

/** NaN of none. */
export const middleOf = (sorted: readonly number[]): number =>
  sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
