import { Draws } from './draws.ts';

/** Durations, in milliseconds, of the requests of one minute. */
export type LatencyMinute = { readonly canary: readonly number[]; readonly baseline: readonly number[] };

/** What a release does to one request. */
export type LatencyHarm = (duration: number, draws: Draws) => number;

/** Of a canary with so many requests a minute on each side: its next minute. */
export type LatencyFamily = (draws: Draws, requests: number) => (harm: LatencyHarm) => LatencyMinute;

const MEDIAN = 100;

/** CANARY.md section 4.4: lognormal, and 1 of 100 takes ten times as long. Drawn once, and from these for each request. */
const DURATIONS: readonly number[] = (() => {
  const draws = new Draws(4);
  return Array.from(
    { length: 2 ** 16 },
    () => MEDIAN * Math.exp(0.8 * draws.normal()) * (draws.chance(0.01) ? 10 : 1),
  );
})();

function served(draws: Draws, requests: number, by: LatencyHarm): readonly number[] {
  const durations: number[] = [];
  for (let request = 0; request < requests; request += 1)
    durations.push(by(DURATIONS[Math.floor(draws.next() * DURATIONS.length)] ?? MEDIAN, draws));
  return durations;
}

/** How much slower one side is in a minute. */
const factor = (draws: Draws): number => Math.exp(0.05 * draws.normal());

const minuteOf =
  (draws: Draws, requests: number, factors: () => readonly [number, number]) =>
  (harm: LatencyHarm): LatencyMinute => {
    const [canary, baseline] = factors();
    return {
      canary: served(draws, requests, (duration) => canary * harm(duration, draws)),
      baseline: served(draws, requests, (duration) => baseline * duration),
    };
  };

/** Those of latencies. `shocks`: each side has good minutes and bad ones of its own, by 5 %; `hotserver`: it is so at all times. */
export const LATENCIES = {
  alike: (draws, requests) => minuteOf(draws, requests, () => [1, 1]),
  shocks: (draws, requests) => minuteOf(draws, requests, () => [factor(draws), factor(draws)]),
  hotserver: (draws, requests) => {
    const factors = [factor(draws), factor(draws)] as const;
    return minuteOf(draws, requests, () => factors);
  },
} satisfies Readonly<Record<string, LatencyFamily>>;

export const harmless: LatencyHarm = (duration) => duration;

export const timesAll =
  (factor: number): LatencyHarm =>
  (duration) =>
    factor * duration;

/** A second and a half more on this part of the requests. */
export const delayed =
  (part: number): LatencyHarm =>
  (duration, draws) =>
    duration + (draws.chance(part) ? 1500 : 0);
