import type { Draws } from './draws.ts';

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
