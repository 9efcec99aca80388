import { countedTest } from '../src/analysis/anytime/counted.ts';
import type { Counted } from '../src/analysis/anytime/counts.ts';
import { GaugeTest } from '../src/analysis/anytime/gauge.ts';
import { learn } from '../src/analysis/anytime/learnt.ts';
import type { Standing } from '../src/analysis/anytime/standing.ts';
import { CANARY_MINUTES, type Canary, type Sides } from './canary-cases.ts';
import { isHigh } from './canary-kayenta.ts';

/** The minute in which it alarms, 1 being the first; `undefined` if it never does. It knows no minute after that. */
export type Judge = (canary: Canary) => number | undefined;

const ALPHA = 0.01;
/** Of gauges: a rise by 2 % is none that anybody needs to hear of. Of so few events as are counted here, nobody sees one. */
const TOLERANCE = 0.02;

/** Edge's default judge, asked after each minute. */
function anytime(canary: Canary): number | undefined {
  const { standing, add } = testOf(canary);
  return minutesFrom(1).find((minute) => {
    add(minute);
    return standing.isAlarm;
  });
}

type Running = { readonly standing: Standing; readonly add: (minute: number) => void };

function testOf({ kind, history, minutes }: Canary): Running {
  if (kind === 'counts') {
    const test = countedTest(countedIn(history), { alpha: ALPHA, tolerance: 0 });
    return { standing: test.standing, add: eachOf(countedIn(minutes), test.add) };
  }
  const learnt = learn(differencesIn(history));
  if (!learnt) throw new RangeError('too little history');
  const test = new GaugeTest(learnt, { alpha: ALPHA, tolerance: TOLERANCE, fleetSpread: 0, unit: 1 });
  return { standing: test, add: eachOf(differencesIn(minutes), (difference) => test.add(difference)) };
}

const eachOf =
  <Value>(values: readonly Value[], add: (value: Value) => void) =>
  (minute: number): void =>
    values.slice(minute - 1, minute).forEach(add);

const countedIn = ({ baseline, canary }: Sides): readonly Counted[] =>
  canary.map((events, minute) => ({
    ...{ canary: events, baseline: baseline[minute] ?? 0, canaryExposure: 1, baselineExposure: 1 },
  }));

const differencesIn = ({ baseline, canary }: Sides): readonly number[] =>
  canary.map((value, minute) => Math.log(value) - Math.log(baseline[minute] ?? Number.NaN));

/** Kayenta's rule, asked in these minutes of all that there is by then; the first High ends it. */
const kayenta =
  (looks: readonly number[]): Judge =>
  ({ minutes: { baseline, canary } }) =>
    looks.find((minute) => isHigh({ baseline: baseline.slice(0, minute), canary: canary.slice(0, minute) }));

const MOST_TIMES = 1.5;
const MOST_MINUTES = 3;

/** A fixed limit, as Flagger and Argo Rollouts have it: so many minutes, in all, with so many times the baseline. */
function threshold({ minutes: { baseline, canary } }: Canary): number | undefined {
  const over = minutesFrom(1).filter(
    (minute) => (canary[minute - 1] ?? 0) > MOST_TIMES * (baseline[minute - 1] ?? 0),
  );
  return over[MOST_MINUTES - 1];
}

const minutesFrom = (first: number, every = 1): readonly number[] =>
  Array.from(
    { length: Math.floor((CANARY_MINUTES - first) / every) + 1 },
    (_, place) => first + place * every,
  );

/** By their names in the tables (CANARY.md section 4.2). */
export const JUDGES = {
  anytime,
  kayenta60: kayenta([CANARY_MINUTES]),
  kayenta10: kayenta(minutesFrom(10, 10)),
  kayenta1: kayenta(minutesFrom(5)),
  threshold,
} satisfies Readonly<Record<string, Judge>>;

export type JudgeName = keyof typeof JUDGES;

/** Something of each judge. */
export const byJudge = <Value>(of: (judge: JudgeName) => Value): Readonly<Record<JudgeName, Value>> => ({
  anytime: of('anytime'),
  kayenta60: of('kayenta60'),
  kayenta10: of('kayenta10'),
  kayenta1: of('kayenta1'),
  threshold: of('threshold'),
});
