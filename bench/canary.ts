import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Case, casesOf, FAMILIES } from './canary-cases.ts';
import { casesTable, type Figures, falseAlarmsTable, figuresOf } from './canary-figures.ts';
import type { Alarms, Lot } from './canary-thread.ts';
import { inThreads } from './canary-threads.ts';
import { twentyMetrics } from './canary-twenty.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
} as const;

/** How many canaries there are of a case without harm, and with it. */
export type Sizes = { readonly withoutHarm: number; readonly harmed: number };
const FULL: Sizes = { withoutHarm: 4_000, harmed: 2_000 };
const QUICK: Sizes = { withoutHarm: 500, harmed: 500 };
/** Whole canaries, of 20 metrics each. */
const WHOLE = { full: 2_000, quick: 300 };

/**
 * Canaries without harm and with it, the same ones for every judge: how often each cries wolf, and how soon it finds what is there
 * (CANARY.md section 4).
 */
export async function benchCanary(args: readonly string[]): Promise<void> {
  const { json, quick, seed } = parseArgs({ args: [...args], options: OPTIONS }).values;
  if (!/^[0-9]{1,9}$/.test(seed)) throw new RangeError(`--seed ${seed} is no whole number`);
  const figures = await judged({
    seed: Number(seed),
    sizes: quick ? QUICK : FULL,
    threads: availableParallelism(),
    onFamily: (family) => console.error(`${family}: done`),
  });
  const twenty = twentyMetrics(Number(seed), quick ? WHOLE.quick : WHOLE.full);
  console.error('whole canaries of 20 metrics: done');
  if (json) console.log(JSON.stringify({ ...figures, twentyMetrics: twenty }));
  else {
    console.table(falseAlarmsTable(figures));
    console.table(casesTable(figures));
    console.table(twenty);
  }
}

export type Judging = {
  readonly seed: number;
  readonly sizes: Sizes;
  /** The figures do not depend on it. */
  readonly threads: number;
  /** Called once a family is done. */
  readonly onFamily: (family: string) => void;
};

/** All judges over all cases. */
export async function judged({ seed, sizes, threads, onFamily }: Judging): Promise<Figures> {
  const all = FAMILIES.flatMap(casesOf).map((of) => ({
    ...{ case: of, canaries: of.harm ? sizes.harmed : sizes.withoutHarm },
    lots: [] as Alarms[],
  }));
  const lots = all.flatMap((one) => lotsOf(one.case, seed, one.canaries));
  const left = lots.map((lot) => lot.case.family);
  const onDone = ({ case: { name, family } }: Lot, alarms: Alarms): void => {
    all.find((one) => one.case.name === name)?.lots.push(alarms);
    left.splice(left.indexOf(family), 1);
    if (!left.includes(family)) onFamily(family);
  };
  await inThreads(lots, { threads, onDone });
  return figuresOf(seed, all);
}

/** So many are judged in less than a second. */
const LOT = 50;

const lotsOf = (of: Case, seed: number, canaries: number): readonly Lot[] =>
  Array.from({ length: Math.ceil(canaries / LOT) }, (_, place) => ({
    ...{ case: of, seed },
    ...{ from: place * LOT, to: Math.min(canaries, (place + 1) * LOT) },
  }));
