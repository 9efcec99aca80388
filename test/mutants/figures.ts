import type { Verdict } from './run-mutant.ts';
import { keyOf, SURVIVORS } from './survivors.ts';

export type Result = {
  readonly name: string;
  readonly kind: 'planted' | 'guard';
  readonly verdict: Verdict;
  readonly wallS: number;
};

/** The last line of `npm run simulate:mutants -- --json`. */
export type MutantFigures = {
  readonly mutants: number;
  readonly caught: number;
  readonly survivors: readonly string[];
  readonly guards: number;
  readonly guardsCaught: number;
  /** Survivors that nobody has explained yet (`survivors.ts`). */
  readonly unexplained: readonly string[];
  /** Their process crashed or hung: a better bug has to be written. */
  readonly broken: readonly string[];
  readonly byInvariant: Readonly<Record<string, number>>;
  readonly wallS: number;
};

/** So much of each kind must be caught. */
const CAUGHT_SHARE = 0.95;

export function figuresOf(results: readonly Result[], wallS: number): MutantFigures {
  const named = (kind: Verdict['kind']) =>
    results.filter(({ verdict }) => verdict.kind === kind).map(({ name }) => name);
  const of = (kind: Result['kind']) => results.filter((one) => one.kind === kind);
  const isCaught = ({ verdict }: Result) => verdict.kind === 'caught';
  const survivors = named('survived');
  const invariants = results.flatMap(({ verdict }) => (verdict.kind === 'caught' ? [verdict.invariant] : []));
  return {
    mutants: of('planted').length,
    caught: of('planted').filter(isCaught).length,
    survivors,
    guards: of('guard').length,
    guardsCaught: of('guard').filter(isCaught).length,
    unexplained: survivors.filter((name) => SURVIVORS[keyOf(name)] === undefined),
    broken: named('broken'),
    byInvariant: Object.fromEntries(
      [...Map.groupBy(invariants, (invariant) => invariant)].map(([name, all]) => [name, all.length]),
    ),
    wallS,
  };
}

/** Whether enough is caught, and all that is not is explained. */
export function isEnough(figures: MutantFigures): boolean {
  const { mutants, caught, guards, guardsCaught, unexplained, broken } = figures;
  const share = caught >= CAUGHT_SHARE * mutants && guardsCaught >= CAUGHT_SHARE * guards;
  return share && unexplained.length === 0 && broken.length === 0;
}
