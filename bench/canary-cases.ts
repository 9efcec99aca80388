import { sha256 } from '../src/lib/hash.ts';
import { COUNTS, GAUGES, HISTORY_MINUTES } from '../test/support/canary-families.ts';
import { Draws } from '../test/support/draws.ts';

// What is measured (CANARY.md sections 4.1 and 4.3). Another kind of metric, such as latencies, is another `kind` of a canary, with its
// cases in CASES.

export const CANARY_MINUTES = 60;

/** A value for each minute, NaN where there is none. */
export type Sides = { readonly baseline: readonly number[]; readonly canary: readonly number[] };

/** One metric of one canary. In its history both sides ran the same. */
export type Canary = { readonly kind: 'gauge' | 'counts'; readonly history: Sides; readonly minutes: Sides };

/** From minute `from` on (0 is the first) the canary's values are so many times as high; of counts, their mean is. */
export type Harm = { readonly effect: number; readonly from: number };

/** Without `harm` neither side is worse, and each alarm is a false one. */
export type Case = { readonly name: string; readonly family: string; readonly harm?: Harm };

const atOnce = (effect: number): Harm => ({ effect, from: 0 });
const late = (effect: number): Harm => ({ effect, from: CANARY_MINUTES / 2 });

const HARMS_OF_GAUGES = [...[1.1, 1.25, 1.5, 2].map(atOnce), late(1.5)];
const HARMS_OF_COUNTS: Readonly<Record<string, readonly Harm[]>> = {
  poisson6: [...[1.5, 2, 3].map(atOnce), late(2)],
  'poisson.3': [...[3, 10].map(atOnce), late(10)],
  negbin6: [2, 3].map(atOnce),
};

/** In the order of the tables. */
export const FAMILIES: readonly string[] = [...Object.keys(GAUGES), ...Object.keys(COUNTS)];

const harmed = (family: string, { effect, from }: Harm): Case => ({
  name: `${family} x${effect}${from > 0 ? ` at ${from}` : ''}`,
  family,
  harm: { effect, from },
});

/** Those of one family: first that without harm, which has its name. */
export const casesOf = (family: string): readonly Case[] => [
  { name: family, family },
  ...(HARMS_OF_COUNTS[family] ?? HARMS_OF_GAUGES).map((harm) => harmed(family, harm)),
];

/** The canary of this number: the same one for every judge, whoever draws it and in which order. */
export function canaryOf({ name, family, harm = atOnce(1) }: Case, seed: number, number: number): Canary {
  const hash = sha256(`${seed} ${name} ${number}`);
  const draws = new Draws(Number.parseInt(hash.slice(0, 8), 16));
  const minutes = HISTORY_MINUTES + CANARY_MINUTES;
  const effect = (minute: number) => (minute >= HISTORY_MINUTES + harm.from ? harm.effect : 1);
  const counts = COUNTS[family];
  if (counts) return parted('counts', counts(draws, minutes, effect));
  const [baseline = [], canary = []] = GAUGES[family]?.(draws, minutes) ?? [];
  return parted('gauge', [baseline, canary.map((value, minute) => value * effect(minute))]);
}

function parted(
  kind: Canary['kind'],
  [baseline, canary]: readonly [readonly number[], readonly number[]],
): Canary {
  const part = (from: number, to?: number): Sides => ({
    baseline: baseline.slice(from, to),
    canary: canary.slice(from, to),
  });
  return { kind, history: part(0, HISTORY_MINUTES), minutes: part(HISTORY_MINUTES) };
}
