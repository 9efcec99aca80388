import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { COUNTS, GAUGES, HISTORY_MINUTES } from '../../../test/support/canary-families.ts';
import { Draws } from '../../../test/support/draws.ts';
import { countedTest } from './counted.ts';
import type { Counted } from './counts.ts';
import { GaugeTest } from './gauge.ts';
import { learn } from './learnt.ts';

// What CANARY.md section 4.1 asks of any judge, beside its figures: neither the unit of a metric nor more harm may hide harm.

const OPTIONS = { alpha: 0.01, tolerance: 0.02 };
const CANARY_MINUTES = 60;
const minutes = Array.from({ length: CANARY_MINUTES }, (_, minute) => minute);

type Sides = readonly [baseline: readonly number[], canary: readonly number[]];

/** The minute in which a gauge alarms; `undefined` if it never does. */
function gaugeAlarm([baseline, canary]: Sides): number | undefined {
  const differences = canary.map((value, minute) => Math.log(value) - Math.log(baseline[minute] ?? 0));
  const learnt = learn(differences.slice(0, HISTORY_MINUTES));
  assert.ok(learnt);
  const running = new GaugeTest(learnt, { ...OPTIONS, fleetSpread: 0, unit: 1 });
  return minutes.find((minute) => {
    running.add(differences[HISTORY_MINUTES + minute] ?? Number.NaN);
    return running.isAlarm;
  });
}

function countAlarm([baseline, canary]: Sides): number | undefined {
  const counted = canary.map(
    (events, minute): Counted => ({
      ...{ canary: events, baseline: baseline[minute] ?? 0, canaryExposure: 1, baselineExposure: 1 },
    }),
  );
  const running = countedTest(counted.slice(0, HISTORY_MINUTES), OPTIONS);
  return minutes.find((minute) => {
    counted.slice(HISTORY_MINUTES + minute, HISTORY_MINUTES + minute + 1).forEach(running.add);
    return running.standing.isAlarm;
  });
}

describe('no unit of a gauge changes what becomes of it', () => {
  for (const [family, draw] of Object.entries(GAUGES)) {
    test(family, () => {
      for (const effect of [1, 1.25])
        for (let seed = 1; seed <= 10; seed += 1) {
          const [baseline, canary] = draw(new Draws(seed), HISTORY_MINUTES + CANARY_MINUTES);
          const alarm = (unit: number) =>
            gaugeAlarm([
              baseline.map((value) => value * unit),
              canary.map((value, minute) => value * unit * (minute >= HISTORY_MINUTES ? effect : 1)),
            ]);
          for (const unit of [1e-6, 1e-3, 1e3, 1e6]) assert.equal(alarm(unit), alarm(1), `${unit}, ${seed}`);
        }
    });
  }
});

describe('the more minutes are ten times as bad, the more canaries are found (defect 1 of Kayenta)', () => {
  const seeds = Array.from({ length: 20 }, (_, place) => place + 1);
  /** By minute: how many others are bad before it is. */
  const manners: Readonly<Record<string, (draws: Draws) => readonly number[]>> = {
    'one after the other': () => minutes,
    'here and there': (draws) => draws.shuffled(minutes),
  };
  const all = HISTORY_MINUTES + CANARY_MINUTES;
  const drawn = (family: string, draws: Draws): Sides =>
    GAUGES[family]?.(draws, all) ?? COUNTS[family]?.(draws, all, () => 1) ?? [[], []];

  for (const [manner, orderOf] of Object.entries(manners))
    for (const family of ['normal', 'lognormal', 'ar.8', ...Object.keys(COUNTS)])
      test(`${family}, ${manner}`, () => {
        const alarm = family in COUNTS ? countAlarm : gaugeAlarm;
        const isFound = (seed: number, bad: number): boolean => {
          const order = [...Array(HISTORY_MINUTES).fill(all), ...orderOf(new Draws(1_000 + seed))];
          const [baseline, canary] = drawn(family, new Draws(seed));
          const harmed = canary.map((value, minute) => (order[minute] < bad ? 10 : 1) * value);
          return alarm([baseline, harmed]) !== undefined;
        };
        const found = [0, ...minutes.map((minute) => minute + 1)].map(
          (bad) => seeds.filter((seed) => isFound(seed, bad)).length,
        );
        assert.deepEqual(
          found,
          found.toSorted((a, b) => a - b),
        );
        assert.deepEqual([found[0], found.at(-1)], [0, seeds.length]);
      });
});
