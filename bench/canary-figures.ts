import { middleOf } from '../test/support/canary-families.ts';
import type { Case } from './canary-cases.ts';
import { byJudge, type JudgeName } from './canary-judges.ts';
import type { Alarms } from './canary-thread.ts';

/** All parts are from 0 to 1. */
export type CaseFigures = {
  /** Of the canaries, those that alarmed once the harm had begun. */
  readonly found: number;
  /** How long after that, of those; `null` of none. */
  readonly medianMin: number | null;
  /** Those that alarmed before. */
  readonly early: number;
};

export type JudgeFigures = {
  /** By family, those that alarmed though there was no harm. */
  readonly falseAlarms: Readonly<Record<string, number>>;
  readonly cases: Readonly<Record<string, CaseFigures>>;
};

export type Figures = { readonly seed: number; readonly judges: Readonly<Record<JudgeName, JudgeFigures>> };

/** What came of all canaries of a case; `lots` in any order. */
export type Judged = { readonly case: Case; readonly canaries: number; readonly lots: readonly Alarms[] };

export function figuresOf(seed: number, all: readonly Judged[]): Figures {
  const judges = byJudge((judge): JudgeFigures => {
    const falseAlarms: Record<string, number> = {};
    const cases: Record<string, CaseFigures> = {};
    for (const { case: of, canaries, lots } of all) {
      const alarms = lots.flatMap((lot) => lot[judge]);
      if (of.harm) cases[of.name] = caseFigures(alarms, canaries, of.harm.from);
      else falseAlarms[of.family] = alarms.length / canaries;
    }
    return { falseAlarms, cases };
  });
  return { seed, judges };
}

function caseFigures(alarms: readonly number[], canaries: number, from: number): CaseFigures {
  const after = alarms.filter((minute) => minute > from).sort((a, b) => a - b);
  return {
    found: after.length / canaries,
    medianMin: after.length > 0 ? middleOf(after) - from : null,
    early: (alarms.length - after.length) / canaries,
  };
}

type Table = Readonly<Record<string, Readonly<Record<JudgeName, string>>>>;

/** For people: in percent, a row for each family. */
export const falseAlarmsTable = ({ judges }: Figures): Table =>
  Object.fromEntries(
    Object.keys(judges.anytime.falseAlarms).map((family) => [
      family,
      byJudge((judge) => percent(judges[judge].falseAlarms[family] ?? 0)),
    ]),
  );

/** For people: a row for each case; how many were found in how many minutes, and how many alarmed too early. */
export const casesTable = ({ judges }: Figures): Table =>
  Object.fromEntries(
    Object.keys(judges.anytime.cases).map((name) => [
      name,
      byJudge((judge) => shown(judges[judge].cases[name])),
    ]),
  );

function shown(figures: CaseFigures | undefined): string {
  if (!figures) return '';
  const { found, medianMin, early } = figures;
  const minutes = medianMin === null ? '' : ` in ${medianMin}`;
  return `${percent(found)}${minutes}${early > 0 ? `, early ${percent(early)}` : ''}`;
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
